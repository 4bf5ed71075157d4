//! Inside the plugin: `transfer`, between the memory of the host and that of the device.

use dyno_sdk::prelude::*;

use crate::{
    check,
    cuda::{Buffer, Gpu, Pinned},
    input,
    timer::{Cache, Timer},
};

/// Direction of the copy.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Direction {
    H2d,
    D2h,
}

/// Kind of the host's memory.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Memory {
    Pageable,
    Pinned,
}

#[derive(Params)]
pub(crate) struct TransferParams {
    /// Length of the block
    #[param(default = 67_108_864, min = 1, max = 4_294_967_296, unit = "bytes")]
    n: usize,
    /// `h2d` from host to device, `d2h` back
    #[param(default = "h2d")]
    direction: Direction,
    /// Memory of the host: `pageable` goes through a buffer of the driver, `pinned` is reached by the device itself
    #[param(default = "pinned")]
    memory: Memory,
}

/// Copies a block between the host's memory and the device's
#[benchmark(name = "transfer", category = "memory", hardware = ["cuda"], tags = ["bandwidth", "pcie"])]
pub(crate) struct Transfer {
    direction: Direction,
    host: Host,
    device: Buffer<u8>,
    contents: Vec<u8>,
    checksum: u64,
    timer: Timer,
    gpu: Gpu,
}

/// Memory of the host. Nothing of it is let go before the stream has been waited for: every stage waits.
enum Host {
    Pageable(Paged),
    Pinned(Pinned),
}

/// Pageable memory that starts at a page, as pinned memory does: where an allocator puts a block is chance, and the
/// driver's copy of it would be fast or slow by it.
struct Paged {
    block: Vec<u8>,
    start: usize,
}

impl Paged {
    fn new(contents: &[u8]) -> Self {
        const PAGE: usize = 4096;
        let mut block: Vec<u8> = Vec::with_capacity(contents.len() + PAGE);
        let start = block.as_ptr().addr().wrapping_neg() % PAGE;
        block.resize(start, 0);
        block.extend_from_slice(contents);
        Self { block, start }
    }

    fn bytes(&self) -> &[u8] {
        &self.block[self.start..]
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.block[self.start..]
    }
}

impl Host {
    fn bytes(&self) -> Result<&[u8], Failure> {
        match self {
            Self::Pageable(paged) => Ok(paged.bytes()),
            Self::Pinned(pinned) => pinned.bytes(),
        }
    }

    fn bytes_mut(&mut self) -> Result<&mut [u8], Failure> {
        match self {
            Self::Pageable(paged) => Ok(paged.bytes_mut()),
            Self::Pinned(pinned) => pinned.bytes_mut(),
        }
    }
}

impl Benchmark for Transfer {
    type Params = TransferParams;

    fn setup(params: TransferParams, context: &Context) -> Result<Self, Failure> {
        let gpu = Gpu::open(context)?;
        let contents = input::bytes(&mut rng(context.seed()), params.n);
        Ok(Self {
            direction: params.direction,
            host: match params.memory {
                Memory::Pageable => Host::Pageable(Paged::new(&contents)),
                Memory::Pinned => Host::Pinned(Pinned::new(&gpu, &contents)?),
            },
            device: gpu.upload(&contents)?,
            checksum: check::checksum(&contents, u64::from),
            contents,
            // No cache is in the way of a transfer.
            timer: Timer::new(&gpu, Cache::Hot)?,
            gpu,
        })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        match self.direction {
            Direction::H2d => {
                self.gpu.poison(&mut self.device)?;
                self.execute(1)?;
                check::same(
                    "the device's copy",
                    &self.gpu.download(&self.device)?,
                    self.contents.iter().copied(),
                )
            }
            Direction::D2h => {
                self.host.bytes_mut()?.fill(0xff);
                self.execute(1)?;
                check::same("the host's copy", self.host.bytes()?, self.contents.iter().copied())
            }
        }
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { direction, host, device, checksum, timer, gpu, .. } = self;
        let device_ns = timer.time(gpu, iterations, || match (*direction, &mut *host) {
            (Direction::H2d, Host::Pageable(paged)) => gpu.write(paged.bytes(), device),
            (Direction::H2d, Host::Pinned(pinned)) => pinned.write(gpu, device),
            (Direction::D2h, Host::Pageable(paged)) => gpu.read(device, paged.bytes_mut()),
            (Direction::D2h, Host::Pinned(pinned)) => pinned.read(gpu, device),
        })?;
        Ok(work(iterations, device.len()).device_ns(device_ns).checksum(*checksum))
    }
}

/// A byte that crosses counts once: what is measured is the way between, not memory.
fn work(iterations: u64, bytes: usize) -> Report {
    let all = iterations as f64 * bytes as f64;
    Report::new().items(all).bytes(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pageable_memory_starts_at_a_page_and_holds_what_it_was_given() {
        for length in [0, 1, 4096, 100_000] {
            let contents = vec![7; length];
            let paged = Paged::new(&contents);
            assert_eq!(paged.bytes(), contents);
            assert_eq!(paged.bytes().as_ptr().addr() % 4096, 0);
        }
    }

    #[test]
    fn the_report_counts_every_byte_once() {
        assert_eq!(work(3, 10), Report::new().items(30.0).bytes(30.0));
    }
}
