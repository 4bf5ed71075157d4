//! Leases: the exclusive right to a device, for one process at a time on this machine.
//!
//! A lease is a lock on a file. The kernel gives it back when the process dies, however it dies, so no lease outlives
//! its holder. The file itself stays: removing it would let two processes lock two files of one name.

use std::{
    fmt, fs,
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
    ops::ControlFlow,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// How often to try again.
const POLL: Duration = Duration::from_millis(100);

/// Who has a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// What for.
    pub purpose: String,
    /// Since when (RFC 3339, UTC).
    pub since: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({}, since {})", self.pid, self.purpose, self.since)
    }
}

/// Why a lease cannot be had, now or ever.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The folder cannot be used.
    #[error("the folder `{}` for leases {why}; remove it, or give another with DYNO_LEASES", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The lock file cannot be used.
    #[error("cannot lease `{device}` by `{}`: {source}", path.display())]
    File {
        /// The device.
        device: String,
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The exclusive right to a device, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lease {
    // Never read: holding it open is holding the lock.
    _file: File,
}

impl Lease {
    /// Waits for the right to `device`. While another process has it, `on_wait` is asked again and again whether to go
    /// on; it is told the holder whenever that changes. `None`: it said no.
    ///
    /// # Errors
    /// When the folder or the lock file cannot be used.
    pub fn acquire(
        folder: &Path,
        device: &str,
        purpose: &str,
        mut on_wait: impl FnMut(Option<&Holder>) -> ControlFlow<()>,
    ) -> Result<Option<Self>, LeaseError> {
        private_folder(folder)?;
        let path = folder.join(format!("{}.lock", device.replace(':', "-")));
        let broken = |source| LeaseError::File { device: device.to_owned(), path: path.clone(), source };
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(broken)?;
        let mut known: Option<Holder> = None;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    let since = crate::timestamp::now();
                    let holder = Holder { pid: std::process::id(), purpose: purpose.to_owned(), since };
                    write_holder(&mut file, &holder).map_err(broken)?;
                    return Ok(Some(Self { _file: file }));
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(broken(error)),
            }
            let holder = read_holder(&mut file);
            let news = holder.as_ref().filter(|holder| known.as_ref() != Some(*holder));
            if on_wait(news).is_break() {
                return Ok(None);
            }
            known = holder;
            std::thread::sleep(POLL);
        }
    }
}

/// The holder is for people: a reader that catches it half written shows nobody.
fn write_holder(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(holder)?)
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(64 * 1024).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// A folder that somebody else could write to would let him hold every device for ever, or lead us elsewhere by links.
fn private_folder(folder: &Path) -> Result<(), LeaseError> {
    let refused = |why: String| LeaseError::Folder { path: folder.to_owned(), why };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| refused(format!("cannot be made: {error}")))?;
    let about = fs::symlink_metadata(folder).map_err(|error| refused(format!("cannot be read: {error}")))?;
    if !about.is_dir() {
        return Err(refused("is no folder".to_owned()));
    }
    if about.uid() != nix::unistd::geteuid().as_raw() {
        return Err(refused(format!("belongs to user {}", about.uid())));
    }
    if about.mode() & 0o022 != 0 {
        return Err(refused("can be written by others".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path) -> Option<Lease> {
        Lease::acquire(folder, "cuda:0", "a test", |_| ControlFlow::Break(())).unwrap()
    }

    #[test]
    fn a_lease_is_exclusive_and_given_back() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("leases");
        let lease = take(&folder);
        assert!(lease.is_some());
        // Another opening of the file stands for another process: locks belong to openings.
        assert!(take(&folder).is_none());
        drop(lease);
        assert!(take(&folder).is_some());
    }

    #[test]
    fn who_waits_is_told_the_holder_once() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("leases");
        let _lease = take(&folder).unwrap();
        let mut told = Vec::new();
        let mut asked = 0;
        let waited = Lease::acquire(&folder, "cuda:0", "another", |holder| {
            told.extend(holder.cloned());
            asked += 1;
            if asked < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert!(waited.unwrap().is_none());
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].pid, told[0].purpose.as_str()), (std::process::id(), "a test"));
    }

    #[test]
    fn devices_do_not_wait_for_one_another_and_a_foreign_folder_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("leases");
        let _one = take(&folder).unwrap();
        assert!(Lease::acquire(&folder, "cpu", "x", |_| ControlFlow::Break(())).unwrap().is_some());
        let file = base.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Lease::acquire(&file, "cpu", "x", |_| ControlFlow::Break(())).is_err());
    }
}
