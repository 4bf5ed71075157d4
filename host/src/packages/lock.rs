//! The lock file of a plugin folder: which packages are installed there, with the hashes of their files. It is written whole or
//! not at all, and only by the process that holds the lock of the folder.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use dyno_core::model::PackageLock;

use super::PackageError;
use crate::{
    catalog::{LOCK, MAX_LOCK_BYTES as MAX_BYTES},
    fault::{HostFault, Place},
    regular_file,
    user_file::lock_folder,
};

/// Longest wait for another process that installs or removes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The exclusive right to change the packages of a folder. The kernel takes it back when this process ends.
#[derive(Debug)]
pub(super) struct Guard {
    folder: PathBuf,
    file: File,
    place: Place,
}

impl Guard {
    /// Waits for the right. Makes the folder if there is none. `place` says what helps if it cannot be used.
    pub(super) fn of(folder: &Path, place: Place) -> Result<Self, PackageError> {
        let refused = |error: io::Error| {
            HostFault::new(format!("cannot use the plugin folder `{}`", folder.display()), &error, place)
        };
        fs::create_dir_all(folder).map_err(refused)?;
        match lock_folder(folder, PATIENCE).map_err(refused)? {
            Some(file) => Ok(Self { folder: folder.to_owned(), file, place }),
            None => Err(PackageError::Name(format!(
                "another process is installing or removing packages in `{}`; try again when it has ended",
                folder.display()
            ))),
        }
    }

    /// Replaces the lock file.
    pub(super) fn write(&self, lock: &PackageLock) -> Result<(), PackageError> {
        let write = || -> io::Result<()> {
            let mut partial = tempfile::Builder::new().prefix(".dyno-lock-").tempfile_in(&self.folder)?;
            partial.write_all(&serde_json::to_vec_pretty(lock)?)?;
            partial.write_all(b"\n")?;
            // Others may read which packages there are.
            let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            partial.as_file().set_permissions(everyone)?;
            partial.as_file().sync_all()?;
            partial.persist(self.folder.join(LOCK))?;
            self.sync()
        };
        write().map_err(|error| {
            let doing = format!("cannot write `{}`", self.folder.join(LOCK).display());
            HostFault::new(doing, &error, self.place).into()
        })
    }

    /// Makes renamed files durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

/// The packages that are installed in a folder; none if there is no lock file.
pub(super) fn read(folder: &Path) -> Result<PackageLock, PackageError> {
    let path = folder.join(LOCK);
    let refused = |why: String| PackageError::Document {
        what: "lock file",
        place: path.display().to_string(),
        why: format!("{why}; restore it, or remove it and install the packages of that folder again"),
    };
    let bytes = match regular_file::read(&path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(PackageLock::empty()),
        Err(error) => return Err(refused(format!("cannot be read: {error}"))),
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refused(format!("has more than {MAX_BYTES} bytes")));
    }
    PackageLock::from_json(&bytes).map_err(refused)
}

pub(super) fn fault(doing: String, error: &io::Error) -> HostFault {
    HostFault::new(doing, error, Place::Packages)
}
