//! The scan cache: what was found in a file of that path, size, times and inode. It saves reading, never checking: before a
//! plugin runs, its bytes are read and hashed again.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    io::{Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{
    entry::hash,
    scan_format::{self, Scanned},
    upkeep,
};
use crate::trust::TrustStore;

/// What the last scan of a set of folders found, by path. Empty when there was none, or none that can be read.
pub(super) fn read(folder: &Path, scanned: &[PathBuf], trust: &TrustStore) -> HashMap<OsString, Scanned> {
    let path = file(folder, scanned, trust);
    let Some(bytes) = own(&path) else { return HashMap::new() };
    upkeep::touch(&path);
    let files = scan_format::decode(&bytes).unwrap_or_default();
    // Not by path: its hash is that of its parts, which costs several times as much.
    files.into_iter().map(|file| (file.path().as_os_str().to_owned(), file)).collect()
}

/// Keeps what a scan found. A cache that cannot be written costs time at the next scan, nothing else.
pub(super) fn write(files: &[Scanned], folder: &Path, scanned: &[PathBuf], trust: &TrustStore) {
    let write = || -> Result<(), Box<dyn std::error::Error>> {
        fs::create_dir_all(folder)?;
        let path = file(folder, scanned, trust);
        let mut partial = tempfile::NamedTempFile::new_in(folder)?;
        partial.write_all(&scan_format::encode(files)?)?;
        partial.persist(&path)?;
        // What earlier versions of dyno kept of the same folders.
        let _ = fs::remove_file(path.with_extension("json"));
        Ok(())
    };
    let _ = write();
    upkeep::prune_scans(folder);
}

/// The bytes of a file of this user: what others put there says nothing, neither of signatures nor of anything else.
fn own(path: &Path) -> Option<Vec<u8>> {
    let mut file = fs::File::open(path).ok()?;
    let is_own = file.metadata().is_ok_and(|about| about.uid() == nix::unistd::geteuid().as_raw());
    let mut bytes = Vec::new();
    (is_own && file.read_to_end(&mut bytes).is_ok()).then_some(bytes)
}

/// Another trust store has another file: what it admits differs.
fn file(folder: &Path, scanned: &[PathBuf], trust: &TrustStore) -> PathBuf {
    let mut names: Vec<String> = scanned.iter().map(|path| path.display().to_string()).collect();
    if *trust != TrustStore::default() {
        // No path contains a zero.
        names.push(format!("\0{trust:?}"));
    }
    folder.join(format!("scan-{}.bin", &hash(names.join("\n").as_bytes())[..16]))
}
