//! A hidden folder beside a database, for files that may take its place: on one file system, a rename moves no bytes.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use nix::libc;
use tempfile::TempDir;

use crate::{
    fault::{HostFault, Place, free_bytes},
    user_file::folder_of,
};

/// Free space that must be left on the disk beside what is written [bytes]. If DuckDB finds a disk full while it folds its log, it
/// refuses every further statement.
const LEAST_ROOM: u64 = 64 << 20;

/// A folder that is removed when it is dropped. What a killed process left is removed by the next [`Beside::new`] or [`sweep`].
#[derive(Debug)]
pub(super) struct Beside {
    folder: TempDir,
    /// Locked, which shows other processes that the folder is in use.
    _lock: File,
}

impl Beside {
    /// A new folder with room for so many bytes.
    ///
    /// # Errors
    /// When the folder cannot be made, or the disk has less room.
    pub(super) fn new(database: &Path, bytes: u64) -> Result<Self, HostFault> {
        sweep(database);
        let above = folder_of(database);
        let doing = || format!("cannot make a copy in `{}`", above.display());
        let fault = |error: io::Error| HostFault::new(doing(), &error, Place::Machine);
        let needed = bytes.saturating_add(LEAST_ROOM);
        if free_bytes(&above).is_some_and(|free| free < needed) {
            return Err(fault(io::Error::from_raw_os_error(libc::ENOSPC)));
        }
        let folder = tempfile::Builder::new().prefix(&prefix(database)).tempdir_in(&above).map_err(fault)?;
        let lock = File::open(folder.path()).map_err(fault)?;
        lock.try_lock().map_err(|error| fault(error.into()))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where the copy is to be.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("copy.duckdb")
    }
}

/// Removes what killed processes left beside a database.
pub(super) fn sweep(database: &Path) {
    let prefix = prefix(database);
    let Ok(entries) = fs::read_dir(folder_of(database)) else { return };
    for entry in entries.flatten() {
        let is_one = entry.file_name().to_string_lossy().starts_with(&prefix);
        if is_one && File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok()) {
            // Space is lost by what stays, and nothing else.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn prefix(database: &Path) -> String {
    format!(".{}.copy-", database.file_name().unwrap_or_default().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_stays_and_what_was_left_goes() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("d.duckdb");
        let used = Beside::new(&database, 0).unwrap();
        let left = folder.path().join(".d.duckdb.copy-left");
        let other = folder.path().join(".e.duckdb.copy-other");
        for folder in [&left, &other] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("copy.duckdb"), "x").unwrap();
        }
        sweep(&database);
        assert!(used.folder.path().is_dir() && other.is_dir() && !left.exists());
        drop(used);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_copy_for_which_there_is_no_room_is_not_begun() {
        let folder = tempfile::tempdir().unwrap();
        let said = Beside::new(&folder.path().join("d.duckdb"), u64::MAX / 2).unwrap_err().to_string();
        assert!(said.contains("no space is left") && said.contains("free some space"), "{said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
