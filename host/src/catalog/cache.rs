//! The scan cache: what was found in a file of that path, size, modification time and inode. It saves reading, never
//! checking: before a plugin runs, its bytes are read and hashed again.

use std::{
    collections::HashMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    entry::{Entry, Problem, Stamp, hash},
    upkeep,
};

/// Changes whenever the same bytes could be described differently: also with every version of dyno.
const VERSION: &str = concat!("2/", env!("CARGO_PKG_VERSION"));

/// What a scan found, by path.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ScanCache {
    version: String,
    pub(super) files: HashMap<PathBuf, (Stamp, Result<Entry, Problem>)>,
}

impl ScanCache {
    /// The cache of a set of folders; empty when there is none, or none that can be used.
    pub(super) fn read(folder: &Path, scanned: &[PathBuf]) -> Self {
        let empty = Self { version: VERSION.to_owned(), files: HashMap::new() };
        let path = file(folder, scanned);
        let Ok(bytes) = fs::read(&path) else { return empty };
        upkeep::touch(&path);
        serde_json::from_slice::<Self>(&bytes).ok().filter(|cache| cache.version == VERSION).unwrap_or(empty)
    }

    /// Writes the cache. One that cannot be written costs time at the next scan, nothing else.
    pub(super) fn write(&self, folder: &Path, scanned: &[PathBuf]) {
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut partial = tempfile::NamedTempFile::new_in(folder)?;
            partial.write_all(&serde_json::to_vec(self)?)?;
            partial.persist(file(folder, scanned))?;
            Ok(())
        };
        let _ = write();
        upkeep::prune_scans(folder);
    }

    pub(super) fn new(files: HashMap<PathBuf, (Stamp, Result<Entry, Problem>)>) -> Self {
        Self { version: VERSION.to_owned(), files }
    }
}

fn file(folder: &Path, scanned: &[PathBuf]) -> PathBuf {
    let names: Vec<String> = scanned.iter().map(|path| path.display().to_string()).collect();
    folder.join(format!("scan-{}.json", &hash(names.join("\n").as_bytes())[..16]))
}
