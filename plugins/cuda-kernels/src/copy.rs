//! Inside the plugin: `copy`, from one place of the device's memory to another.

use dyno_sdk::prelude::*;

use crate::{
    check,
    cuda::{Buffer, Gpu, Kernel, Source},
    input,
    timer::{Cache, Timer},
};

/// What performs the copy.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Method {
    /// The driver: `cuMemcpyDtoDAsync`.
    Driver,
    /// A kernel of 16-byte loads and stores.
    Kernel,
}

#[derive(Params)]
pub(crate) struct CopyParams {
    /// Length of the block; the default is larger than any cache
    #[param(default = 268_435_456, min = 1, max = 4_294_967_296, unit = "bytes")]
    n: usize,
    /// What copies: `driver` (cuMemcpyDtoDAsync) or `kernel` (16-byte loads and stores)
    #[param(default = "driver")]
    method: Method,
    /// `hot`: iterations follow each other; `cold`: the L2 cache is overwritten before each one, untimed
    #[param(default = "hot")]
    cache: Cache,
}

/// Copies a block inside the device's memory
#[benchmark(name = "copy", category = "memory", hardware = ["cuda"], tags = ["bandwidth"])]
pub(crate) struct Copy {
    kernel: Option<Kernel>,
    from: Buffer<u8>,
    to: Buffer<u8>,
    contents: Vec<u8>,
    checksum: u64,
    timer: Timer,
    gpu: Gpu,
}

impl Benchmark for Copy {
    type Params = CopyParams;

    fn setup(params: CopyParams, context: &Context) -> Result<Self, Failure> {
        let gpu = Gpu::open(context)?;
        let contents = input::bytes(&mut rng(context.seed()), params.n);
        let kernel = match params.method {
            Method::Driver => None,
            Method::Kernel => Some(Kernel::of(&gpu, Source::COPY, "copy")?),
        };
        Ok(Self {
            kernel,
            from: gpu.upload(&contents)?,
            to: gpu.output(params.n)?,
            checksum: check::checksum(&contents, u64::from),
            contents,
            timer: Timer::new(&gpu, params.cache)?,
            gpu,
        })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.gpu.poison(&mut self.to)?;
        self.execute(1)?;
        check::same("the copy", &self.gpu.download(&self.to)?, self.contents.iter().copied())
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { kernel, from, to, checksum, timer, gpu, .. } = self;
        let device_ns = timer.time(gpu, iterations, || match kernel {
            None => gpu.copy(from, to),
            Some(kernel) => kernel.copy(gpu, from, to),
        })?;
        Ok(work(iterations, from.len()).device_ns(device_ns).checksum(*checksum))
    }
}

/// Every byte is read once and written once.
fn work(iterations: u64, bytes: usize) -> Report {
    let all = iterations as f64 * bytes as f64;
    Report::new().items(all).bytes(2.0 * all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_counts_reading_and_writing() {
        assert_eq!(work(3, 10), Report::new().items(30.0).bytes(60.0));
    }
}
