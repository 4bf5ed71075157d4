//! What vouches for a plugin file: the signature beside it or that of its package, and the lock file of its plugin folder. Read
//! for the very bytes that were described, so that nothing is read again between this and loading them by their hash.

use std::{
    fmt::Write,
    fs, io,
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use dyno_core::model::{PackageLock, PackageManifest};
use nix::fcntl::OFlag;
use sha2::{Digest, Sha256};

use super::entry::{Entry, Problem, Stamp, Unread, hash};
use crate::{
    fault::{HostFault, Place, Resource},
    trust::{MAX_SIGNATURE_BYTES, Prehash, Require, Signature, SignatureState, TrustStore, signature_path},
};

/// The manifest of a package: a file of its archive, and of the folder that it is installed in.
pub(crate) const PACKAGE_MANIFEST: &str = "dyno-package.json";
/// The signature of a package, in the folder that it is installed in.
pub(crate) const PACKAGE_SIGNATURE: &str = "dyno-package.minisig";
/// The lock file of a plugin folder.
pub(crate) const LOCK: &str = "dyno-lock.json";
/// Maximum length of a manifest [bytes].
pub(crate) const MAX_MANIFEST_BYTES: u64 = 4 << 20;
/// Maximum length of a lock file [bytes].
pub(crate) const MAX_LOCK_BYTES: u64 = 64 << 20;
/// How deep the files of a package lie in its folder.
const MAX_DEPTH: usize = 3;

/// What is known of the signature of a plugin file with these bytes.
///
/// # Errors
/// When the host lacks a resource to read what vouches for it.
pub(super) fn signature_of(
    path: &Path,
    bytes: &[u8],
    sha256: &str,
    trust: &TrustStore,
) -> Result<SignatureState, HostFault> {
    if !trust.checks_signatures() {
        return Ok(SignatureState::NotChecked);
    }
    let invalid = |reason: String| Ok(SignatureState::Invalid { reason });
    let beside = signature_path(path);
    if let Some(found) = signature_in(&beside)? {
        return match found {
            Ok(signature) => Ok(trust.judged(&signature, &Prehash::of(bytes))),
            Err(why) => invalid(format!("has the signature `{}`, which {why}", beside.display())),
        };
    }
    let Some(package) = package_of(path) else { return Ok(SignatureState::Unsigned) };
    let place = package.join(PACKAGE_SIGNATURE);
    let signature = match signature_in(&place)? {
        None => return Ok(SignatureState::Unsigned),
        Some(Ok(signature)) => signature,
        Some(Err(why)) => {
            return invalid(format!("is of a package with the signature `{}`, which {why}", place.display()));
        }
    };
    let state = match trust.comment_judged(&signature) {
        SignatureState::Invalid { reason } => return invalid(format!("is of a package that {reason}")),
        state => state,
    };
    match names(&signature, &package, path, sha256)? {
        Ok(()) => Ok(state),
        Err(reason) => invalid(reason),
    }
}

/// Whether the manifest that was signed with a package names a file with this hash; if not, the rest of a sentence.
fn names(
    signature: &Signature,
    package: &Path,
    path: &Path,
    sha256: &str,
) -> Result<Result<(), String>, HostFault> {
    let place = package.join(PACKAGE_MANIFEST);
    let changed = || {
        Err(format!(
            "is of a package whose manifest `{}` is not the one that was signed; install the package again",
            place.display()
        ))
    };
    let Some(bytes) = bounded(&place, MAX_MANIFEST_BYTES)? else { return Ok(changed()) };
    if signature.comment().manifest_sha256 != Some(hash(&bytes)) {
        return Ok(changed());
    }
    let Ok(manifest) = PackageManifest::from_json(&bytes) else { return Ok(changed()) };
    let inside = path.strip_prefix(package).ok().and_then(Path::to_str);
    if manifest.files.iter().any(|file| Some(file.path.as_str()) == inside && file.sha256 == sha256) {
        return Ok(Ok(()));
    }
    Ok(Err("is not the file that its signed package contains; install the package again".to_owned()))
}

/// Lets through only what the trust store admits. A signature that does not count is a warning where none is required.
///
/// # Errors
/// A line about the file, which says how to proceed.
pub(super) fn admitted(mut entry: Entry, trust: &TrustStore) -> Result<Entry, Unread> {
    let refused = |entry: &Entry, why: String| Err(Problem::error(&entry.path, why).into());
    match &entry.signature {
        SignatureState::Unsigned | SignatureState::NotChecked if trust.require.signature() => {
            let why = format!(
                "is not signed, and {} admits only signed plugins; get `{}` from its publisher and put it beside the plugin, or \
                 sign your own with `dyno sign`",
                required(trust.require),
                signature_path(&entry.path).file_name().unwrap_or_default().to_string_lossy()
            );
            return refused(&entry, why);
        }
        SignatureState::Invalid { reason } if trust.require.signature() => {
            let why = reason.clone();
            return refused(&entry, why);
        }
        SignatureState::Invalid { reason } => {
            let warning = format!("its signature does not count: the file {reason}");
            entry.warnings.push(warning);
        }
        _ => {}
    }
    if trust.require.lock()
        && let Err(why) = locked(&entry, trust.require)?
    {
        return refused(&entry, why);
    }
    Ok(entry)
}

fn required(require: Require) -> String {
    format!("`require = \"{require}\"` in dyno.toml")
}

/// Whether the lock file of the plugin folder names the file with its hash; if not, the rest of a sentence.
fn locked(entry: &Entry, require: Require) -> Result<Result<(), String>, Unread> {
    let by = required(require);
    let nowhere = || format!("is not of an installed package, as {by} demands; pack it and use `dyno install`");
    let Some((package, lock)) = package_of(&entry.path).and_then(|it| lock_of(&it).map(|lock| (it, lock))) else {
        return Ok(Err(nowhere()));
    };
    let Some(bytes) = bounded(&lock, MAX_LOCK_BYTES)? else { return Ok(Err(nowhere())) };
    let known = match PackageLock::from_json(&bytes) {
        Ok(known) => known,
        Err(why) => {
            let shown = lock.display();
            return Ok(Err(format!("cannot be admitted: the lock file `{shown}` {why}; restore it, or install again")));
        }
    };
    let name = package.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let inside = entry.path.strip_prefix(&package).ok().and_then(Path::to_str);
    let files = known.packages.iter().filter(|it| it.name() == name).flat_map(|it| &it.files);
    let mut meant = files.filter(|file| Some(file.path.as_str()) == inside).peekable();
    if meant.peek().is_none() {
        return Ok(Err(nowhere()));
    }
    if meant.any(|file| file.sha256 == entry.sha256) {
        return Ok(Ok(()));
    }
    let shown = lock.display();
    Ok(Err(format!("has other bytes than the lock file `{shown}` says; install its package again")))
}

/// Changes whenever anything changes that vouches for a plugin file.
pub(super) fn witness(path: &Path, trust: &TrustStore) -> u64 {
    let mut places = Vec::new();
    if trust.checks_signatures() {
        places.push(signature_path(path));
    }
    if let Some(package) = package_of(path).filter(|_| trust.checks_signatures() || trust.require.lock()) {
        if trust.checks_signatures() {
            places.extend([package.join(PACKAGE_SIGNATURE), package.join(PACKAGE_MANIFEST)]);
        }
        places.extend(lock_of(&package).filter(|_| trust.require.lock()));
    }
    if places.is_empty() {
        return 0;
    }
    let mut text = String::new();
    for place in places {
        // Writing to a string cannot fail.
        let _ = write!(text, "{:?};", fs::metadata(place).ok().map(|about| Stamp::of(&about)));
    }
    let hash = Sha256::digest(text);
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The folder of the package that a file is installed with.
fn package_of(path: &Path) -> Option<PathBuf> {
    let above = path.ancestors().skip(1).take(MAX_DEPTH);
    above.filter(|folder| folder.join(PACKAGE_MANIFEST).is_file()).map(Path::to_owned).next()
}

/// Where the lock file that names a package is.
fn lock_of(package: &Path) -> Option<PathBuf> {
    Some(package.parent()?.join(LOCK))
}

/// The signature in a file; `None` if there is no such file. If it cannot be used, the rest of a sentence.
fn signature_in(path: &Path) -> Result<Option<Result<Signature, String>>, HostFault> {
    Ok(match read_signature(path) {
        Ok(None) => None,
        Ok(Some(bytes)) => Some(Signature::parse(&bytes)),
        Err(error) if Resource::of(&error).is_exhausted() => return Err(unread(path, &error)),
        Err(error) => Some(Err(format!("cannot be read: {error}"))),
    })
}

/// The bytes of a `.minisig` file, at most one more than it may have; `None` if there is none.
///
/// # Errors
/// When it cannot be read, or is not a regular file.
pub(crate) fn read_signature(path: &Path) -> io::Result<Option<Vec<u8>>> {
    read_at_most(path, MAX_SIGNATURE_BYTES)
}

fn bounded(path: &Path, most: u64) -> Result<Option<Vec<u8>>, HostFault> {
    match read_at_most(path, most) {
        Ok(found) => Ok(found.filter(|bytes| bytes.len() as u64 <= most)),
        Err(error) if Resource::of(&error).is_exhausted() => Err(unread(path, &error)),
        Err(_) => Ok(None),
    }
}

fn unread(path: &Path, error: &io::Error) -> HostFault {
    HostFault::new(format!("cannot read `{}`", path.display()), error, Place::Machine)
}

fn read_at_most(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    // Not blocking: a named pipe must not hang us.
    let opened = fs::OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
