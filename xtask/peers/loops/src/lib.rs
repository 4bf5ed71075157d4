//! The loop itself, as it stands in `noop` of `cpu-kernels`.

use std::hint::black_box;

/// Counts, and does nothing else.
#[inline(never)]
pub fn noop(iterations: u64) {
    for i in 0..iterations {
        black_box(i);
    }
}
