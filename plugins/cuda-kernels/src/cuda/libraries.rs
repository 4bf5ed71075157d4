//! Inside the plugin: finding NVRTC and cuBLAS. A worker has no environment that could say where they are, so the usual
//! folders are tried after the system's loader.

use std::path::{Path, PathBuf};

use cudarc::{cublas, nvrtc};
use dyno_sdk::prelude::*;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// A library of the CUDA toolkit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    /// The run-time compiler.
    Nvrtc,
    /// Linear algebra.
    Cublas,
}

impl Needed {
    fn stem(self) -> &'static str {
        match self {
            Self::Nvrtc => "libnvrtc.so",
            Self::Cublas => "libcublas.so",
        }
    }

    /// Packages that have it.
    fn packages(self) -> &'static str {
        match self {
            Self::Nvrtc => {
                "`cuda-nvrtc-12-*` of NVIDIA's repository, `libnvrtc12` of Debian, or `nvidia-cuda-nvrtc-cu12` of PyPI"
            }
            Self::Cublas => {
                "`libcublas-12-*` of NVIDIA's repository, `libcublas12` of Debian, or `nvidia-cublas-cu12` of PyPI"
            }
        }
    }

    /// Folder below `nvidia/` in Python's site-packages.
    fn python_folder(self) -> &'static str {
        match self {
            Self::Nvrtc => "cuda_nvrtc",
            Self::Cublas => "cublas",
        }
    }

    /// File names, newest first, none newer than the driver: it would not load what that makes.
    fn files(self, driver_major: i32) -> Vec<String> {
        (11..=13)
            .rev()
            .filter(|major| *major <= driver_major)
            .map(|major| format!("{}.{major}", self.stem()))
            .collect()
    }

    fn is_present(self) -> bool {
        match self {
            // SAFETY: as for `open`.
            Self::Nvrtc => unsafe { nvrtc::sys::is_culib_present() },
            // SAFETY: as for `open`.
            Self::Cublas => unsafe { cublas::sys::is_culib_present() },
        }
    }
}

/// Opens the library for good, so that the bindings, which look for it by name, get this very one. `first` is a folder to
/// look into before all others.
pub(super) fn open(needed: Needed, driver_major: i32, first: Option<&Path>) -> Result<(), Failure> {
    let files = needed.files(driver_major);
    let mut folders: Vec<PathBuf> = first.map(Path::to_owned).into_iter().collect();
    let by_loader = files.iter().map(PathBuf::from);
    folders.extend(usual(needed));
    let in_folders = folders.iter().flat_map(|folder| files.iter().map(|file| folder.join(file)));
    let in_folders: Vec<PathBuf> = in_folders.filter(|path| path.is_file()).collect();
    // A folder that was asked for comes before what the loader knows.
    let (before, after) = in_folders.split_at(
        in_folders.iter().take_while(|it| first.is_some_and(|first| it.starts_with(first))).count(),
    );
    for path in before.iter().cloned().chain(by_loader).chain(after.iter().cloned()) {
        // SAFETY: opening a library runs its initialisers; it is the vendor's, and was asked for.
        if let Ok(library) = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_LOCAL) } {
            // Never closed: the bindings keep addresses of its functions.
            std::mem::forget(library);
            break;
        }
    }
    if needed.is_present() { Ok(()) } else { Err(Failure::skipped(absent(needed, &files))) }
}

fn absent(needed: Needed, files: &[String]) -> String {
    let files = if files.is_empty() { needed.stem().to_owned() } else { files.join(" or ") };
    format!(
        "{files} cannot be opened; install {}, and if it lies in an unusual folder, name that folder in \
         /etc/ld.so.conf.d and run `ldconfig`",
        needed.packages()
    )
}

/// Where the toolkit and Python's packages put the library.
fn usual(needed: Needed) -> Vec<PathBuf> {
    let toolkits = usual_folders::beginning(Path::new("/usr/local"), "cuda").into_iter();
    let mut folders: Vec<PathBuf> = toolkits.map(|it| it.join("lib64")).collect();
    folders.push(PathBuf::from("/opt/cuda/lib64"));
    for package in [needed.python_folder(), "cu13"] {
        folders.extend(usual_folders::of_python(&format!("nvidia/{package}/lib")));
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_library_is_newer_than_the_driver() {
        assert_eq!(Needed::Nvrtc.files(12), ["libnvrtc.so.12", "libnvrtc.so.11"]);
        assert_eq!(Needed::Cublas.files(14)[0], "libcublas.so.13");
    }

    #[test]
    fn the_sentence_names_file_and_package() {
        let text = absent(Needed::Cublas, &Needed::Cublas.files(12));
        assert!(text.starts_with("libcublas.so.12 or libcublas.so.11 cannot be opened; install"), "{text}");
        assert!(text.contains("nvidia-cublas-cu12") && text.contains("ldconfig"), "{text}");
    }
}
