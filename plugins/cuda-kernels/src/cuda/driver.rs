//! Inside the plugin: whether there is a driver, new enough, with the device of this case. Asked before anything else
//! is called, for the bindings panic where a library or a function is missing.

use cudarc::driver::{
    DriverError, result,
    sys::{self, CUresult},
};
use dyno_sdk::prelude::*;

use super::error;

/// The oldest driver that is good enough, as the driver counts: CUDA 12.0.
const OLDEST: i32 = 12_000;

/// What the file of the driver is called.
const LIBRARY: &str = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };

/// Makes sure that device `index` can be opened. Returns the version of CUDA that the driver speaks: 12040 is 12.4.
pub(super) fn probe(index: u32) -> Result<i32, Failure> {
    // SAFETY: opening the driver's library runs its initialisers, which is what this process is for.
    let is_there = unsafe { sys::is_culib_present() };
    if !is_there {
        return Err(Failure::skipped(missing()));
    }
    let mut version = 0;
    // SAFETY: the library is there, and this function is in every version of it; it writes one integer.
    let answer = unsafe { sys::cuDriverGetVersion(&raw mut version) };
    answer.result().map_err(refused("cuDriverGetVersion"))?;
    if version < OLDEST {
        return Err(Failure::skipped(too_old(version)));
    }
    result::init().map_err(refused("cuInit"))?;
    let count = result::device::get_count().map_err(refused("cuDeviceGetCount"))?;
    if i64::from(index) >= i64::from(count) {
        return Err(Failure::skipped(gone(index, count)));
    }
    Ok(version)
}

/// What is a matter of the machine is a skip; what should not be is an error.
fn refused(call: &'static str) -> impl FnOnce(DriverError) -> Failure {
    move |problem| {
        let is_skip = is_of_the_machine(problem.0);
        let failure = error::driver(call, String::new)(problem);
        if is_skip { Failure::skipped(failure.message()) } else { failure }
    }
}

fn is_of_the_machine(code: CUresult) -> bool {
    matches!(
        code,
        CUresult::CUDA_ERROR_NO_DEVICE
            | CUresult::CUDA_ERROR_INVALID_DEVICE
            | CUresult::CUDA_ERROR_DEVICE_UNAVAILABLE
            | CUresult::CUDA_ERROR_DEVICE_NOT_LICENSED
            | CUresult::CUDA_ERROR_STUB_LIBRARY
            | CUresult::CUDA_ERROR_SYSTEM_NOT_READY
            | CUresult::CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
            | CUresult::CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE
    )
}

fn missing() -> String {
    format!(
        "the NVIDIA driver's library {LIBRARY} cannot be opened; install NVIDIA's driver (525 or newer), or start the \
         container with its devices (`--gpus all`)"
    )
}

fn too_old(version: i32) -> String {
    format!(
        "the NVIDIA driver speaks CUDA {}, and CUDA {} is needed; update the driver to 525 or newer",
        dotted(version),
        dotted(OLDEST)
    )
}

fn gone(index: u32, count: i32) -> String {
    format!(
        "there is no CUDA device {index}: the driver has {count}, counted from 0; it may have been removed or hidden \
         since it was listed, see `nvidia-smi -L`"
    )
}

/// 12040 as 12.4.
pub(super) fn dotted(version: i32) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_what_is_missing_and_what_to_do() {
        assert!(missing().contains(LIBRARY) && missing().contains("install"));
        assert!(too_old(11_080).contains("speaks CUDA 11.8, and CUDA 12.0 is needed; update"));
        assert!(gone(3, 1).contains("no CUDA device 3: the driver has 1"));
        assert_eq!(dotted(12_090), "12.9");
    }

    #[test]
    fn without_a_driver_the_case_is_skipped_and_nothing_panics() {
        match probe(0) {
            Ok(version) => assert!(version >= OLDEST),
            Err(failure) => {
                assert!(failure.is_skipped(), "{failure}");
                eprintln!("no CUDA device here: {failure}");
            }
        }
        let failure = probe(u32::MAX).unwrap_err();
        assert!(failure.is_skipped(), "{failure}");
    }

    #[test]
    fn a_broken_driver_is_a_matter_of_the_machine_and_a_broken_call_is_not() {
        assert!(is_of_the_machine(CUresult::CUDA_ERROR_NO_DEVICE));
        assert!(is_of_the_machine(CUresult::CUDA_ERROR_SYSTEM_DRIVER_MISMATCH));
        assert!(!is_of_the_machine(CUresult::CUDA_ERROR_INVALID_VALUE));
        assert!(!is_of_the_machine(CUresult::CUDA_ERROR_OUT_OF_MEMORY));
    }
}
