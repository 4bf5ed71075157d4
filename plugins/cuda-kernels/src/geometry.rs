//! Inside the plugin: how many blocks a kernel is started with, and what a block has room for. The grid has one dimension, for only that one reaches
//! beyond 65535 blocks.

use dyno_sdk::prelude::*;

/// Threads of a block, where a kernel does not say otherwise. A power of two: sums of a block halve it.
pub(crate) const BLOCK: u32 = 256;

/// Most bins: as many as a block has room for in every device's shared memory, with several blocks at a time. The kernel
/// gets it as a macro.
pub(crate) const MAX_BINS: u32 = 4096;

/// Most blocks that a grid can have along its first dimension.
const MAX_BLOCKS: u64 = (1 << 31) - 1;

/// Blocks per multiprocessor of kernels whose threads go on until all elements are done: enough to fill every one
/// (2048 threads are 8 blocks), four times over, so that the last ones to finish are few.
const BLOCKS_PER_MULTIPROCESSOR: u64 = 32;

/// Blocks for `n` elements, one per thread and turn, on a device with so many multiprocessors.
pub(crate) fn striding(n: usize, multiprocessors: u32) -> u32 {
    let most = u64::from(multiprocessors.max(1)) * BLOCKS_PER_MULTIPROCESSOR;
    let needed = (n as u64).div_ceil(u64::from(BLOCK)).max(1);
    // Bounded by `most`, which is far below the limit.
    needed.min(most).min(MAX_BLOCKS) as u32
}

/// Blocks for a matrix cut into square tiles.
pub(crate) fn tiles(rows: usize, columns: usize, tile: usize) -> Result<u32, Failure> {
    let blocks = rows.div_ceil(tile) as u64 * columns.div_ceil(tile) as u64;
    blocks_of(blocks)
}

/// One block per row.
pub(crate) fn rows(rows: usize) -> Result<u32, Failure> {
    blocks_of(rows as u64)
}

fn blocks_of(blocks: u64) -> Result<u32, Failure> {
    if blocks > MAX_BLOCKS {
        return Err(Failure::error(format!(
            "{blocks} blocks are more than the {MAX_BLOCKS} of a grid; choose smaller parameters"
        )));
    }
    Ok(blocks as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn striding_covers_small_arrays_and_bounds_large_ones() {
        assert_eq!(striding(0, 100), 1);
        assert_eq!(striding(1, 100), 1);
        assert_eq!(striding(256, 100), 1);
        assert_eq!(striding(257, 100), 2);
        assert_eq!(striding(1 << 40, 100), 3200);
        assert_eq!(striding(1 << 40, 0), 32);
    }

    #[test]
    fn tiles_cover_what_is_no_multiple_of_them() {
        assert_eq!(tiles(1, 1, 64).unwrap(), 1);
        assert_eq!(tiles(65, 64, 64).unwrap(), 2);
        assert_eq!(tiles(65, 129, 64).unwrap(), 6);
        assert!(tiles(1 << 24, 1 << 24, 64).unwrap_err().message().contains("smaller parameters"));
    }

    #[test]
    fn a_block_can_be_halved_down_to_one_thread() {
        assert!(BLOCK.is_power_of_two());
    }
}
