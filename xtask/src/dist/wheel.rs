//! The release as a Python wheel: one `pip install` brings the programs and the client.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::parts::{c_library, copy, copy_folder, emptied, uses};
use crate::{
    failure::{Failure, Outcome},
    process::{self, say},
    project::Project,
};

/// Makes the wheel from a release folder. `None`, with a sentence, where Python cannot.
pub(super) fn make(project: &Project, release: &Path, dist: &Path) -> Outcome<Option<PathBuf>> {
    if !process::succeeds(Command::new("python3").args(["-m", "pip", "--version"])) {
        println!("    no wheel: there is no python3 with pip on this machine");
        return Ok(None);
    }
    say("making a wheel of it");
    let folder = emptied(&dist.join("wheel"))?;
    let packaging = project.root.join("xtask/packaging");
    copy(&packaging.join("setup.py"), &folder.join("setup.py"))?;
    copy(&packaging.join("dyno"), &folder.join("dyno"))?;
    copy_folder(release, &folder.join("release"))?;
    copy_folder(&project.root.join("sdk/python/src/dyno_client"), &folder.join("client/dyno_client"))?;
    let made = emptied(&dist.join("made"))?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--wheel-dir"]);
    pip.arg(&made).arg(format!("--config-settings=--build-option=--plat-name={}", platform()?)).arg(".");
    process::run(pip.current_dir(&folder).env("DYNO_VERSION", &project.metadata.version))
        .map_err(|failure| failure.next("it needs setuptools, from PyPI or a mirror of it"))?;
    let wheel = fs::read_dir(&made)
        .map_err(|error| Failure::file("read the folder", &made, &error))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"))
        .ok_or_else(|| Failure::new("pip made no wheel"))?;
    let place = dist.join(wheel.file_name().unwrap_or_default());
    fs::rename(&wheel, &place).map_err(|error| Failure::file("move", &wheel, &error))?;
    for done in [&folder, &made] {
        fs::remove_dir_all(done).map_err(|error| Failure::file("remove", done, &error))?;
    }
    check(&place, &dist.join("check-wheel"))?;
    Ok(Some(place))
}

/// What the wheel runs on: a system with the C library of this one, or a newer one.
fn platform() -> Outcome<String> {
    Ok(format!("manylinux_{}_{}", c_library()?.replace('.', "_"), std::env::consts::ARCH))
}

/// Installs it in an empty environment, and uses it there.
fn check(wheel: &Path, folder: &Path) -> Outcome<()> {
    say("installing the wheel in an empty environment, and running it there");
    let environment = emptied(folder)?;
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let bin = environment.join("bin");
    let mut pip = Command::new(bin.join("pip"));
    process::run(pip.args(["install", "--quiet", "--disable-pip-version-check"]).arg(wheel))?;
    process::run(Command::new(bin.join("python")).args(["-c", "import dyno_client"]))?;
    uses(&bin.join("dyno"), &environment.join("lib/dyno"), &environment)?;
    fs::remove_dir_all(folder).map_err(|error| Failure::file("remove", folder, &error))
}
