//! Inside the plugin: `fft`, a complex Fourier transform in one dimension.

use std::{f64::consts::TAU, sync::Arc};

use dyno_sdk::prelude::*;
use rustfft::{FftPlanner, num_complex::Complex};

use crate::{
    buffers::Arrays,
    check, input,
    real::{Dtype, Kernel, Real},
};

#[derive(Params)]
pub(crate) struct FftParams {
    /// Length of the transform; any length, powers of two are fastest
    #[param(default = 4096, min = 1, max = 8_388_608, unit = "elements")]
    n: usize,
    /// Float type of both parts of a number
    #[param(default = "f32")]
    dtype: Dtype,
}

/// Forward complex Fourier transform by the crate `rustfft`, planned in advance, not in place
#[benchmark(name = "fft", category = "signal", hardware = ["cpu"], tags = ["compute"])]
pub(crate) struct Fft(Box<dyn Kernel>);

impl Benchmark for Fft {
    type Params = FftParams;

    fn setup(params: FftParams, context: &Context) -> Result<Self, Failure> {
        Ok(Self(match params.dtype {
            Dtype::F32 => Box::new(Transform::<f32>::new(params.n, context.seed())?),
            Dtype::F64 => Box::new(Transform::<f64>::new(params.n, context.seed())?),
        }))
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.0.verify()
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        Ok(self.0.run(iterations))
    }
}

struct Transform<T: Real> {
    plan: Arc<dyn rustfft::Fft<T>>,
    /// Input, output and what the plan works in: complex numbers as pairs.
    arrays: Arrays<T, 3>,
}

impl<T: Real> Transform<T> {
    fn new(n: usize, seed: u64) -> Result<Self, Failure> {
        let plan = FftPlanner::new().plan_fft_forward(n);
        let scratch = plan.get_immutable_scratch_len();
        input::fits("fft", (2 * n + scratch) as f64 * size_of::<Complex<T>>() as f64)?;
        let mut rng = rng(seed);
        let mut arrays = Arrays::new([2 * n, 2 * n, 2 * scratch]);
        let [input, ..] = arrays.all_mut();
        input::signed(&mut rng, input);
        Ok(Self { plan, arrays })
    }

    /// Input, output and scratch.
    fn numbers(&mut self) -> [&mut [Complex<T>]; 3] {
        self.arrays.all_mut().map(bytemuck::cast_slice_mut)
    }
}

impl<T: Real> Kernel for Transform<T> {
    fn verify(&mut self) -> Result<(), Failure> {
        self.run(1);
        let [input, output, _] = self.numbers();
        check(input, output)
    }

    fn run(&mut self, iterations: u64) -> Report {
        let plan = Arc::clone(&self.plan);
        let [input, output, scratch] = self.numbers();
        for _ in 0..iterations {
            plan.process_immutable_with_scratch(black_box(&*input), black_box(&mut *output), scratch);
        }
        black_box(&*output);
        let elements = iterations as f64 * input.len() as f64;
        let checksum = check::spread(output.len(), 16).fold(0, |sum: u64, i| {
            sum.rotate_left(7) ^ output[i].re.wide().to_bits() ^ output[i].im.wide().to_bits()
        });
        Report::new()
            .items(elements)
            .bytes(elements * 2.0 * size_of::<Complex<T>>() as f64)
            .flop(elements * 5.0 * (input.len() as f64).log2())
            .checksum(checksum)
    }
}

/// The definition in `f64`: the sum over all input, for all bins of a short transform and for some of a long one, where
/// that takes too long; Parseval's theorem covers the others.
fn check<T: Real>(input: &[Complex<T>], output: &[Complex<T>]) -> Result<(), Failure> {
    let n = input.len();
    // Inputs are below √2; the rounding errors of the log₂ n passes grow like the output itself, √n. Those of the reference are
    // of n additions to sums of about √n.
    let tolerance =
        T::EPSILON * 8.0 * (n as f64).sqrt() * (n as f64).log2().max(1.0) + f64::EPSILON * n as f64;
    let bins = if n <= 512 { n } else { 16 };
    for bin in check::spread(n, bins) {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, x) in input.iter().enumerate() {
            // The product modulo n first: the angle of a large product would have lost its digits.
            let turn = ((i as u64 * bin as u64) % n as u64) as f64 / n as f64;
            let (sin, cos) = (-TAU * turn).sin_cos();
            re += x.re.wide() * cos - x.im.wide() * sin;
            im += x.re.wide() * sin + x.im.wide() * cos;
        }
        check::close(|| format!("real part of bin {bin}"), output[bin].re.wide(), re, tolerance)?;
        check::close(|| format!("imaginary part of bin {bin}"), output[bin].im.wide(), im, tolerance)?;
    }
    let energy = |values: &[Complex<T>]| {
        values.iter().map(|x| x.re.wide() * x.re.wide() + x.im.wide() * x.im.wide()).sum::<f64>()
    };
    let (before, after) = (energy(input), energy(output) / n as f64);
    check::close(
        || "energy of the spectrum".to_owned(),
        after,
        before,
        before * (T::EPSILON * 64.0 + f64::EPSILON * (n as f64).sqrt()),
    )
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    #[test]
    fn every_length_and_type_is_right() {
        for n in [1, 2, 3, 7, 64, 100, 511, 512, 1000, 4096, 4097] {
            for dtype in [Dtype::F32, Dtype::F64] {
                testing::run::<Fft>(FftParams { n, dtype }, 2)
                    .unwrap_or_else(|failure| panic!("{n}: {failure}"));
            }
        }
    }

    #[test]
    fn a_wrong_bin_is_found_also_between_the_sampled_ones() {
        for n in [64, 1024] {
            let mut transform = Transform::<f64>::new(n, 1).unwrap();
            transform.verify().unwrap();
            let [input, output, _] = transform.numbers();
            for bin in 0..n {
                let right = output[bin];
                output[bin].re += 0.01 + right.re.abs() * 0.001;
                assert!(check(input, output).is_err(), "{n}: {bin}");
                output[bin] = right;
            }
        }
    }
}
