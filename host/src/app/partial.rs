//! A large file that is there as a whole or not at all: written under another name, and renamed at the end.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use nix::libc;

use super::error::AppError;
use crate::{
    fault::{HostFault, Place, free_bytes},
    user_file::folder_of,
};

/// A file in the making, which is removed if it is not kept. One that a killed process left is written anew.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    /// What it is to be called.
    name: PathBuf,
    is_kept: bool,
}

impl Partial {
    /// Begins `NAME.partial`.
    ///
    /// # Errors
    /// When it cannot be written, or another process writes it.
    pub(super) fn new(name: &Path) -> Result<Self, AppError> {
        let mut path = name.as_os_str().to_owned();
        path.push(".partial");
        let path = PathBuf::from(path);
        let fault = |error: io::Error| {
            HostFault::new(format!("cannot write `{}`", path.display()), &error, Place::Named)
        };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(fault)?;
        let number = |about: fs::Metadata| (about.dev(), about.ino());
        let is_there = || fs::metadata(&path).map(number).ok() == file.metadata().map(number).ok();
        // The other process may just have renamed what was opened here: that must not be emptied.
        if file.try_lock().is_err() || !is_there() {
            return Err(AppError::Target {
                file: path,
                why: "is being written by another `dyno`; wait for it",
            });
        }
        let partial = Self { file, path: path.clone(), name: name.to_owned(), is_kept: false };
        partial.file.set_len(0).map_err(fault)?;
        Ok(partial)
    }

    /// Where it is now.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses at once if the disk has no room for so many bytes.
    pub(super) fn wants(&self, bytes: u64) -> Result<(), AppError> {
        match free_bytes(&folder_of(&self.name)) {
            Some(free) if free < bytes => Err(self.fault(&io::Error::from_raw_os_error(libc::ENOSPC)).into()),
            _ => Ok(()),
        }
    }

    /// Waits until what was written is on the disk.
    pub(super) fn sync(&self) -> Result<(), AppError> {
        self.file.sync_all().map_err(|error| self.fault(&error).into())
    }

    /// Gives it its name.
    pub(super) fn keep(mut self) -> Result<(), AppError> {
        let renamed = fs::rename(&self.path, &self.name);
        self.is_kept = renamed.is_ok();
        let kept = renamed.and_then(|()| File::open(folder_of(&self.name))?.sync_all());
        kept.map_err(|error| self.fault(&error).into())
    }

    fn fault(&self, error: &io::Error) -> HostFault {
        HostFault::new(format!("cannot write `{}`", self.name.display()), error, Place::Named)
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("x");
        fs::write(folder.path().join("x.partial"), "left by a killed process").unwrap();
        let mut partial = Partial::new(&name).unwrap();
        partial.write_all(b"half").unwrap();
        let other = Partial::new(&name).unwrap_err().to_string();
        assert!(other.contains("x.partial") && other.contains("wait for it"), "{other}");
        assert!(partial.wants(u64::MAX).unwrap_err().to_string().contains("no space is left"));
        drop(partial);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut partial = Partial::new(&name).unwrap();
        partial.write_all(b"whole").unwrap();
        partial.keep().unwrap();
        assert_eq!(fs::read_to_string(&name).unwrap(), "whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
