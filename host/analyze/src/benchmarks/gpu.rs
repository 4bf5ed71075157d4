//! Whether a piece of source gives work to a GPU, and whether it waits for it.

use super::operations;
use crate::{
    facts::LanguageId,
    scan::{self, first_of},
};

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

const PYTHON_WAITS: [&str; 6] =
    ["synchronize(", "block_until_ready", ".item()", ".cpu()", ".tolist()", ".numpy()"];
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

fn work(language: LanguageId) -> &'static [&'static str] {
    match language {
        LanguageId::Python => &PYTHON_WORK,
        LanguageId::Rust => &RUST_WORK,
        LanguageId::C | LanguageId::Cpp | LanguageId::Cuda => &C_WORK,
    }
}

fn waits(language: LanguageId) -> &'static [&'static str] {
    match language {
        LanguageId::Python => &PYTHON_WAITS,
        LanguageId::Rust => &RUST_WAITS,
        LanguageId::C | LanguageId::Cpp | LanguageId::Cuda => &C_WAITS,
    }
}

/// Whether a GPU is given work.
pub(super) fn used(text: &[u8], language: LanguageId) -> bool {
    first_of(text, work(language)).is_some()
}

/// Whether the program waits for it.
pub(super) fn synchronises(text: &[u8], language: LanguageId) -> bool {
    first_of(text, waits(language)).is_some()
}

/// Calls of Python that give a GPU no work: what follows the wait for it.
const PYTHON_HOST: [&str; 30] = [
    "append",
    "extend",
    "info",
    "debug",
    "warning",
    "error",
    "log",
    "write",
    "flush",
    "update",
    "format",
    "join",
    "str",
    "int",
    "float",
    "round",
    "mean",
    "sum",
    "min",
    "max",
    "sorted",
    "perf_counter",
    "perf_counter_ns",
    "time",
    "monotonic",
    "record",
    "set_description",
    "collect",
    "empty_cache",
    "close",
];

/// Whether a timed region waits for the last work that it gives to the GPU. A wait before the work, so that nothing
/// older is measured, is not the wait for it.
pub(super) fn waits_at_the_end(code: &[u8], language: LanguageId, launches: &[usize]) -> bool {
    let Some(wait) =
        waits(language).iter().filter_map(|name| memchr::memmem::rfind(code, name.as_bytes())).max()
    else {
        return false;
    };
    let after = |at: usize| at > wait;
    match language {
        LanguageId::Python => {
            let calls = scan::calls(code);
            let works = |name: &[u8]| {
                !PYTHON_HOST.iter().any(|host| host.as_bytes() == name)
                    && !PYTHON_WAITS
                        .iter()
                        .any(|wait| scan::has(wait.as_bytes(), &String::from_utf8_lossy(name)))
            };
            // The bracket of the wait itself stands behind its beginning.
            let mut behind = calls.iter().filter(|call| after(call.0) && works(call.1));
            let operations = operations::operations(code);
            let before = calls.iter().any(|call| !after(call.0) && works(call.1))
                || operations.iter().any(|one| !after(one.at));
            let multiplies = operations.iter().any(|one| after(one.at) && (one.operator == b'@' || !before));
            behind.next().is_none() && !multiplies
        }
        _ => {
            let last =
                work(language).iter().filter_map(|name| memchr::memmem::rfind(code, name.as_bytes())).max();
            !last.into_iter().chain(launches.iter().copied()).any(after)
        }
    }
}
