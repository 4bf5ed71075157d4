//! Inside the plugin: an error of a CUDA library as a sentence: which call, what was asked for, what the library says,
//! what to do next.

use cudarc::{cublas::result::CublasError, driver::DriverError, nvrtc::result::NvrtcError};
use dyno_sdk::prelude::*;

/// Turns an error of a driver call into a sentence. Only where the driver is there: it is asked for the description.
pub(crate) fn driver(call: &str, asked: impl FnOnce() -> String) -> impl FnOnce(DriverError) -> Failure {
    move |error| {
        let name = format!("{:?}", error.0);
        let description = error.error_string().map(|text| text.to_string_lossy().into_owned());
        Failure::error(sentence(call, &asked(), &name, &description.unwrap_or_default()))
    }
}

/// Turns an error of cuBLAS into a sentence.
pub(super) fn blas(call: &str, asked: impl FnOnce() -> String) -> impl FnOnce(CublasError) -> Failure {
    move |error| Failure::error(sentence(call, &asked(), &format!("{:?}", error.0), ""))
}

/// Turns an error of NVRTC into a sentence.
pub(super) fn nvrtc(call: &str, asked: impl FnOnce() -> String) -> impl FnOnce(NvrtcError) -> Failure {
    move |error| Failure::error(sentence(call, &asked(), &format!("{:?}", error.0), ""))
}

/// The error as a sentence.
fn sentence(call: &str, asked: &str, name: &str, description: &str) -> String {
    let asked = if asked.is_empty() { String::new() } else { format!(" for {asked}") };
    let description = if description.is_empty() { String::new() } else { format!(" ({description})") };
    format!("{call}{asked} failed with {name}{description}: {}", next_step(name))
}

/// The next step after an error.
pub(super) fn next_step(name: &str) -> &'static str {
    match name {
        "CUDA_ERROR_OUT_OF_MEMORY" | "CUBLAS_STATUS_ALLOC_FAILED" | "NVRTC_ERROR_OUT_OF_MEMORY" => {
            "choose smaller parameters, or free memory of the device; `nvidia-smi` shows who holds it"
        }
        "CUDA_ERROR_ILLEGAL_ADDRESS"
        | "CUDA_ERROR_MISALIGNED_ADDRESS"
        | "CUDA_ERROR_ILLEGAL_INSTRUCTION"
        | "CUDA_ERROR_INVALID_PC"
        | "CUDA_ERROR_INVALID_ADDRESS_SPACE"
        | "CUDA_ERROR_HARDWARE_STACK_ERROR"
        | "CUDA_ERROR_LAUNCH_FAILED"
        | "CUDA_ERROR_ASSERT" => {
            "a kernel failed, which ends only this launch; run it under `compute-sanitizer` to see where, \
             and look for Xid lines in the kernel's log"
        }
        "CUDA_ERROR_LAUNCH_TIMEOUT" => {
            "the watchdog of a display ended the kernel; choose smaller parameters or a device without a display"
        }
        "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES" => {
            "the device has too few registers or too little shared memory for this kernel; use another benchmark"
        }
        "CUDA_ERROR_NO_DEVICE" | "CUDA_ERROR_INVALID_DEVICE" | "CUDA_ERROR_DEVICE_UNAVAILABLE" => {
            "the device is gone, hidden or reserved; `nvidia-smi` lists what the driver has"
        }
        "CUDA_ERROR_DEVICE_NOT_LICENSED" => "the virtual GPU has no licence; ask its operator",
        "CUDA_ERROR_ECC_UNCORRECTABLE" | "CUDA_ERROR_NVLINK_UNCORRECTABLE" | "CUDA_ERROR_CONTAINED" => {
            "memory or link of the device is faulty; `nvidia-smi -q -d ECC` shows details, and a reset may help"
        }
        "CUDA_ERROR_NO_BINARY_FOR_GPU" | "CUDA_ERROR_INVALID_PTX" | "CUDA_ERROR_UNSUPPORTED_PTX_VERSION" => {
            "driver and NVRTC do not match; install a newer driver or an older NVRTC"
        }
        "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" | "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE" => {
            "kernel module and driver library are of different versions; reboot, or reload the module"
        }
        "CUDA_ERROR_SYSTEM_NOT_READY" => {
            "a service of the system is not ready; check that `nvidia-fabricmanager` is running"
        }
        "CUDA_ERROR_OPERATING_SYSTEM" | "CUDA_ERROR_NOT_PERMITTED" => {
            "the operating system refused access; check that this user may open /dev/nvidia*"
        }
        "CUDA_ERROR_STUB_LIBRARY" => {
            "libcuda.so is the toolkit's stub; take its folder out of the loader's path"
        }
        "CUBLAS_STATUS_NOT_SUPPORTED" | "CUBLAS_STATUS_ARCH_MISMATCH" => {
            "this device or this cuBLAS does not know the type; choose another dtype"
        }
        "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE" => {
            "libnvrtc-builtins must lie beside libnvrtc; install the package of NVRTC whole"
        }
        _ => "`nvidia-smi` shows the state of the device; look for NVRM and Xid lines in the kernel's log",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_call_size_name_description_and_next_step() {
        assert_eq!(
            sentence(
                "cuMemAllocAsync",
                "4.00 GiB (1.00 GiB are free)",
                "CUDA_ERROR_OUT_OF_MEMORY",
                "out of memory"
            ),
            "cuMemAllocAsync for 4.00 GiB (1.00 GiB are free) failed with CUDA_ERROR_OUT_OF_MEMORY (out of memory): \
             choose smaller parameters, or free memory of the device; `nvidia-smi` shows who holds it"
        );
        assert!(
            sentence("cuInit", "", "CUDA_ERROR_UNKNOWN", "")
                .starts_with("cuInit failed with CUDA_ERROR_UNKNOWN: ")
        );
    }

    #[test]
    fn errors_of_the_libraries_have_the_names_that_the_advice_is_for() {
        use cudarc::{cublas::sys::cublasStatus_t, driver::sys::CUresult, nvrtc::sys::nvrtcResult};
        let names = [
            format!("{:?}", CUresult::CUDA_ERROR_OUT_OF_MEMORY),
            format!("{:?}", CUresult::CUDA_ERROR_ILLEGAL_ADDRESS),
            format!("{:?}", CUresult::CUDA_ERROR_NO_DEVICE),
            format!("{:?}", CUresult::CUDA_ERROR_SYSTEM_DRIVER_MISMATCH),
            format!("{:?}", CUresult::CUDA_ERROR_STUB_LIBRARY),
            format!("{:?}", cublasStatus_t::CUBLAS_STATUS_NOT_SUPPORTED),
            format!("{:?}", nvrtcResult::NVRTC_ERROR_BUILTIN_OPERATION_FAILURE),
        ];
        for name in names {
            assert_ne!(next_step(&name), next_step("anything"), "{name}");
        }
    }
}
