//! The folder of the sources, and the one below it that dyno writes to.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::error::BuildError;
use crate::fault::{HostFault, Place};

/// Its name.
pub(super) const NAME: &str = "build";

/// Makes the folder that dyno writes to. Version control ignores it.
pub(super) fn make(output: &Path) -> Result<(), BuildError> {
    let refused = |error: io::Error| {
        HostFault::new(format!("cannot make the folder `{}`", output.display()), &error, Place::Named)
    };
    fs::create_dir_all(output).map_err(refused)?;
    let ignored = output.join(".gitignore");
    if !ignored.exists() {
        fs::write(ignored, "*\n").map_err(refused)?;
    }
    Ok(())
}

/// Writes files that dyno brings along into a folder, which is made where it is missing.
pub(super) fn write_all(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), BuildError> {
    let written = || {
        fs::create_dir_all(folder)?;
        files.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
    };
    written().map_err(|error| {
        HostFault::new(format!("cannot write to `{}`", folder.display()), &error, Place::Named).into()
    })
}

/// The files that lie directly in a folder, by their names.
pub(super) fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}
