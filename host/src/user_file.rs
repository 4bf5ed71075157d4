//! Files that people name: read in one way everywhere, whatever editor they come from; written whole or not at all.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use dyno_core::encoding::{self, TextError};

use crate::fault::{HostFault, Place, Resource};

/// A longer file is a mistake, or has no end [bytes].
const MAX_BYTES: u64 = 1 << 30;

/// Why there is no text. The message follows the name of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is too long.
    #[error("cannot be read: it has more than {} GiB", MAX_BYTES >> 30)]
    TooLong,
    /// It is no text.
    #[error("cannot be read: {0}")]
    Text(#[from] TextError),
}

/// Reads a text file: UTF-8 or UTF-16, with or without a byte order mark.
///
/// # Errors
/// When it cannot be read, is too long, or is no text.
pub fn read_text(path: &Path) -> Result<String, ReadError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ReadError::TooLong);
    }
    Ok(encoding::decode(&bytes)?)
}

/// Checks that only its owner can read a file with secrets, or only root and one group, which suits a server whose user must not
/// change it.
///
/// # Errors
/// A sentence that follows the name of the file: it is not there, is no file, or others can read or change it.
pub(crate) fn check_secret(path: &Path) -> Result<(), String> {
    let about = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    // Reading a pipe would wait for whoever writes into it.
    if !about.is_file() {
        return Err("is not a regular file".to_owned());
    }
    if is_private(about.uid(), about.mode()) {
        return Ok(());
    }
    Err(format!(
        "can be read or changed by others (mode {:o}, owned by user {}); `chmod 600` it, or give it to root and `chmod 640` it, \
         so that only a group of the server's reads it",
        about.mode() & 0o777,
        about.uid()
    ))
}

fn is_private(owner: u32, mode: u32) -> bool {
    mode & 0o077 == 0 || (owner == 0 && mode & 0o037 == 0)
}

/// Writes a file whole, or leaves what was there. Pipes and terminals are written as they are.
///
/// # Errors
/// When it cannot be written; what was there is then still there, as far as the file system allows.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], place: Place) -> Result<(), HostFault> {
    let refused = |error| unwritten(path, &error, place);
    // A link is followed: its target is replaced, not the link.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&real).is_ok_and(|about| !about.is_file()) {
        return fs::write(&real, bytes).map_err(refused);
    }
    match put(&real, bytes) {
        // In a folder that takes no new file, one that is there may be written all the same.
        Err(error) if Resource::of(&error) == Resource::Permission && real.is_file() => {
            fs::write(&real, bytes).map_err(refused)
        }
        outcome => outcome.map_err(refused),
    }
}

/// Writes a file whole, and replaces a link or named pipe at this path: for files whose names dyno chooses.
///
/// # Errors
/// When it cannot be written; what was there is then still there.
pub(crate) fn replace(path: &Path, bytes: &[u8], place: Place) -> Result<(), HostFault> {
    put(path, bytes).map_err(|error| unwritten(path, &error, place))
}

fn unwritten(path: &Path, error: &io::Error, place: Place) -> HostFault {
    HostFault::new(format!("cannot write `{}`", path.display()), error, place)
}

/// Writes a file beside a path, and gives it that name.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
    let mut partial = tempfile::Builder::new()
        .prefix(".dyno-")
        .suffix(".partial")
        .permissions(before.as_ref().map_or_else(new_file_mode, fs::Metadata::permissions))
        .tempfile_in(folder_of(path))?;
    partial.write_all(bytes)?;
    if let Some(before) = before {
        keep_owner(partial.as_file(), &before);
    }
    partial.persist(path)?;
    Ok(())
}

/// Gives a file the owner of the one that it replaces, if this user may.
fn keep_owner(file: &File, replaced: &fs::Metadata) {
    let (user, group) = (replaced.uid(), replaced.gid());
    if let Ok(now) = file.metadata()
        && (now.uid(), now.gid()) != (user, group)
    {
        // Only root may give files away; another user's new file is his own.
        let _ = fchown(file, Some(user), Some(group));
    }
}

fn new_file_mode() -> fs::Permissions {
    // What is new has the mode that the user's mask leaves.
    fs::Permissions::from_mode(0o666)
}

/// Waits for the lock of a folder: the exclusive right to replace files in it, which the kernel takes back when this process ends.
/// `None`: another process had it all the time.
///
/// # Errors
/// When the folder cannot be opened or locked.
pub(crate) fn lock_folder(folder: &Path, patience: Duration) -> io::Result<Option<File>> {
    let (folder, end) = (File::open(folder)?, Instant::now() + patience);
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(Some(folder)),
            Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(Duration::from_millis(10)),
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// The folder that a file lies in, or is to lie in.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_windows_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), b"\xEF\xBB\xBFname = 'x'\r\n").unwrap();
        assert_eq!(read_text(file.path()).unwrap(), "name = 'x'\r\n");
        fs::write(file.path(), b"\xFF\xFEa\0b\0").unwrap();
        assert_eq!(read_text(file.path()).unwrap(), "ab");
        fs::write(file.path(), b"\xE4").unwrap();
        assert!(read_text(file.path()).unwrap_err().to_string().contains("not UTF-8"));
        assert!(read_text(&file.path().with_extension("gone")).is_err());
    }

    #[test]
    fn a_group_may_only_read_what_is_roots() {
        for (owner, mode, expected) in [
            (1000, 0o100_600, true),
            (1000, 0o100_400, true),
            (1000, 0o100_640, false),
            (0, 0o100_640, true),
            (0, 0o100_440, true),
            (0, 0o100_660, false),
            (0, 0o100_644, false),
        ] {
            assert_eq!(is_private(owner, mode), expected, "{owner} {mode:o}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(check_secret(file.path()).unwrap_err().contains("`chmod 600` it"));
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(check_secret(file.path()), Ok(()));
    }

    #[test]
    fn a_file_is_replaced_whole_with_its_mode_and_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("x"), folder.path().join("link"));
        write_whole(&file, b"one", Place::Named).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_whole(&link, b"two", Place::Named).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        write_whole(Path::new("/dev/null"), b"x", Place::Named).unwrap();
        nix::unistd::mkfifo(&folder.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for name in ["pipe", "link"] {
            let place = folder.path().join(name);
            replace(&place, b"three", Place::Named).unwrap();
            assert!(fs::symlink_metadata(&place).unwrap().is_file(), "{name}");
            assert_eq!(fs::read_to_string(&place).unwrap(), "three");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "two", "the target of the link is left alone");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
