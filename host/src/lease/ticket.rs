//! Tickets: which processes hold a resource or wait for it, first come, first served.
//!
//! A ticket is a file with a number, locked by its owner for as long as it counts: one whose lock is free belongs to a
//! process that has died. Only the order depends on tickets, so a false one can do no more than delay.

use std::{
    fs::{self, File, Permissions, TryLockError},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    holder::{Holder, monotonic_ns},
    resource::file_name,
};
use crate::regular_file;

/// Attempts to draw a ticket, if other processes remove ours as a dead one.
const TRIES: u32 = 50;
/// Maximum number of tickets that are read.
const MOST: usize = 4096;

/// Whether the owner of a ticket waits or holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Holding,
    Waiting,
}

impl Stand {
    const ALL: [Self; 2] = [Self::Holding, Self::Waiting];

    fn word(self) -> &'static str {
        match self {
            Self::Holding => "holding",
            Self::Waiting => "waiting",
        }
    }
}

/// A place in the queue, or at its head.
#[derive(Debug)]
pub(super) struct Ticket {
    folder: PathBuf,
    resource: String,
    number: u64,
    path: PathBuf,
    // Held locked: that is what makes it count.
    _file: File,
}

impl Ticket {
    /// Draws a ticket at the end of the queue.
    pub(super) fn take(folder: &Path, resource: &str, holder: &Holder) -> io::Result<Self> {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let text = serde_json::to_vec(holder)?;
        for _ in 0..TRIES {
            // One clock for the whole machine: processes draw their numbers from it.
            let number = monotonic_ns()?;
            let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}.{number:020}.{}-{serial}.waiting", file_name(resource), holder.pid);
            let path = folder.join(&name);
            let mut file = match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            file.set_permissions(Permissions::from_mode(0o644))?;
            file.write_all(&text)?;
            // Between its making and its locking, another process may take it for a dead one and remove it.
            let locked = match file.try_lock() {
                Ok(()) => file.metadata()?.nlink() > 0,
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Error(error)) => return Err(error),
            };
            if locked {
                let (folder, resource) = (folder.to_owned(), resource.to_owned());
                return Ok(Self { folder, resource, number, path, _file: file });
            }
            let _ = fs::remove_file(&path);
        }
        Err(io::Error::other("every ticket was removed at once by another process"))
    }

    /// Whether no living process has waited longer.
    pub(super) fn is_first(&self) -> bool {
        self.ahead().is_none()
    }

    /// A living process that has waited longer.
    pub(super) fn ahead(&self) -> Option<Holder> {
        let before = |found: &Found| {
            found.stand == Stand::Waiting && (found.number, &found.path) < (self.number, &self.path)
        };
        list(&self.folder, &self.resource).iter().filter(|found| before(found)).find_map(Found::read)
    }

    /// The same ticket at the head of the queue.
    pub(super) fn held(mut self) -> io::Result<Self> {
        let path = self.path.with_extension(Stand::Holding.word());
        fs::rename(&self.path, &path)?;
        self.path = path;
        Ok(self)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // A process that finds it afterwards finds it unlocked.
        let _ = fs::remove_file(&self.path);
    }
}

/// All processes that hold or wait, holders first, then in the order of the queue.
pub(super) fn standing(folder: &Path, resource: &str) -> Vec<(Stand, Holder)> {
    let mut found = list(folder, resource);
    found.sort_by(|a, b| {
        let is_waiting = |it: &Found| it.stand == Stand::Waiting;
        (is_waiting(a), a.number, &a.path).cmp(&(is_waiting(b), b.number, &b.path))
    });
    found.iter().filter_map(|found| Some((found.stand, found.read()?))).collect()
}

/// A ticket in the folder, alive or not.
struct Found {
    path: PathBuf,
    number: u64,
    stand: Stand,
}

impl Found {
    /// Its owner, if alive. The ticket of a dead owner is removed, if that is allowed.
    fn read(&self) -> Option<Holder> {
        let file = regular_file::open_no_link(&self.path).ok()?;
        match file.try_lock_shared() {
            Ok(()) => {
                let _ = fs::remove_file(&self.path);
                None
            }
            Err(TryLockError::Error(_)) => None,
            Err(TryLockError::WouldBlock) => {
                let user = file.metadata().ok()?.uid();
                let mut text = String::new();
                let read = file.take(16 * 1024).read_to_string(&mut text);
                let holder = read.ok().and_then(|_| Holder::read(&text, user));
                let holder = holder.unwrap_or_else(Holder::nameless);
                Some(Holder { drawn_ns: Some(self.number), ..holder })
            }
        }
    }
}

fn list(folder: &Path, resource: &str) -> Vec<Found> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let prefix = format!("{}.", file_name(resource));
    let of = |entry: fs::DirEntry| -> Option<Found> {
        let name = entry.file_name();
        let (rest, word) = name.to_str()?.strip_prefix(&prefix)?.rsplit_once('.')?;
        let stand = Stand::ALL.into_iter().find(|stand| stand.word() == word)?;
        let number = rest.split_once('.')?.0.parse().ok()?;
        Some(Found { path: entry.path(), number, stand })
    };
    entries.flatten().filter_map(of).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path, purpose: &str) -> Ticket {
        Ticket::take(folder, "cuda:0", &Holder::here("cuda:0", purpose, None)).unwrap()
    }

    #[test]
    fn the_dead_do_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let dead = take(folder.path(), "dead");
        let left = dead.path.clone();
        let waiting = take(folder.path(), "waiting");
        assert!(!waiting.is_first());
        // What a killed process leaves: the file, but no lock on it.
        let text = fs::read(&left).unwrap();
        drop(dead);
        fs::write(&left, text).unwrap();
        assert!(waiting.is_first());
        assert!(!left.exists(), "it is cleared away");
        assert_eq!(standing(folder.path(), "cuda:0").len(), 1);
    }

    #[test]
    fn how_long_somebody_waits_is_told_by_a_clock_that_nobody_sets() {
        let folder = tempfile::tempdir().unwrap();
        let tomorrow =
            Holder { since: "2999-01-01T00:00:00.000Z".to_owned(), ..Holder::here("cpu", "x", None) };
        let yesterday = Holder { since: "1999-01-01T00:00:00.000Z".to_owned(), ..tomorrow.clone() };
        let _tickets =
            [tomorrow, yesterday].map(|holder| Ticket::take(folder.path(), "cpu", &holder).unwrap());
        for (_, holder) in standing(folder.path(), "cpu") {
            let age = holder.age_s().unwrap();
            assert!((0.0..86_400.0).contains(&age), "{age} s since {}", holder.since);
        }
    }

    #[test]
    fn holders_come_first_and_litter_is_no_ticket() {
        let folder = tempfile::tempdir().unwrap();
        let first = take(folder.path(), "first").held().unwrap();
        let second = take(folder.path(), "second");
        fs::write(folder.path().join("cuda-0.x.1-1.waiting"), "").unwrap();
        fs::write(folder.path().join("cuda-0.lock"), "").unwrap();
        fs::create_dir(folder.path().join("cuda-0.00000000000000000000.1-1.waiting")).unwrap();
        assert!(second.is_first(), "who holds does not wait");
        let shown: Vec<String> =
            standing(folder.path(), "cuda:0").into_iter().map(|(_, holder)| holder.purpose).collect();
        assert_eq!(shown, ["first", "second"]);
        drop(first);
        assert_eq!(standing(folder.path(), "cuda:0").len(), 1);
    }
}
