//! First-party WebGPU benchmarks: on the plugin's side of the boundary, WGSL kernels on the adapters that Vulkan offers.
//!
//! One file per benchmark and one per shader. What they share: `adapter.rs` says which adapter is meant, `gpu.rs` opens
//! it, `work.rs` records, runs and times iterations. `README.md` says what one iteration of each benchmark is.

mod adapter;
mod check;
mod copy;
mod faults;
mod geometry;
mod gpu;
mod input;
mod matmul_tiled;
mod reduction;
mod softmax;
mod stream_triad;
mod work;

#[cfg(test)]
mod adapter_tests;

use self::{
    copy::Copy, matmul_tiled::MatmulTiled, reduction::Reduction, softmax::Softmax, stream_triad::StreamTriad,
};

dyno_sdk::export_plugin! {
    id: "webgpu-kernels",
    description: "WebGPU benchmarks: memory traffic, a reduction, softmax and a tiled matrix product, in WGSL",
    benchmarks: [Copy, StreamTriad, Reduction, Softmax, MatmulTiled],
}
