//! Inside the plugin: `stream_triad`, the memory bandwidth of one thread.

use dyno_sdk::prelude::*;
use pulp::{Simd, WithSimd};

use crate::{
    buffers::Arrays,
    check, input,
    real::{Dtype, Kernel, Real},
    simd::{Vectors, widest_for},
};

#[derive(Params)]
pub(crate) struct StreamTriadParams {
    /// Length of each of the three arrays; the default is larger than most last-level caches
    #[param(default = 2_097_152, min = 1, max = 33_554_432, unit = "elements")]
    n: usize,
    /// Float type
    #[param(default = "f64")]
    dtype: Dtype,
}

/// `a[i] = b[i] + s * c[i]`, the triad of STREAM, on one thread
#[benchmark(name = "stream_triad", category = "memory", hardware = ["cpu"], tags = ["bandwidth"])]
pub(crate) struct StreamTriad(Box<dyn Kernel>);

impl Benchmark for StreamTriad {
    type Params = StreamTriadParams;

    fn setup(params: StreamTriadParams, context: &Context) -> Result<Self, Failure> {
        Ok(Self(match params.dtype {
            Dtype::F32 => Box::new(Triad::<f32>::new(params.n, context.seed())),
            Dtype::F64 => Box::new(Triad::<f64>::new(params.n, context.seed())),
        }))
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.0.verify()
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        Ok(self.0.run(iterations))
    }
}

struct Triad<T> {
    /// `a`, `b` and `c`.
    arrays: Arrays<T, 3>,
    s: T,
}

impl<T: Vectors> Triad<T> {
    fn new(n: usize, seed: u64) -> Self {
        let mut rng = rng(seed);
        let mut arrays = Arrays::new([n; 3]);
        let [_, b, c] = arrays.all_mut();
        input::signed(&mut rng, b);
        input::signed(&mut rng, c);
        Self { arrays, s: T::of(3.0) }
    }
}

impl<T: Vectors> Kernel for Triad<T> {
    fn verify(&mut self) -> Result<(), Failure> {
        self.run(1);
        let [a, b, c] = self.arrays.all();
        check(a, b, c, self.s)
    }

    fn run(&mut self, iterations: u64) -> Report {
        let Self { arrays, s } = self;
        let [a, b, c] = arrays.all_mut();
        let operands = Operands { a: &mut *a, b, c, s: *s };
        widest_for(3 * size_of_val(b), Turns { iterations, operands });
        let elements = iterations as f64 * a.len() as f64;
        Report::new()
            .items(elements)
            .bytes(elements * 3.0 * size_of::<T>() as f64)
            .flop(elements * 2.0)
            .checksum(check::checksum(a))
    }
}

struct Operands<'a, T> {
    a: &'a mut [T],
    b: &'a [T],
    c: &'a [T],
    s: T,
}

/// Repeated triads.
struct Turns<'a, T> {
    iterations: u64,
    operands: Operands<'a, T>,
}

impl<T: Vectors> WithSimd for Turns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for _ in 0..self.iterations {
            // One pointer: hiding each slice from the optimiser would cost as much as a tenth of the loop in the
            // first-level cache.
            triad(simd, black_box(&mut self.operands));
        }
    }
}

#[inline(always)]
fn triad<T: Vectors, S: Simd>(simd: S, operands: &mut Operands<T>) {
    /// Vectors in one turn of the loop, so that its counter and branch do not compete with loads and stores.
    const UNROLLED: usize = 4;
    let Operands { a, b, c, s } = operands;
    let lanes = T::splat(simd, *s);
    let (a, a_rest) = T::split_mut::<S>(a);
    let (b, b_rest) = T::split::<S>(b);
    let (c, c_rest) = T::split::<S>(c);
    let (a_blocks, a) = a.as_chunks_mut::<UNROLLED>();
    let (b_blocks, b) = b.as_chunks::<UNROLLED>();
    let (c_blocks, c) = c.as_chunks::<UNROLLED>();
    for ((a, b), c) in a_blocks.iter_mut().zip(b_blocks).zip(c_blocks) {
        for ((a, &b), &c) in a.iter_mut().zip(b).zip(c) {
            *a = T::mul_add(simd, lanes, c, b);
        }
    }
    for ((a, &b), &c) in a.iter_mut().zip(b).zip(c) {
        *a = T::mul_add(simd, lanes, c, b);
    }
    for ((a, &b), &c) in a_rest.iter_mut().zip(b_rest).zip(c_rest) {
        *a = *s * c + b;
    }
}

/// Against the same formula in `f64`.
fn check<T: Real>(a: &[T], b: &[T], c: &[T], s: T) -> Result<(), Failure> {
    for (i, got) in a.iter().enumerate() {
        let expected = s.wide().mul_add(c[i].wide(), b[i].wide());
        check::close(|| format!("a[{i}]"), got.wide(), expected, 8.0 * T::EPSILON)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_element_is_found() {
        let mut triad = Triad::<f32>::new(1003, 1);
        triad.verify().unwrap();
        let [a, b, c] = triad.arrays.all_mut();
        a[1002] += 1e-4;
        assert!(check(a, b, c, triad.s).unwrap_err().message().contains("a[1002]"));
    }

    #[test]
    fn every_length_is_right_in_vectors_of_every_width() {
        // The last one does not fit into the first-level cache.
        for n in [1, 2, 3, 4, 7, 8, 15, 16, 17, 33, 64, 131, 5003] {
            Triad::<f32>::new(n, 1).verify().unwrap();
            let mut triad = Triad::<f64>::new(n, 1);
            triad.verify().unwrap();
            let s = triad.s;
            let [a, b, c] = triad.arrays.all_mut();
            pulp::Arch::new().dispatch(Turns { iterations: 1, operands: Operands { a: &mut *a, b, c, s } });
            check(a, b, c, s).unwrap();
            a.fill(0.0);
            Turns { iterations: 1, operands: Operands { a: &mut *a, b, c, s } }.with_simd(pulp::Scalar);
            check(a, b, c, s).unwrap();
        }
    }

    #[test]
    fn the_report_counts_three_arrays() {
        let report =
            dyno_sdk::testing::run::<StreamTriad>(StreamTriadParams { n: 10, dtype: Dtype::F64 }, 4).unwrap();
        let expected = Report::new().items(40.0).bytes(960.0).flop(80.0);
        assert_eq!(report.checksum(0), expected);
    }
}
