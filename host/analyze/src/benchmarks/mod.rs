//! The detection of benchmarks: a detector for each framework, a file each.

mod asv;
mod code;
mod criterion;
mod detect;
mod divan;
mod draft;
mod evidence;
mod google;
mod google_arguments;
mod gpu;
mod hand_written;
mod module;
mod operations;
mod original;
mod pytest_benchmark;
mod region;
mod setup;
mod timeit;

pub(crate) use detect::{detect, read_elsewhere, sort};
pub(crate) use draft::MOST;
pub(crate) use evidence::names_file;
