//! Inside the plugin: `softmax`, the normalising step of attention.

use dyno_sdk::prelude::*;

use crate::{
    check,
    cuda::{Buffer, Gpu, Kernel, Matrix, Source},
    input, reference,
    timer::{Cache, Timer},
};

/// Input lies in [-SPREAD, SPREAD), so that a row has large and small results.
const SPREAD: f32 = 4.0;

#[derive(Params)]
pub(crate) struct SoftmaxParams {
    /// Rows, each normalised by itself
    #[param(default = 16_384, min = 1, max = 16_777_216)]
    rows: usize,
    /// Length of a row
    #[param(default = 1024, min = 1, max = 16_777_216, unit = "elements")]
    columns: usize,
    /// `hot`: iterations follow each other; `cold`: the L2 cache is overwritten before each one, untimed
    #[param(default = "hot")]
    cache: Cache,
}

/// Softmax of each row of an f32 matrix, shifted by the largest element, one block per row
#[benchmark(name = "softmax", category = "neural-network", hardware = ["cuda"], tags = ["layer"])]
pub(crate) struct Softmax {
    kernel: Kernel,
    shape: Matrix,
    from: Buffer<f32>,
    to: Buffer<f32>,
    input: Vec<f32>,
    checksum: u64,
    timer: Timer,
    gpu: Gpu,
}

impl Benchmark for Softmax {
    type Params = SoftmaxParams;

    fn setup(params: SoftmaxParams, context: &Context) -> Result<Self, Failure> {
        let SoftmaxParams { rows, columns, cache } = params;
        input::fits("softmax", rows as f64 * columns as f64 * 8.0)?;
        let gpu = Gpu::open(context)?;
        let mut input = input::signed::<f32>(&mut rng(context.seed()), rows * columns);
        input.iter_mut().for_each(|x| *x *= SPREAD);
        Ok(Self {
            kernel: Kernel::of(&gpu, Source::SOFTMAX, "softmax")?,
            shape: Matrix { rows, columns },
            from: gpu.upload(&input)?,
            to: gpu.output(input.len())?,
            input,
            checksum: 0,
            timer: Timer::new(&gpu, cache)?,
            gpu,
        })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.gpu.poison(&mut self.to)?;
        self.execute(1)?;
        let got = self.gpu.download(&self.to)?;
        self.checksum = check::checksum(&got, |x| u64::from(x.to_bits()));
        verify(&got, &self.input, self.shape.columns)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { kernel, shape, from, to, checksum, timer, gpu, .. } = self;
        let device_ns = timer.time(gpu, iterations, || kernel.softmax(gpu, *shape, from, to))?;
        Ok(work(iterations, from.len()).device_ns(device_ns).checksum(*checksum))
    }
}

fn verify(got: &[f32], input: &[f32], columns: usize) -> Result<(), Failure> {
    let expected = reference::softmax(input, columns);
    let got = got.iter().map(|x| f64::from(*x));
    check::norm("the softmax", got, expected, reference::softmax_tolerance(columns))
}

/// Read once and written once, however often a cache has to be asked again.
fn work(iterations: u64, elements: usize) -> Report {
    let elements = iterations as f64 * elements as f64;
    Report::new().items(elements).bytes(elements * 8.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_row_is_found() {
        let input: Vec<f32> = (0..600).map(|i| (i % 7) as f32).collect();
        let mut out: Vec<f32> = reference::softmax(&input, 100).map(|x| x as f32).collect();
        verify(&out, &input, 100).unwrap();
        out[599] *= 1.01;
        assert!(verify(&out, &input, 100).is_err());
    }

    #[test]
    fn parameters_that_are_too_large_together_are_refused() {
        let params = SoftmaxParams { rows: 1 << 24, columns: 1 << 24, cache: Cache::Hot };
        let failure = dyno_sdk::testing::run::<Softmax>(params, 1).unwrap_err();
        assert!(failure.message().starts_with("softmax needs 2097152.0 GiB"), "{failure}");
        assert!(!failure.is_skipped());
    }

    #[test]
    fn the_report_counts_reading_and_writing() {
        assert_eq!(work(2, 5), Report::new().items(10.0).bytes(80.0));
    }
}
