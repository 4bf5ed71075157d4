//! Inside the plugin: `transpose`, in which reading or writing goes against the grain of memory.

use dyno_sdk::prelude::*;

use crate::{
    check,
    cuda::{Buffer, Gpu, Kernel, Matrix, Source},
    input,
    timer::{Cache, Timer},
};

/// How the matrix is transposed.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Algorithm {
    Naive,
    Tiled,
}

#[derive(Params)]
pub(crate) struct TransposeParams {
    /// Rows of the input
    #[param(default = 8192, min = 1, max = 16_777_216)]
    rows: usize,
    /// Columns of the input
    #[param(default = 8192, min = 1, max = 16_777_216)]
    columns: usize,
    /// `naive` writes down columns; `tiled` goes through shared memory, and along rows on both sides
    #[param(default = "tiled")]
    algorithm: Algorithm,
    /// `hot`: iterations follow each other; `cold`: the L2 cache is overwritten before each one, untimed
    #[param(default = "hot")]
    cache: Cache,
}

/// Transposes a row-major f32 matrix
#[benchmark(name = "transpose", category = "memory", hardware = ["cuda"], tags = ["bandwidth"])]
pub(crate) struct Transpose {
    kernel: Kernel,
    shape: Matrix,
    from: Buffer<f32>,
    to: Buffer<f32>,
    input: Vec<f32>,
    checksum: u64,
    timer: Timer,
    gpu: Gpu,
}

impl Benchmark for Transpose {
    type Params = TransposeParams;

    fn setup(params: TransposeParams, context: &Context) -> Result<Self, Failure> {
        let TransposeParams { rows, columns, algorithm, cache } = params;
        input::fits("transpose", rows as f64 * columns as f64 * 8.0)?;
        let gpu = Gpu::open(context)?;
        let input = input::signed::<f32>(&mut rng(context.seed()), rows * columns);
        Ok(Self {
            kernel: Kernel::of(&gpu, Source::TRANSPOSE, &format!("transpose_{}", algorithm.as_str()))?,
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
        verify(&got, &self.input, self.shape)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { kernel, shape, from, to, checksum, timer, gpu, .. } = self;
        let device_ns = timer.time(gpu, iterations, || kernel.transpose(gpu, *shape, from, to))?;
        Ok(work(iterations, from.len()).device_ns(device_ns).checksum(*checksum))
    }
}

/// Bit for bit: nothing is computed.
fn verify(got: &[f32], input: &[f32], Matrix { rows, columns }: Matrix) -> Result<(), Failure> {
    let bits: Vec<u32> = got.iter().map(|x| x.to_bits()).collect();
    let expected = (0..input.len()).map(|place| input[place % rows * columns + place / rows].to_bits());
    check::same("the transpose (as bits)", &bits, expected)
}

/// Read once and written once.
fn work(iterations: u64, elements: usize) -> Report {
    let elements = iterations as f64 * elements as f64;
    Report::new().items(elements).bytes(elements * 8.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transpose_is_told_from_a_copy() {
        let input = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let shape = Matrix { rows: 2, columns: 3 };
        verify(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0], &input, shape).unwrap();
        assert!(verify(&input, &input, shape).unwrap_err().message().contains("element 1"));
    }

    #[test]
    fn the_report_counts_reading_and_writing() {
        assert_eq!(work(2, 5), Report::new().items(10.0).bytes(80.0));
    }
}
