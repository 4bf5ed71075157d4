//! Inside the plugin: `layernorm`, the normalising layer of a transformer.

use dyno_sdk::prelude::*;

use crate::{
    check,
    cuda::{Buffer, Gpu, Kernel, Matrix, Source},
    input, reference,
    timer::{Cache, Timer},
};

#[derive(Params)]
pub(crate) struct LayerNormParams {
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

/// Layer normalisation of each row of an f32 matrix, with scale and shift, one block per row
#[benchmark(name = "layernorm", category = "neural-network", hardware = ["cuda"], tags = ["layer"])]
pub(crate) struct LayerNorm {
    kernel: Kernel,
    shape: Matrix,
    /// Input, scale and shift.
    from: [Buffer<f32>; 3],
    to: Buffer<f32>,
    input: [Vec<f32>; 3],
    checksum: u64,
    timer: Timer,
    gpu: Gpu,
}

impl Benchmark for LayerNorm {
    type Params = LayerNormParams;

    fn setup(params: LayerNormParams, context: &Context) -> Result<Self, Failure> {
        let LayerNormParams { rows, columns, cache } = params;
        input::fits("layernorm", rows as f64 * columns as f64 * 8.0)?;
        let gpu = Gpu::open(context)?;
        let mut rng = rng(context.seed());
        let input = [rows * columns, columns, columns].map(|count| input::signed::<f32>(&mut rng, count));
        let [values, scale, shift] = &input;
        Ok(Self {
            kernel: Kernel::of(&gpu, Source::LAYERNORM, "layernorm")?,
            shape: Matrix { rows, columns },
            from: [gpu.upload(values)?, gpu.upload(scale)?, gpu.upload(shift)?],
            to: gpu.output(values.len())?,
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
        verify(&got, &self.input)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { kernel, shape, from, to, checksum, timer, gpu, .. } = self;
        let device_ns = timer.time(gpu, iterations, || kernel.layernorm(gpu, *shape, from.each_ref(), to))?;
        Ok(work(iterations, to.len()).device_ns(device_ns).checksum(*checksum))
    }
}

fn verify(got: &[f32], [input, scale, shift]: &[Vec<f32>; 3]) -> Result<(), Failure> {
    let expected = reference::layernorm(input, scale, shift);
    let got = got.iter().map(|x| f64::from(*x));
    check::norm("the layer normalisation", got, expected, reference::layernorm_tolerance(scale.len()))
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
    fn one_wrong_element_is_found() {
        let mut rng = rng(1);
        let input = [1000, 100, 100].map(|count| input::signed::<f32>(&mut rng, count));
        let mut out: Vec<f32> =
            reference::layernorm(&input[0], &input[1], &input[2]).map(|x| x as f32).collect();
        verify(&out, &input).unwrap();
        out[999] += 0.01;
        assert!(verify(&out, &input).is_err());
    }

    #[test]
    fn the_report_counts_reading_and_writing() {
        assert_eq!(work(2, 5), Report::new().items(10.0).bytes(80.0));
    }
}
