//! What every form of the release needs: copies of files, empty folders, and a trial of the result.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    failure::{Failure, Outcome},
    process,
    project::make_folder,
};

pub(super) fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::copy(from, to).map_err(|error| Failure::file("copy", from, &error))?;
    Ok(())
}

pub(super) fn copy_folder(from: &Path, to: &Path) -> Outcome<()> {
    make_folder(to)?;
    let refused = |error| Failure::file("read the folder", from, &error);
    let paths: Result<Vec<PathBuf>, _> =
        fs::read_dir(from).map_err(refused)?.map(|entry| entry.map(|entry| entry.path())).collect();
    for path in paths.map_err(refused)? {
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            copy(&path, &target)?;
        }
    }
    Ok(())
}

/// A folder with nothing in it.
pub(super) fn emptied(folder: &Path) -> Outcome<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| Failure::file("remove", folder, &error))?;
    }
    make_folder(folder)?;
    Ok(folder.to_owned())
}

/// Uses an installed `dyno` as its owner would: a run, and a plugin of one's own. `release` is where its files lie, `beside` a
/// folder that can be written to.
pub(super) fn uses(dyno: &Path, release: &Path, beside: &Path) -> Outcome<()> {
    let work = emptied(&beside.join("work"))?;
    let command = |arguments: &[&str]| {
        let mut command = Command::new(dyno);
        command.args(arguments).current_dir(&work).env_clear().env("HOME", &work);
        // For the compiler of the new plugin.
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    };
    // Only a run needs the worker and DuckDB's library.
    let mut run = command(&["run", "cpu-kernels/noop", "--samples", "1", "--launches", "1", "--plugins"]);
    process::run(run.arg(release.join("plugins")))?;
    process::run(&mut command(&["new", "mine", "--lang", "c"]))?;
    process::run(&mut command(&["build", "mine", "--no-check"]))?;
    // The SDK that is installed along with it is found.
    let wrote = process::output(&mut command(&["new", "rusty", "--lang", "rust"]))?;
    let sdk = fs::canonicalize(release.join("sdk/rust"))
        .map_err(|error| Failure::file("find", &release.join("sdk/rust"), &error))?;
    if !wrote.contains(&format!("takes dyno-sdk from {}", sdk.display())) {
        return Err(Failure::new(format!("`dyno new` did not find the SDK in {}: {wrote}", sdk.display())));
    }
    fs::remove_dir_all(&work).map_err(|error| Failure::file("remove", &work, &error))
}

/// The version of this machine's C library: what is built here runs with it, or with a newer one. // eg: "2.36"
pub(super) fn c_library() -> Outcome<String> {
    let library = process::output(Command::new("getconf").arg("GNU_LIBC_VERSION"))?;
    Ok(library.rsplit(' ').next().unwrap_or_default().to_owned())
}
