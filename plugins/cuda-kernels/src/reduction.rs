//! Inside the plugin: `reduction`, the sum of an array.

use dyno_sdk::prelude::*;

use crate::{
    check,
    cuda::{Buffer, Gpu, Kernel, Source},
    geometry::{self, BLOCK},
    input, reference,
    timer::{Cache, Timer},
};

#[derive(Params)]
pub(crate) struct ReductionParams {
    /// Length of the array; the default is larger than any cache
    #[param(default = 67_108_864, min = 1, max = 1_073_741_824, unit = "elements")]
    n: usize,
    /// `hot`: iterations follow each other; `cold`: the L2 cache is overwritten before each one, untimed
    #[param(default = "hot")]
    cache: Cache,
}

/// Sum of an f32 array: one partial sum per block, then one block over those
#[benchmark(name = "reduction", category = "memory", hardware = ["cuda"], tags = ["bandwidth"])]
pub(crate) struct Reduction {
    kernel: Kernel,
    input: Buffer<f32>,
    partial: Buffer<f32>,
    output: Buffer<f32>,
    /// The sum, and the sum of magnitudes.
    expected: (f64, f64),
    checksum: u64,
    timer: Timer,
    gpu: Gpu,
}

impl Benchmark for Reduction {
    type Params = ReductionParams;

    fn setup(params: ReductionParams, context: &Context) -> Result<Self, Failure> {
        let gpu = Gpu::open(context)?;
        let input = input::signed::<f32>(&mut rng(context.seed()), params.n);
        let blocks = geometry::striding(params.n, gpu.multiprocessors());
        Ok(Self {
            kernel: Kernel::of(&gpu, Source::SUM, "sum")?,
            input: gpu.upload(&input)?,
            partial: gpu.output(blocks as usize)?,
            output: gpu.output(1)?,
            expected: reference::sum(&input),
            checksum: 0,
            timer: Timer::new(&gpu, params.cache)?,
            gpu,
        })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.gpu.poison(&mut self.partial)?;
        self.gpu.poison(&mut self.output)?;
        self.execute(1)?;
        let got = self.gpu.download(&self.output)?;
        self.checksum = check::checksum(&got, |x| u64::from(x.to_bits()));
        verify(got[0], self.expected, longest(self.input.len(), self.partial.len()))
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { kernel, input, partial, output, checksum, timer, gpu, .. } = self;
        let device_ns = timer.time(gpu, iterations, || {
            kernel.sum(gpu, input, partial)?;
            kernel.sum(gpu, partial, output)
        })?;
        Ok(work(iterations, input.len()).device_ns(device_ns).checksum(*checksum))
    }
}

/// Additions on the longest way from an element to the result.
fn longest(n: usize, blocks: usize) -> usize {
    let block = BLOCK as usize;
    let halvings = BLOCK.ilog2() as usize;
    n.div_ceil(blocks * block) + halvings + blocks.div_ceil(block) + halvings
}

fn verify(got: f32, (sum, size): (f64, f64), longest: usize) -> Result<(), Failure> {
    let error = (f64::from(got) - sum).abs();
    let tolerance = reference::sum_tolerance(longest) * size;
    if error <= tolerance {
        return Ok(());
    }
    Err(Failure::error(format!(
        "the sum is {got:e}, the reference says {sum:e} (tolerance {tolerance:.1e}, {longest} roundings of magnitudes \
         that add up to {size:e})"
    )))
}

/// Every element is read once.
fn work(iterations: u64, n: usize) -> Report {
    let elements = iterations as f64 * n as f64;
    Report::new().items(elements).bytes(elements * 4.0).flop(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_misses_one_element_is_found() {
        let input = vec![0.5_f32; 10_000];
        let expected = reference::sum(&input);
        verify(5000.0, expected, longest(10_000, 40)).unwrap();
        assert!(verify(4999.5, expected, longest(10_000, 40)).is_err());
        assert!(verify(f32::NAN, expected, longest(10_000, 40)).is_err());
    }

    #[test]
    fn the_way_of_an_element_is_counted_through_both_kernels() {
        assert_eq!(longest(1, 1), 1 + 8 + 1 + 8);
        assert_eq!(longest(256 * 100 * 3, 100), 3 + 8 + 1 + 8);
    }

    #[test]
    fn the_report_counts_every_element_once() {
        assert_eq!(work(2, 10), Report::new().items(20.0).bytes(80.0).flop(20.0));
    }
}
