//! The scan cache: what was found in a file of that path, size, times and inode. It saves reading, never checking: before a
//! plugin runs, its bytes are read and hashed again.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use super::{
    entry::hash,
    scan_format::{self, Scanned},
    upkeep,
};

/// What the last scan of a set of folders found, by path. Empty when there was none, or none that can be read.
pub(super) fn read(folder: &Path, scanned: &[PathBuf]) -> HashMap<OsString, Scanned> {
    let path = file(folder, scanned);
    let Ok(bytes) = fs::read(&path) else { return HashMap::new() };
    upkeep::touch(&path);
    let files = scan_format::decode(&bytes).unwrap_or_default();
    // Not by path: its hash is that of its parts, which costs several times as much.
    files.into_iter().map(|file| (file.path().as_os_str().to_owned(), file)).collect()
}

/// Keeps what a scan found. A cache that cannot be written costs time at the next scan, nothing else.
pub(super) fn write(files: &[Scanned], folder: &Path, scanned: &[PathBuf]) {
    let write = || -> Result<(), Box<dyn std::error::Error>> {
        fs::create_dir_all(folder)?;
        let path = file(folder, scanned);
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

fn file(folder: &Path, scanned: &[PathBuf]) -> PathBuf {
    let names: Vec<String> = scanned.iter().map(|path| path.display().to_string()).collect();
    folder.join(format!("scan-{}.bin", &hash(names.join("\n").as_bytes())[..16]))
}
