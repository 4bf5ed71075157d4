//! The detection of benchmarks: a detector for each framework, a file each.

mod asv;
mod code;
mod criterion;
mod detect;
mod divan;
mod draft;
mod google;
mod gpu;
mod hand_written;
mod original;
mod pytest_benchmark;
mod region;
mod timeit;

pub(crate) use detect::detect;
pub(crate) use draft::MOST;
