//! Which databases this process has open, each once.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use super::error::StoreError;
use crate::user_file::folder_of;

/// The databases that this process has open. DuckDB's lock works only between processes: within one process it would
/// open a file twice, and each side would overwrite what the other wrote.
static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The entry of a file in [`OPEN`], removed when dropped.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    /// The file, open for as long as the database is.
    pub(super) file: OnceLock<File>,
}

impl Claim {
    /// Claims a file for this process.
    ///
    /// # Errors
    /// When this process has it open already.
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        // The file may not be there yet; its folder is, or opening will say so.
        let name = path.file_name().unwrap_or_default();
        let folder = folder_of(path);
        let real = fs::canonicalize(path)
            .or_else(|_| fs::canonicalize(&folder).map(|folder| folder.join(name)))
            .unwrap_or_else(|_| path.to_owned());
        if !OPEN.lock().unwrap_or_else(PoisonError::into_inner).insert(real.clone()) {
            return Err(StoreError::Locked { path: path.to_owned(), holder: "this process".to_owned() });
        }
        Ok(Self { path: real, file: OnceLock::new() })
    }

    /// The file, links followed.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
    }
}
