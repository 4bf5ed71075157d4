//! The folder that a worker runs in: empty, its own, and gone afterwards. A `dyno` that was killed cannot remove its own; the
//! next run does. A lock on the folder tells those that are in use from those that were left.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt,
    path::Path,
};

use tempfile::TempDir;

use crate::fault::{HostFault, Place, new_temporary_folder, temporary_folder};

/// What the folders of launches are called.
const PREFIX: &str = "dyno-launch-";
/// How often another folder is made where a sweep took one before it was locked.
const TRIES: u32 = 20;
/// Most folders that one sweep looks at.
const MOST_SWEPT: usize = 10_000;

/// The folder of a launch, gone with everything in it when it is dropped.
#[derive(Debug)]
pub struct LaunchFolder {
    folder: TempDir,
    /// Released after the folder is gone. `None`: the file system has no locks, and nothing is swept there.
    _lock: Option<File>,
}

impl LaunchFolder {
    /// Makes one among the temporary files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self, HostFault> {
        Self::new_in(&temporary_folder())
    }

    fn new_in(parent: &Path) -> Result<Self, HostFault> {
        let refused = |error: &io::Error| {
            let doing = format!("cannot use a new folder in `{}`", parent.display());
            HostFault::new(doing, error, Place::Temporary)
        };
        for _ in 0..TRIES {
            let folder = new_temporary_folder(parent, PREFIX)?;
            match lock(folder.path()) {
                Ok(Lock::Ours(lock)) => return Ok(Self { folder, _lock: Some(lock) }),
                Ok(Lock::Impossible) => return Ok(Self { folder, _lock: None }),
                // A sweep was quicker.
                Ok(Lock::Taken) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(refused(&error)),
            }
        }
        Err(refused(&ErrorKind::NotFound.into()))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

enum Lock {
    Ours(File),
    /// Somebody else has it, or the folder is another one by now.
    Taken,
    Impossible,
}

fn lock(path: &Path) -> io::Result<Lock> {
    let folder = File::open(path)?;
    match folder.try_lock() {
        Ok(()) if folder.metadata()?.ino() == fs::symlink_metadata(path)?.ino() => Ok(Lock::Ours(folder)),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(Lock::Taken),
        Err(TryLockError::Error(_)) => Ok(Lock::Impossible),
    }
}

/// Removes the folders of launches that this user's killed processes left. What cannot be removed stays.
pub fn sweep() {
    sweep_in(&temporary_folder());
}

fn sweep_in(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let is_launch = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(PREFIX);
    let me = nix::unistd::geteuid().as_raw();
    for entry in entries.flatten().filter(is_launch).take(MOST_SWEPT) {
        let path = entry.path();
        // A link or a folder of somebody else's leads elsewhere.
        let is_own = fs::symlink_metadata(&path).is_ok_and(|about| about.is_dir() && about.uid() == me);
        if is_own && let Ok(Lock::Ours(_lock)) = lock(&path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_swept_and_what_is_in_use_stays() {
        let parent = tempfile::tempdir().unwrap();
        let in_use = LaunchFolder::new_in(parent.path()).unwrap();
        let left = parent.path().join("dyno-launch-left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("core"), "").unwrap();
        let precious = parent.path().join("precious");
        fs::create_dir(&precious).unwrap();
        std::os::unix::fs::symlink(&precious, parent.path().join("dyno-launch-link")).unwrap();
        fs::write(parent.path().join("dyno-launch-file"), "").unwrap();
        sweep_in(parent.path());
        assert!(in_use.path().is_dir() && precious.is_dir() && !left.exists());
        let path = in_use.path().to_owned();
        drop(in_use);
        assert!(!path.exists());
    }
}
