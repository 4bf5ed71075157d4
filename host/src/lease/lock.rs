//! The lock file of a resource. It is empty, and never removed: otherwise two processes could lock two files of one
//! name.

use std::{
    fs::{self, File, Permissions, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use super::resource::file_name;
use crate::regular_file;

/// Readable by all: a lock needs no more.
const MODE: u32 = 0o644;
/// Attempts to open a file that another process is creating or replacing.
const TRIES: u32 = 50;

/// Whether other processes may hold it at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    Exclusive,
    WithOthers,
}

/// The lock, taken.
#[derive(Debug)]
pub(super) struct Lock {
    // Never read: holding it open is holding the lock.
    _file: File,
}

impl Lock {
    /// Takes the lock, unless another process has it.
    pub(super) fn attempt(folder: &Path, resource: &str, share: Share) -> io::Result<Option<Self>> {
        let path = folder.join(format!("{}.lock", file_name(resource)));
        for _ in 0..TRIES {
            let file = open(&path)?;
            let locked = match share {
                Share::Exclusive => file.try_lock(),
                Share::WithOthers => file.try_lock_shared(),
            };
            match locked {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Another process may have replaced it since it was opened: a lock on a file without a name excludes
            // nobody.
            let about = file.metadata()?;
            let named = fs::symlink_metadata(&path);
            if named.is_ok_and(|named| (named.dev(), named.ino()) == (about.dev(), about.ino())) {
                return Ok(Some(Self { _file: file }));
            }
        }
        Err(io::Error::other(format!("`{}` keeps being replaced by another process", path.display())))
    }
}

/// Opens or creates the file. Never follows a link, and never waits for a pipe or device.
fn open(path: &Path) -> io::Result<File> {
    let mut refused = ErrorKind::NotFound.into();
    for _ in 0..TRIES {
        match regular_file::open_no_link(path) {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                // Another user is just making it.
                refused = error;
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            Err(error) => return Err(error),
        }
        match File::options().read(true).write(true).create_new(true).mode(MODE).open(path) {
            // The mask of this process must not keep other users out.
            Ok(file) => file.set_permissions(Permissions::from_mode(MODE))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_or_a_pipe_in_the_place_of_the_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cpu.lock");
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert!(Lock::attempt(folder.path(), "cpu", Share::Exclusive).is_err());
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert!(Lock::attempt(folder.path(), "cpu", Share::Exclusive).is_err());
        fs::remove_file(&path).unwrap();
        assert!(Lock::attempt(folder.path(), "cpu", Share::Exclusive).unwrap().is_some());
    }
}
