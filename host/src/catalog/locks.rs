//! Lock files: which bytes a file had when a package was installed, or when `dyno lock` was told to trust what is there.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use dyno_core::model::PackageLock;

use super::{
    entry::Stamp,
    voucher_files::{LOCK, MAX_LOCK_BYTES, package_of, read_voucher},
};
use crate::fault::HostFault;

/// How deep a file lies in the folder whose lock file names it.
const MAX_DEPTH: usize = 16;
/// Stands for the name of a package where a file belongs to none.
const NO_PACKAGE: &str = "";

/// What lock files say of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Locked {
    /// It has these bytes.
    Yes,
    /// No lock file names it.
    Unknown,
    /// The lock file names other bytes.
    Changed(PathBuf),
    /// The lock file cannot be used: it, and why.
    Unusable(PathBuf, String),
}

/// The hashes in a lock file, by package and path; or why it cannot be used.
type Hashes = Result<HashMap<(String, String), Vec<String>>, String>;

/// What lock files say of a file with this hash.
///
/// # Errors
/// When the host lacks a resource to read them.
pub(super) fn locked(path: &Path, sha256: &str) -> Result<Locked, HostFault> {
    let Some((lock, package, inside)) = meant(path) else { return Ok(Locked::Unknown) };
    let Some(hashes) = hashes_in(&lock)? else { return Ok(Locked::Unknown) };
    Ok(match hashes.as_ref() {
        Err(why) => Locked::Unusable(lock, why.clone()),
        Ok(hashes) => match hashes.get(&(package, inside)) {
            None => Locked::Unknown,
            Some(known) if known.iter().any(|hash| hash == sha256) => Locked::Yes,
            Some(_) => Locked::Changed(lock),
        },
    })
}

/// The lock file that would name a file.
pub(super) fn lock_of(path: &Path) -> Option<PathBuf> {
    match package_of(path) {
        Some(package) => Some(package.parent()?.join(LOCK)),
        None => {
            let above = path.ancestors().skip(1).take(MAX_DEPTH).map(|folder| folder.join(LOCK));
            above.into_iter().find(|lock| lock.symlink_metadata().is_ok())
        }
    }
}

/// The lock file that would name a file, the package, and the path in the folder of the package or of the lock file.
fn meant(path: &Path) -> Option<(PathBuf, String, String)> {
    let lock = lock_of(path)?;
    let (folder, package) = match package_of(path) {
        Some(package) => {
            let name = package.file_name()?.to_str()?.to_owned();
            (package, name)
        }
        None => (lock.parent()?.to_owned(), NO_PACKAGE.to_owned()),
    };
    let inside = path.strip_prefix(folder).ok()?.to_str()?.to_owned();
    Some((lock, package, inside))
}

/// The hashes in a lock file; `None` if there is none. A scan asks for each of thousands of files, which one lock file names; so the
/// last one is remembered for as long as it stays the same.
fn hashes_in(lock: &Path) -> Result<Option<Arc<Hashes>>, HostFault> {
    static LAST: Mutex<Option<(PathBuf, Stamp, Arc<Hashes>)>> = Mutex::new(None);
    let Ok(about) = fs::metadata(lock) else { return Ok(None) };
    let stamp = Stamp::of(&about);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((path, known, hashes)) = last.as_ref()
        && (path.as_path(), known) == (lock, &stamp)
    {
        return Ok(Some(Arc::clone(hashes)));
    }
    let Some(read) = read_voucher(lock, MAX_LOCK_BYTES)? else { return Ok(None) };
    let hashes = Arc::new(read.and_then(|bytes| {
        if bytes.len() as u64 > MAX_LOCK_BYTES {
            return Err(format!("has more than {MAX_LOCK_BYTES} bytes"));
        }
        PackageLock::from_json(&bytes).map(hashes_of)
    }));
    *last = Some((lock.to_owned(), stamp, Arc::clone(&hashes)));
    Ok(Some(hashes))
}

fn hashes_of(lock: PackageLock) -> HashMap<(String, String), Vec<String>> {
    let mut hashes: HashMap<_, Vec<String>> = HashMap::new();
    let packages = lock.packages.into_iter().map(|package| (package.name(), package.files));
    for (package, files) in packages.chain([(NO_PACKAGE.to_owned(), lock.files)]) {
        for file in files {
            hashes.entry((package.clone(), file.path)).or_default().push(file.sha256);
        }
    }
    hashes
}
