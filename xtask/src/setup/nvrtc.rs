//! NVIDIA's run-time compiler for device code, as published on PyPI: it needs no GPU, so that tests can compile the
//! kernels of `cuda-kernels` on any machine. The product never uses this copy.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::archive::{self, PinnedArchive};
use crate::{
    failure::{Failure, Outcome},
    process::{self, say},
    project::{self, Project, place},
};

/// The package and its version.
const PACKAGE: &str = "nvidia-cuda-nvrtc-cu12";
const VERSION: &str = "12.9.86";

/// The archive for a system, with its SHA-256 where somebody has looked at it.
struct Build {
    os: &'static str,
    arch: &'static str,
    platform: &'static str,
    sha256: Option<&'static str>,
}

const BUILDS: [Build; 2] = [
    Build {
        os: "linux",
        arch: "x86_64",
        platform: "manylinux2010_x86_64.manylinux_2_12_x86_64",
        sha256: Some("210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4"),
    },
    Build {
        os: "linux",
        arch: "aarch64",
        platform: "manylinux2014_aarch64.manylinux_2_17_aarch64",
        sha256: None,
    },
];

/// What is taken out of the archive: the compiler, and what it opens by itself.
const FILES: [&str; 2] = ["libnvrtc.so.12", "libnvrtc-builtins.so.12.9"];

/// The folder of the compiler, which is fetched where it is missing. `None`, with a sentence, where it cannot be had.
pub(super) fn find_or_obtain(project: &Project) -> Option<PathBuf> {
    let folder = project.root.join(".tools").join("nvrtc");
    let marker = folder.join("VERSION");
    let present = fs::read_to_string(&marker).is_ok_and(|version| version == VERSION);
    if present && FILES.iter().all(|file| folder.join(file).is_file()) {
        return Some(folder);
    }
    let obtained = obtain(&folder).and_then(|()| place(&marker, VERSION.as_bytes()));
    match obtained {
        Ok(_) => Some(folder),
        Err(failure) => {
            println!("{failure}");
            println!("    without NVRTC, tests do not compile the device code of cuda-kernels, and say so");
            None
        }
    }
}

fn obtain(folder: &Path) -> Outcome<()> {
    let (os, arch) = (env::consts::OS, env::consts::ARCH);
    let build = BUILDS
        .iter()
        .find(|build| build.os == os && build.arch == arch)
        .ok_or_else(|| Failure::new(format!("there is no NVRTC for {os} on {arch}")))?;
    let archive = PinnedArchive {
        name: "NVRTC",
        version: VERSION,
        package: PACKAGE.to_owned(),
        file: build.file(),
        sha256: build.sha256,
    };
    let bytes = archive.bytes(folder, || {
        say(&format!("NVRTC: fetching {PACKAGE} {VERSION} from PyPI by pip (about 90 MB, only for tests)"));
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.args(["--only-binary", ":all:", "--dest", "."])
            .arg(format!("{PACKAGE}=={VERSION}"))
            .current_dir(folder);
        process::run(&mut pip)
            .map_err(|failure| failure.next("it needs python3 with pip, and PyPI or a mirror of it"))
    })?;
    // The archive is a zip file: Python reads those.
    let open = |packed: &Path, inside: &Path| {
        let mut unzip = Command::new("python3");
        unzip.args(["-m", "zipfile", "-e"]).arg(packed).arg(inside);
        unzip
    };
    archive::opened(&bytes, folder, open, |inside| {
        let libraries = inside.join("nvidia").join("cuda_nvrtc").join("lib");
        for file in FILES {
            archive::take_out(&libraries.join(file), &folder.join(file))?;
        }
        let licence = inside.join(format!("{}-{VERSION}.dist-info", PACKAGE.replace('-', "_")));
        // Where it lies in the archive has changed over the years, and nothing depends on it.
        for from in [licence.join("License.txt"), licence.join("licenses").join("License.txt")] {
            if from.is_file() {
                place(&folder.join("LICENSE"), &project::read(&from)?)?;
            }
        }
        Ok(())
    })
}

impl Build {
    fn file(&self) -> String {
        format!("{}-{VERSION}-py3-none-{}.whl", PACKAGE.replace('-', "_"), self.platform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_have_the_names_that_pip_gives_them() {
        assert_eq!(
            BUILDS[0].file(),
            "nvidia_cuda_nvrtc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl"
        );
        assert!(BUILDS.iter().all(|build| build.sha256.is_none_or(|hash| hash.len() == 64)));
    }
}
