//! Files of a plugin folder that belong to no package: the lock file names their bytes, if the operator says so.

use std::{collections::BTreeMap, path::Path};

use dyno_core::model::LockedFile;
use serde::Serialize;
use walkdir::WalkDir;

use super::{
    PackageError,
    lock::{self, Guard},
};
use crate::{
    catalog::{self, PACKAGE_MANIFEST},
    fault::Place,
};

/// How deep files are looked for.
const MAX_DEPTH: usize = 16;
/// Maximum number of files.
const MOST: usize = 100_000;

/// What the lock file of a folder names now, and what is new in it.
#[derive(Debug, Clone, Serialize)]
pub struct LockedFolder {
    /// The folder.
    pub folder: std::path::PathBuf,
    /// Plugins and libraries outside packages.
    pub files: Vec<LockedFile>,
    /// Those that the lock file did not name before.
    pub added: Vec<String>,
    /// Those that it named with other bytes.
    pub changed: Vec<String>,
    /// Those that it named and that are not there any more.
    pub removed: Vec<String>,
}

/// Writes the hashes of the plugins and libraries in a folder into its lock file.
///
/// # Errors
/// When a file cannot be read, there are too many, or the lock file cannot be written.
pub fn lock_folder(folder: &Path) -> Result<LockedFolder, PackageError> {
    if !folder.is_dir() {
        return Err(PackageError::Name(format!(
            "`{}` is not a folder; give a plugin folder",
            folder.display()
        )));
    }
    let guard = Guard::of(folder, Place::LockFile)?;
    let mut lock = lock::read(folder)?;
    let files = found_in(folder)?;
    let before: BTreeMap<String, String> =
        lock.files.drain(..).map(|file| (file.path, file.sha256)).collect();
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for file in &files {
        match before.get(&file.path) {
            None => added.push(file.path.clone()),
            Some(hash) if *hash != file.sha256 => changed.push(file.path.clone()),
            Some(_) => {}
        }
    }
    let removed = before.into_keys().filter(|path| files.iter().all(|file| file.path != *path)).collect();
    lock.files.clone_from(&files);
    guard.write(&lock)?;
    Ok(LockedFolder { folder: folder.to_owned(), files, added, changed, removed })
}

fn found_in(folder: &Path) -> Result<Vec<LockedFile>, PackageError> {
    let is_hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    let walk =
        WalkDir::new(folder).max_depth(MAX_DEPTH).sort_by_file_name().into_iter().filter_entry(|entry| {
            entry.depth() == 0
                || !is_hidden(entry.file_name()) && !entry.path().join(PACKAGE_MANIFEST).is_file()
        });
    let mut files = Vec::new();
    for entry in walk {
        let entry = entry
            .map_err(|error| PackageError::Name(format!("cannot lock `{}`: {error}", folder.display())))?;
        let path = entry.path();
        if !is_code(path) || !path.is_file() {
            continue;
        }
        let refused = |why: String| PackageError::Name(format!("`{}` {why}", path.display()));
        let inside = path.strip_prefix(folder).ok().and_then(Path::to_str);
        let inside = inside.ok_or_else(|| refused("has a name that is not UTF-8; rename it".to_owned()))?;
        let bytes = catalog::read_bytes_of(path).map_err(|problem| refused(problem.message))?;
        files.push(LockedFile {
            path: inside.to_owned(),
            sha256: catalog::hash(&bytes),
            size_bytes: bytes.len() as u64,
        });
        if files.len() > MOST {
            return Err(PackageError::Name(format!("`{}` has more than {MOST} plugins", folder.display())));
        }
    }
    Ok(files)
}

/// Whether a file is a plugin or a library, by its name. // eg: `gemm.so`, `gemm.wasm`, `libacme.so.2`
fn is_code(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    [".so", ".wasm"].iter().any(|end| name.ends_with(end)) || name.contains(".so.")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_in_a_folder_is_named_and_what_changes_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["sub/libx.so.2", "a.wasm", "b.SO", "notes.txt", ".hidden.so", "p@1.0.0/native/p.so"] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), name).unwrap();
        }
        fs::write(at("p@1.0.0").join(PACKAGE_MANIFEST), "{}").unwrap();
        let first = lock_folder(folder.path()).unwrap();
        assert_eq!(first.added, ["a.wasm", "b.SO", "sub/libx.so.2"]);
        assert!(first.changed.is_empty() && first.removed.is_empty());
        fs::write(at("a.wasm"), "other").unwrap();
        fs::remove_file(at("b.SO")).unwrap();
        let second = lock_folder(folder.path()).unwrap();
        assert_eq!((second.added.len(), second.changed.as_slice()), (0, &["a.wasm".to_owned()][..]));
        assert_eq!(second.removed, ["b.SO"]);
        assert_eq!(lock::read(folder.path()).unwrap().files, second.files);
        assert!(lock_folder(&at("notes.txt")).unwrap_err().to_string().contains("is not a folder"));
    }
}
