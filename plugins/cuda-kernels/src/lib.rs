//! First-party CUDA benchmarks: on the plugin's side of the boundary, native only.
//!
//! One file per benchmark; device code stands in `kernels/` and is compiled when a case is set up, for the device it
//! runs on. Everything that meets a foreign library is in `cuda/`; what can be computed without a device (references,
//! tolerances, geometry, work, sentences) is in plain functions with tests that run anywhere. `README.md` says what
//! one iteration of each benchmark is.

#![cfg_attr(test, allow(clippy::print_stderr, reason = "a test that is skipped says why"))]

mod check;
mod copy;
mod cuda;
#[cfg(test)]
mod emulation;
mod gemm;
mod gemm_cublas;
mod geometry;
mod histogram;
mod input;
mod launch;
mod layernorm;
mod real;
mod reduction;
mod reference;
mod softmax;
mod stream_triad;
mod timer;
mod transfer;
mod transpose;

use self::{
    copy::Copy,
    gemm::{GemmNaive, GemmTiled},
    gemm_cublas::GemmCublas,
    histogram::Histogram,
    launch::Launch,
    layernorm::LayerNorm,
    reduction::Reduction,
    softmax::Softmax,
    stream_triad::StreamTriad,
    transfer::Transfer,
    transpose::Transpose,
};

dyno_sdk::export_plugin! {
    id: "cuda-kernels",
    description: "CUDA benchmarks: memory, linear algebra, neural-network layers, atomics, transfers, launches",
    benchmarks: [
        Copy, StreamTriad, Reduction, Softmax, LayerNorm, Transpose, GemmNaive, GemmTiled, GemmCublas, Launch, Transfer,
        Histogram,
    ],
    // NVRTC and cuBLAS of Python's packages.
    capabilities: ["read:~/.local/lib"],
}

#[cfg(test)]
mod tests {
    use dyno_sdk::{Benchmark, Params, testing};

    use super::*;

    /// Every stage with the default parameters where there is a device; a skip with a sentence elsewhere.
    fn defaults<B: Benchmark>() {
        match testing::run::<B>(B::Params::defaults(), 2) {
            Ok(report) => assert_ne!(report, dyno_sdk::Report::new(), "{}", B::NAME),
            Err(failure) => {
                assert!(failure.is_skipped(), "{}: {failure}", B::NAME);
                assert!(failure.message().len() > 40, "{failure}");
                eprintln!("{} was not run: {failure}", B::NAME);
            }
        }
    }

    #[test]
    fn every_benchmark_completes_or_is_skipped_with_a_sentence() {
        defaults::<Copy>();
        defaults::<StreamTriad>();
        defaults::<Reduction>();
        defaults::<Softmax>();
        defaults::<LayerNorm>();
        defaults::<Transpose>();
        defaults::<GemmNaive>();
        defaults::<GemmTiled>();
        defaults::<GemmCublas>();
        defaults::<Launch>();
        defaults::<Transfer>();
        defaults::<Histogram>();
    }
}
