//! Inside the plugin: `memcpy`, copying a block of bytes.

use dyno_sdk::prelude::*;

use crate::{buffers::Arrays, check};

#[derive(Params)]
pub(crate) struct MemcpyParams {
    /// Length of the block
    #[param(default = 1_048_576, min = 1, max = 536_870_912, unit = "bytes")]
    n: usize,
}

/// Copies a block: the C library's `memcpy` natively, the instruction `memory.copy` in WASM; half a page apart
#[benchmark(name = "memcpy", category = "memory", hardware = ["cpu"], tags = ["bandwidth"])]
pub(crate) struct Memcpy {
    /// What is copied, and where to.
    blocks: Arrays<u8, 2>,
}

impl Benchmark for Memcpy {
    type Params = MemcpyParams;

    fn setup(params: MemcpyParams, context: &Context) -> Result<Self, Failure> {
        let mut blocks = Arrays::new([params.n; 2]);
        let [from, _] = blocks.all_mut();
        rng(context.seed()).fill(from);
        Ok(Self { blocks })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.execute(1)?;
        let [from, to] = self.blocks.all();
        check(to, from)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let [from, to] = self.blocks.all_mut();
        for _ in 0..iterations {
            black_box(&mut to[..]).copy_from_slice(black_box(&*from));
        }
        black_box(&to);
        let bytes = iterations as f64 * from.len() as f64;
        let checksum = check::spread(to.len(), 8).fold(0, |sum: u64, i| sum << 8 ^ u64::from(to[i]));
        Ok(Report::new().items(bytes).bytes(2.0 * bytes).checksum(checksum))
    }
}

/// Byte by byte, from the end.
fn check(to: &[u8], from: &[u8]) -> Result<(), Failure> {
    match (0..from.len()).rev().find(|&i| to[i] != from[i]) {
        None => Ok(()),
        Some(i) => Err(Failure::error(format!("byte {i} is {}, but {} was copied there", to[i], from[i]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_and_writing_count_both() {
        let report = dyno_sdk::testing::run::<Memcpy>(MemcpyParams { n: 100 }, 3).unwrap();
        assert_eq!(report.checksum(0), Report::new().items(300.0).bytes(600.0));
    }

    #[test]
    fn a_wrong_byte_is_found() {
        let failure = check(&[1, 2, 4], &[1, 2, 3]).unwrap_err();
        assert_eq!(failure.message(), "byte 2 is 4, but 3 was copied there");
    }
}
