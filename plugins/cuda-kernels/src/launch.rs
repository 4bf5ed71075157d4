//! Inside the plugin: `launch`, what it costs to start a kernel that does nothing.

use dyno_sdk::prelude::*;

use crate::{
    cuda::{Gpu, Kernel, Source},
    timer::{Cache, Timer},
};

#[derive(Params)]
pub(crate) struct LaunchParams {
    /// Kernels that are started in an iteration, one behind the other
    #[param(default = 100, min = 1, max = 100_000, unit = "launches")]
    batch: u64,
    /// `hot`: iterations follow each other, and the host's rate of starting counts; `cold`: the device is kept busy before
    /// each iteration, untimed, so that with batch=1 what is left is the kernel itself
    #[param(default = "hot")]
    cache: Cache,
}

/// Starts an empty kernel, over and over
#[benchmark(name = "launch", category = "baseline", hardware = ["cuda"], tags = ["overhead"])]
pub(crate) struct Launch {
    kernel: Kernel,
    batch: u64,
    timer: Timer,
    gpu: Gpu,
}

impl Benchmark for Launch {
    type Params = LaunchParams;

    fn setup(params: LaunchParams, context: &Context) -> Result<Self, Failure> {
        let gpu = Gpu::open(context)?;
        Ok(Self {
            kernel: Kernel::of(&gpu, Source::EMPTY, "empty")?,
            batch: params.batch,
            timer: Timer::new(&gpu, params.cache)?,
            gpu,
        })
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { kernel, batch, timer, gpu } = self;
        let device_ns = timer.time(gpu, iterations, || (0..*batch).try_for_each(|_| kernel.empty(gpu)))?;
        Ok(work(iterations, *batch).device_ns(device_ns))
    }
}

/// A launch is an item.
fn work(iterations: u64, batch: u64) -> Report {
    Report::new().items(iterations as f64 * batch as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_counts_launches() {
        assert_eq!(work(3, 100), Report::new().items(300.0));
    }
}
