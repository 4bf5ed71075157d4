//! Inside the plugin: `gemm`, a matrix product by a library that blocks, packs and vectorises.

use dyno_sdk::prelude::*;

use crate::{
    buffers::Arrays,
    check, input,
    matmul_naive::{Shape, check_product},
    real::{Dtype, Kernel},
    simd::Vectors,
    team::{Parallelism, Team},
};

#[derive(Params)]
pub(crate) struct GemmParams {
    /// Columns of the product, and its other two sizes where they are 0
    #[param(default = 256, min = 1, max = 8192, unit = "elements")]
    n: usize,
    /// Rows of the product; 0 stands for n
    #[param(default = 0, min = 0, max = 8192, unit = "elements")]
    m: usize,
    /// Length of the sums; 0 stands for n
    #[param(default = 0, min = 0, max = 8192, unit = "elements")]
    k: usize,
    /// Float type
    #[param(default = "f32")]
    dtype: Dtype,
    /// Threads that share the product; a WASM component has one
    #[param(default = 1, min = 1, max = 256, unit = "threads")]
    threads: usize,
}

/// Dense matrix product C = A B of row-major matrices, by the crate `gemm`
#[benchmark(name = "gemm", category = "linear-algebra", hardware = ["cpu"], tags = ["blas", "compute"])]
pub(crate) struct Gemm(Box<dyn Kernel>);

impl Benchmark for Gemm {
    type Params = GemmParams;

    fn setup(params: GemmParams, context: &Context) -> Result<Self, Failure> {
        let GemmParams { n, m, k, dtype, threads } = params;
        let or_n = |size| if size == 0 { n } else { size };
        let shape = Shape { m: or_n(m), n, k: or_n(k) };
        let team = Team::new(threads, context)?;
        Ok(Self(match dtype {
            Dtype::F32 => Box::new(Matrices::<f32>::new(shape, team, context.seed())?),
            Dtype::F64 => Box::new(Matrices::<f64>::new(shape, team, context.seed())?),
        }))
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.0.verify()
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        Ok(self.0.run(iterations))
    }
}

struct Matrices<T> {
    shape: Shape,
    /// `a`, `b` and `c`.
    arrays: Arrays<T, 3>,
    team: Team,
}

impl<T: Vectors> Matrices<T> {
    fn new(shape: Shape, team: Team, seed: u64) -> Result<Self, Failure> {
        input::fits("gemm", shape.elements() * size_of::<T>() as f64)?;
        let mut rng = rng(seed);
        let mut arrays = Arrays::new(shape.lengths());
        let [a, b, _] = arrays.all_mut();
        input::signed(&mut rng, a);
        input::signed(&mut rng, b);
        Ok(Self { shape, arrays, team })
    }
}

impl<T: Vectors> Kernel for Matrices<T> {
    fn verify(&mut self) -> Result<(), Failure> {
        self.run(1);
        let [a, b, c] = self.arrays.all();
        check_product(self.shape, a, b, c)
    }

    fn run(&mut self, iterations: u64) -> Report {
        let Self { shape, arrays, team } = self;
        let [a, b, c] = arrays.all_mut();
        let parallelism = team.parallelism();
        team.run(|| {
            for _ in 0..iterations {
                multiply(*shape, black_box(&*a), black_box(&*b), black_box(&mut *c), parallelism);
            }
        });
        shape.report(iterations, size_of::<T>()).checksum(check::checksum(c))
    }
}

/// `c = a b`, all row-major.
#[cfg(not(target_family = "wasm"))]
#[allow(unsafe_code, reason = "the crate `gemm` takes pointers and strides and offers no other door")]
pub(crate) fn multiply<T: Vectors>(shape: Shape, a: &[T], b: &[T], c: &mut [T], parallelism: Parallelism) {
    let Shape { m, n, k } = shape;
    assert_eq!((a.len(), b.len(), c.len()), (m * k, k * n, m * n), "the sizes of the matrices");
    let (wide, deep) = (n as isize, k as isize);
    // SAFETY: the lengths, checked above, are those of row-major matrices with these strides; `c` is borrowed
    // mutably, so it overlaps neither `a` nor `b`; `T` is `f32` or `f64`, which the crate supports.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            wide,
            false,
            a.as_ptr(),
            1,
            deep,
            b.as_ptr(),
            1,
            wide,
            T::default(),
            T::of(1.0),
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// The same in WASM.
#[cfg(target_family = "wasm")]
pub(crate) fn multiply<T: Vectors>(shape: Shape, a: &[T], b: &[T], c: &mut [T], _: Parallelism) {
    crate::blocked_product::multiply(shape, a, b, c);
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    #[test]
    fn every_shape_and_type_is_right() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (0, 64, 0), (17, 33, 130), (1, 300, 2)] {
            for dtype in [Dtype::F32, Dtype::F64] {
                testing::run::<Gemm>(GemmParams { n, m, k, dtype, threads: 1 }, 2).unwrap();
            }
        }
    }

    #[cfg(not(target_family = "wasm"))]
    #[test]
    fn threads_do_not_change_the_answer() {
        let shape = Shape { m: 200, n: 300, k: 100 };
        let mut rng = rng(3);
        let (a, b) = (input::signed_vec::<f64>(&mut rng, 20_000), input::signed_vec::<f64>(&mut rng, 30_000));
        let mut c = vec![0.0; 60_000];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        pool.install(|| multiply(shape, &a, &b, &mut c, Parallelism::Rayon(3)));
        check_product(shape, &a, &b, &c).unwrap();
    }

    #[test]
    fn a_product_that_does_not_fit_is_refused() {
        let params = GemmParams { n: 8192, m: 0, k: 0, dtype: Dtype::F64, threads: 1 };
        let failure = testing::run::<Gemm>(params, 1).unwrap_err();
        assert!(failure.message().starts_with("gemm needs 1536 MiB"), "{failure}");
    }

    #[test]
    fn the_report_counts_multiplications_and_additions() {
        let params = GemmParams { n: 4, m: 2, k: 3, dtype: Dtype::F32, threads: 1 };
        let report = testing::run::<Gemm>(params, 10).unwrap();
        assert_eq!(report.checksum(0), Report::new().items(80.0).bytes(1040.0).flop(480.0));
    }
}
