//! NVIDIA's run-time compiler for device code, as published on PyPI: it needs no GPU, so that tests can compile the
//! kernels of `cuda-kernels` on any machine. The product never uses this copy.

use std::path::PathBuf;

use super::pypi::{Build, Wheel};
use crate::project::Project;

const NVRTC: Wheel = Wheel {
    name: "NVRTC",
    package: "nvidia-cuda-nvrtc-cu12",
    version: "12.9.86",
    about: "about 90 MB, only for tests",
    builds: &[
        Build {
            os: "linux",
            arch: "x86_64",
            python: "py3-none",
            platform: "manylinux2010_x86_64.manylinux_2_12_x86_64",
            sha256: Some("210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4"),
        },
        Build {
            os: "linux",
            arch: "aarch64",
            python: "py3-none",
            platform: "manylinux2014_aarch64.manylinux_2_17_aarch64",
            sha256: None,
        },
    ],
    // The compiler, and what it opens by itself.
    files: &["nvidia/cuda_nvrtc/lib/libnvrtc.so.12", "nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.12.9"],
    licences: &[
        "nvidia_cuda_nvrtc_cu12-12.9.86.dist-info/License.txt",
        "nvidia_cuda_nvrtc_cu12-12.9.86.dist-info/licenses/License.txt",
    ],
};

/// The folder of the compiler, which is fetched where it is missing. `None`, with a sentence, where it cannot be had.
pub(super) fn find_or_obtain(project: &Project) -> Option<PathBuf> {
    let folder = project.root.join(".tools").join("nvrtc");
    match NVRTC.obtain(&folder) {
        Ok(()) => Some(folder),
        Err(failure) => {
            println!("{failure}");
            println!("    without NVRTC, tests do not compile the device code of cuda-kernels, and say so");
            None
        }
    }
}
