//! NVIDIA's run-time compiler for device code, as published on PyPI: it needs no GPU, so that tests can compile the
//! kernels of `cuda-kernels` on any machine. The product never uses this copy.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use crate::{
    failure::{Failure, Outcome},
    process::{self, say},
    project::{self, Project, make_folder, place, tool_cache},
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
    make_folder(folder)?;
    let name = build.file();
    let kept = tool_cache().map(|cache| cache.join(&name)).filter(|path| path.is_file());
    let archive = match kept {
        Some(kept) => {
            say(&format!("NVRTC {VERSION}: taking the archive kept in {}", kept.display()));
            project::read(&kept)?
        }
        None => download(build, folder)?,
    };
    check(build, &archive)?;
    if let Some(cache) = tool_cache()
        && let Err(failure) = make_folder(&cache).and_then(|()| place(&cache.join(&name), &archive))
    {
        println!("    not kept for the next checkout: {failure}");
    }
    extract(&archive, folder)
}

impl Build {
    fn file(&self) -> String {
        format!("{}-{VERSION}-py3-none-{}.whl", PACKAGE.replace('-', "_"), self.platform)
    }
}

/// Has pip fetch the archive; pip itself compares it with what the index promises.
fn download(build: &Build, folder: &Path) -> Outcome<Vec<u8>> {
    say(&format!("NVRTC: fetching {PACKAGE} {VERSION} from PyPI by pip (about 90 MB, only for tests)"));
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    pip.args(["--only-binary", ":all:", "--dest", "."])
        .arg(format!("{PACKAGE}=={VERSION}"))
        .current_dir(folder);
    process::run(&mut pip)
        .map_err(|failure| failure.next("it needs python3 with pip, and PyPI or a mirror of it"))?;
    let path = folder.join(build.file());
    let archive = project::read(&path)?;
    fs::remove_file(&path).map_err(|error| Failure::file("remove", &path, &error))?;
    Ok(archive)
}

fn check(build: &Build, archive: &[u8]) -> Outcome<()> {
    let found = project::hex(&Sha256::digest(archive));
    match build.sha256 {
        Some(expected) if expected != found => Err(Failure::new(format!(
            "the archive of {PACKAGE} {VERSION} has SHA-256 {found}, expected {expected}: it is not used"
        ))),
        Some(_) => Ok(()),
        None => {
            println!(
                "    nobody has pinned a hash for this system: pip's own check is all there is ({found})"
            );
            Ok(())
        }
    }
}

/// Takes the libraries and their licence out of the archive, which is a zip file: Python reads those.
fn extract(archive: &[u8], folder: &Path) -> Outcome<()> {
    let packed = folder.join("partial.whl");
    place(&packed, archive)?;
    let opened = folder.join("partial");
    make_folder(&opened)?;
    let mut unzip = Command::new("python3");
    process::run(unzip.args(["-m", "zipfile", "-e"]).arg(&packed).arg(&opened))?;
    let libraries = opened.join("nvidia").join("cuda_nvrtc").join("lib");
    let licence = opened.join(format!("{}-{VERSION}.dist-info", PACKAGE.replace('-', "_")));
    let files = FILES.map(|file| (libraries.join(file), folder.join(file)));
    for (from, to) in files {
        fs::rename(&from, &to).map_err(|error| Failure::file("take out of the archive", &from, &error))?;
    }
    // Where it lies in the archive has changed over the years, and nothing depends on it.
    for from in [licence.join("License.txt"), licence.join("licenses").join("License.txt")] {
        if from.is_file() {
            place(&folder.join("LICENSE"), &project::read(&from)?)?;
        }
    }
    fs::remove_dir_all(&opened).map_err(|error| Failure::file("remove", &opened, &error))?;
    fs::remove_file(&packed).map_err(|error| Failure::file("remove", &packed, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_with_another_hash_is_refused() {
        let failure = check(&BUILDS[0], b"something else").unwrap_err().to_string();
        assert!(failure.contains("210cf050") && failure.contains("not used"), "{failure}");
    }

    #[test]
    fn archives_have_the_names_that_pip_gives_them() {
        assert_eq!(
            BUILDS[0].file(),
            "nvidia_cuda_nvrtc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl"
        );
        assert!(BUILDS.iter().all(|build| build.sha256.is_none_or(|hash| hash.len() == 64)));
    }
}
