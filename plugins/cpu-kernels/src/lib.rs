//! First-party CPU benchmarks: on the plugin's side of the boundary, one source for native and WASM.
//!
//! One file per benchmark; the work is a plain function there, and the check of its output another one that takes
//! the output as an argument, so that tests can hand it a wrong one. `README.md` says what one iteration of each is.

#[cfg(any(test, target_family = "wasm"))]
mod blocked_product;
mod buffers;
mod check;
mod compress;
mod conv2d;
mod fft;
mod gemm;
mod hash;
mod input;
mod json_parse;
mod layernorm;
mod matmul_naive;
mod memcpy;
mod noop;
mod real;
mod records;
mod simd;
mod softmax;
mod sort;
mod spmv;
mod stream_triad;
mod team;

use self::{
    compress::Compress, conv2d::Conv2d, fft::Fft, gemm::Gemm, hash::Hash, json_parse::JsonParse,
    layernorm::LayerNorm, matmul_naive::MatmulNaive, memcpy::Memcpy, noop::Noop, softmax::Softmax,
    sort::Sort, spmv::Spmv, stream_triad::StreamTriad,
};

dyno_sdk::export_plugin! {
    id: "cpu-kernels",
    description: "CPU benchmarks: memory, arithmetic, linear algebra, neural-network layers, data processing",
    benchmarks: [
        Noop, StreamTriad, Memcpy, Gemm, MatmulNaive, Fft, Conv2d, Softmax, LayerNorm, Spmv, Sort, Hash, JsonParse,
        Compress,
    ],
}

#[cfg(test)]
mod tests {
    use dyno_sdk::{Benchmark, Params, testing};

    use super::*;

    /// Every stage with the default parameters, twice: equal seeds make equal work, and work grows with iterations.
    fn defaults<B: Benchmark>() {
        let run = |iterations| testing::run::<B>(B::Params::defaults(), iterations).unwrap();
        let twice = run(2);
        assert_eq!(twice, run(2), "{}", B::NAME);
        assert_ne!(twice.checksum(0), run(3).checksum(0), "{}", B::NAME);
        assert_ne!(twice, twice.checksum(0), "{} has no checksum", B::NAME);
    }

    #[test]
    fn the_defaults_of_every_benchmark_pass_their_own_verification() {
        defaults::<Noop>();
        defaults::<StreamTriad>();
        defaults::<Memcpy>();
        defaults::<Gemm>();
        defaults::<MatmulNaive>();
        defaults::<Fft>();
        defaults::<Conv2d>();
        defaults::<Softmax>();
        defaults::<LayerNorm>();
        defaults::<Spmv>();
        defaults::<Sort>();
        defaults::<Hash>();
        defaults::<JsonParse>();
        defaults::<Compress>();
    }
}
