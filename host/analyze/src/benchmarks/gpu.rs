//! Whether a piece of source gives work to a GPU, and whether it waits for it.

use crate::{facts::LanguageId, scan::first_of};

const PYTHON_WORK: [&str; 12] = [
    ".cuda()",
    "\"cuda",
    "'cuda",
    "torch.cuda",
    "cupy",
    "cp.",
    ".to(device",
    "device=device",
    "jax.device_put",
    "numba.cuda",
    "GPUArray",
    "gpuarray",
];
/// Names of CUDA, HIP and their libraries, and the bracket of a launch.
const C_WORK: [&str; 10] = [
    "<<<",
    "cudaLaunch",
    "cudaMemcpyAsync",
    "cublas",
    "cudnn",
    "cufft",
    "hipLaunch",
    "cuLaunchKernel",
    "clEnqueueNDRangeKernel",
    "dispatch_compute",
];
const RUST_WORK: [&str; 5] =
    ["dispatch_workgroups", "queue.submit", "launch_builder", ".launch(", "launch_async"];

const PYTHON_WAITS: [&str; 7] =
    ["synchronize(", "block_until_ready", ".item()", ".cpu()", ".tolist()", "cuda.Event", ".numpy()"];
const C_WAITS: [&str; 8] = [
    "DeviceSynchronize",
    "StreamSynchronize",
    "EventSynchronize",
    "cudaMemcpy(",
    "hipMemcpy(",
    "clFinish",
    "clWaitFor",
    "ThreadSynchronize",
];
const RUST_WAITS: [&str; 6] =
    ["synchronize(", ".poll(", "on_submitted_work_done", "block_on(", "PollType", "Maintain"];

/// Whether a GPU is given work.
pub(super) fn used(text: &[u8], language: LanguageId) -> bool {
    let names: &[&str] = match language {
        LanguageId::Python => &PYTHON_WORK,
        LanguageId::Rust => &RUST_WORK,
        LanguageId::C | LanguageId::Cpp | LanguageId::Cuda => &C_WORK,
    };
    first_of(text, names).is_some()
}

/// Whether the program waits for it.
pub(super) fn synchronises(text: &[u8], language: LanguageId) -> bool {
    let names: &[&str] = match language {
        LanguageId::Python => &PYTHON_WAITS,
        LanguageId::Rust => &RUST_WAITS,
        LanguageId::C | LanguageId::Cpp | LanguageId::Cuda => &C_WAITS,
    };
    first_of(text, names).is_some()
}
