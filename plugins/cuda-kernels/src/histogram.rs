//! Inside the plugin: `histogram`, atomic additions to few or many places.

use dyno_sdk::prelude::*;

use crate::{
    check,
    cuda::{Buffer, Gpu, Kernel, Source},
    reference,
    timer::{Cache, Timer},
};

/// The memory in which bins are counted.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Counting {
    Global,
    Shared,
}

/// How keys are distributed.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Keys {
    Uniform,
    Same,
}

#[derive(Params)]
pub(crate) struct HistogramParams {
    /// Keys that are counted
    #[param(default = 67_108_864, min = 1, max = 1_073_741_824, unit = "elements")]
    n: usize,
    /// Bins
    #[param(default = 256, min = 1, max = 4096)]
    bins: u32,
    /// `global`: every key is an atomic addition in the device's memory; `shared`: each block counts by itself first
    #[param(default = "shared")]
    counting: Counting,
    /// `uniform`: each bin is as likely; `same`: all keys are one, so that all additions meet
    #[param(default = "uniform")]
    keys: Keys,
    /// `hot`: iterations follow each other; `cold`: the L2 cache is overwritten before each one, untimed
    #[param(default = "hot")]
    cache: Cache,
}

/// Counts how often each key occurs, by atomic additions
#[benchmark(name = "histogram", category = "atomics", hardware = ["cuda"], tags = ["atomics"])]
pub(crate) struct Histogram {
    clear: Kernel,
    count: Kernel,
    keys: Buffer<u32>,
    bins: Buffer<u32>,
    expected: Vec<u32>,
    checksum: u64,
    timer: Timer,
    gpu: Gpu,
}

impl Benchmark for Histogram {
    type Params = HistogramParams;

    fn setup(params: HistogramParams, context: &Context) -> Result<Self, Failure> {
        let gpu = Gpu::open(context)?;
        let keys = keys(&params, context.seed());
        let module = gpu.load(Source::HISTOGRAM)?;
        Ok(Self {
            clear: Kernel::new(&module, "clear")?,
            count: Kernel::new(&module, &format!("histogram_{}", params.counting.as_str()))?,
            keys: gpu.upload(&keys)?,
            bins: gpu.output(params.bins as usize)?,
            expected: reference::histogram(&keys, params.bins as usize),
            checksum: 0,
            timer: Timer::new(&gpu, params.cache)?,
            gpu,
        })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.gpu.poison(&mut self.bins)?;
        self.execute(1)?;
        let got = self.gpu.download(&self.bins)?;
        self.checksum = check::checksum(&got, u64::from);
        check::same("the histogram", &got, self.expected.iter().copied())
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { clear, count, keys, bins, checksum, timer, gpu, .. } = self;
        let device_ns = timer.time(gpu, iterations, || {
            clear.clear(gpu, bins)?;
            count.histogram(gpu, keys, bins)
        })?;
        Ok(work(iterations, keys.len()).device_ns(device_ns).checksum(*checksum))
    }
}

fn keys(params: &HistogramParams, seed: u64) -> Vec<u32> {
    let mut rng = rng(seed);
    let mut draw = || rng.below(u64::from(params.bins)) as u32;
    match params.keys {
        Keys::Uniform => (0..params.n).map(|_| draw()).collect(),
        Keys::Same => vec![draw(); params.n],
    }
}

/// Every key is read once; the bins are few.
fn work(iterations: u64, n: usize) -> Report {
    let keys = iterations as f64 * n as f64;
    Report::new().items(keys).bytes(keys * 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_among_the_bins() {
        let params = |distribution| HistogramParams {
            n: 1000,
            bins: 7,
            counting: Counting::Shared,
            keys: distribution,
            cache: Cache::Hot,
        };
        let uniform = keys(&params(Keys::Uniform), 1);
        let counts = reference::histogram(&uniform, 7);
        assert!(counts.iter().all(|count| *count > 50) && counts.iter().sum::<u32>() == 1000, "{counts:?}");
        let same = keys(&params(Keys::Same), 1);
        assert_eq!(reference::histogram(&same, 7).iter().filter(|count| **count == 1000).count(), 1);
    }

    #[test]
    fn the_report_counts_keys() {
        assert_eq!(work(2, 10), Report::new().items(20.0).bytes(80.0));
    }
}
