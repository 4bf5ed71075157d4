//! Replacing the file of a database, which is at every moment either the old or the new one.

use std::{
    fs::{self, File},
    io::{self, Seek},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, fcntl},
    libc,
};

use super::{
    claim::Claim,
    error::{StoreError, log_of},
};
use crate::{
    fault::{HostFault, Place},
    user_file::folder_of,
};

/// The exclusive right to a file, as DuckDB has it while the database is open: no process can open it meanwhile. This process must not
/// open it either, since closing any descriptor of it would give up the lock.
#[derive(Debug)]
pub(super) struct Hold {
    file: Option<File>,
    claim: Claim,
}

impl Hold {
    /// Takes the right to a database, which may be damaged or not exist yet.
    ///
    /// # Errors
    /// When it is open somewhere, or this user cannot write it.
    pub(super) fn on(path: &Path) -> Result<Self, StoreError> {
        let claim = Claim::new(path)?;
        let fault = |error: io::Error| {
            HostFault::new(
                format!("cannot replace the database `{}`", path.display()),
                &error,
                Place::Database,
            )
        };
        let file = match File::options().read(true).write(true).open(claim.path()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { file: None, claim }),
            Err(error) => return Err(fault(error).into()),
        };
        match fcntl(&file, FcntlArg::F_SETLK(&whole())) {
            Ok(_) => {}
            Err(Errno::EACCES | Errno::EAGAIN) => {
                return Err(StoreError::InUse { path: path.to_owned(), holder: holder(&file) });
            }
            Err(errno) => return Err(fault(errno.into()).into()),
        }
        let held = Self { file: Some(file), claim };
        if !held.is_still_there() {
            return Err(StoreError::InUse { path: path.to_owned(), holder: "another `dyno`".to_owned() });
        }
        Ok(held)
    }

    /// The file, links followed.
    pub(super) fn path(&self) -> &Path {
        self.claim.path()
    }

    /// What the system says of the file; `None` if there is none.
    pub(super) fn about(&self) -> Option<fs::Metadata> {
        self.file.as_ref().and_then(|file| file.metadata().ok())
    }

    /// Another process may have put another file there before the lock was taken.
    fn is_still_there(&self) -> bool {
        let there = fs::metadata(self.path()).ok().map(|about| (about.dev(), about.ino()));
        there == self.about().map(|about| (about.dev(), about.ino()))
    }

    /// Puts a new file in the place of the database. The old one and its log get the names of `aside`, if they are to be kept.
    /// A log is moved away first: DuckDB would add it to the new file.
    ///
    /// # Errors
    /// When the system refuses. The database is then still the old one.
    pub(super) fn replace(self, new: &Path, aside: Option<&Path>) -> Result<(), HostFault> {
        let path = self.path();
        let replaced = || -> io::Result<()> {
            let file = File::open(new)?;
            if let Some(about) = self.about() {
                file.set_permissions(about.permissions())?;
            }
            file.sync_all()?;
            let folder = File::open(folder_of(path))?;
            if let Some(aside) = aside.filter(|_| self.file.is_some()) {
                // Some file systems know no second names. Without the first, there would be no database for a moment.
                fs::hard_link(path, aside).or_else(|_| self.copy(&new.with_extension("previous"), aside))?;
                folder.sync_all()?;
            }
            match (aside, log_of(path)) {
                (Some(aside), log) if log.exists() => fs::rename(log, log_of(aside))?,
                _ => {}
            }
            fs::rename(new, path)?;
            folder.sync_all()
        };
        replaced().map_err(|error| {
            if let Some(aside) = aside {
                take_back(path, aside);
            }
            HostFault::new(
                format!("cannot replace the database `{}`", path.display()),
                &error,
                Place::Database,
            )
        })
    }

    /// Copies the database by way of another file: what has its final name is whole.
    fn copy(&self, draft: &Path, to: &Path) -> io::Result<()> {
        // Not by its name: closing that file would give up the lock.
        let Some(mut from) = self.file.as_ref() else { return Ok(()) };
        let mut copy = File::create(draft)?;
        from.rewind()?;
        io::copy(&mut from, &mut copy)?;
        copy.set_permissions(from.metadata()?.permissions())?;
        copy.sync_all()?;
        fs::rename(draft, to)
    }
}

/// What follows the name of a database in that of its predecessor.
pub(super) const BEFORE_RESTORE: &str = "before-restore-";

/// Undoes what a process began that was killed before it put another file in the place of a database: the database is still the old one,
/// and has a second name. What cannot be undone now is undone when the database is opened next.
pub(super) fn settle(path: &Path) {
    // One look, which is all that there is to do nearly always.
    if !fs::metadata(path).is_ok_and(|about| about.nlink() > 1) {
        return;
    }
    let Ok(path) = fs::canonicalize(path) else { return };
    let prefix = format!("{}.{BEFORE_RESTORE}", path.file_name().unwrap_or_default().to_string_lossy());
    let Ok(entries) = fs::read_dir(folder_of(&path)) else { return };
    let asides = entries.flatten().filter(|it| it.file_name().to_string_lossy().starts_with(&prefix));
    let asides: Vec<PathBuf> = asides.map(|it| it.path()).filter(|aside| is_same(&path, aside)).collect();
    // Nobody may be at it.
    if !asides.is_empty()
        && let Ok(hold) = Hold::on(&path)
    {
        asides.iter().for_each(|aside| take_back(hold.path(), aside));
    }
}

/// Whether both are names of one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let number = |path: &Path| fs::symlink_metadata(path).ok().map(|about| (about.dev(), about.ino()));
    number(one).is_some_and(|it| number(other) == Some(it))
}

/// Removes a second name of a database. The log that was moved with it is moved back.
fn take_back(path: &Path, aside: &Path) {
    if !is_same(path, aside) {
        return;
    }
    let (log, moved) = (log_of(path), log_of(aside));
    let is_back = !moved.exists() || (!log.exists() && fs::rename(&moved, &log).is_ok());
    if is_back {
        // A second name does no harm to the database.
        let _ = fs::remove_file(aside);
    }
}

/// Refuses a file that a process has open as a database.
///
/// # Errors
/// When it is open somewhere, or this user cannot write it.
pub fn check_unused(path: &Path) -> Result<(), StoreError> {
    Hold::on(path).map(drop)
}

/// A name beside a database that no file has. // eg: `dyno.duckdb.before-restore-20260102T030405Z`
pub(super) fn free_name(database: &Path, ending: &str) -> PathBuf {
    let name = |number: u32| {
        let mut name = database.as_os_str().to_owned();
        name.push(format!(".{ending}"));
        if number > 1 {
            name.push(format!("-{number}"));
        }
        PathBuf::from(name)
    };
    let is_free =
        |name: &PathBuf| name.symlink_metadata().is_err() && log_of(name).symlink_metadata().is_err();
    (1..).map(name).find(is_free).unwrap_or_default()
}

/// A lock on all bytes of a file.
fn whole() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

/// The process that has a lock on a file. // eg: `process 42 (/usr/bin/dyno)`
fn holder(file: &File) -> String {
    let mut lock = whole();
    let pid = fcntl(file, FcntlArg::F_GETLK(&mut lock)).ok().map(|_| lock.l_pid).filter(|pid| *pid > 0);
    let Some(pid) = pid else { return "another process".to_owned() };
    let program = fs::read_link(format!("/proc/{pid}/exe"));
    program.map_or_else(|_| format!("process {pid}"), |it| format!("process {pid} ({})", it.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_file_and_its_log_are_kept_under_a_new_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.duckdb");
        let new = folder.path().join("new");
        fs::write(&path, "old").unwrap();
        fs::write(log_of(&path), "log").unwrap();
        fs::write(&new, "new").unwrap();
        fs::write(folder.path().join("d.duckdb.x"), "").unwrap();
        let aside = free_name(&path, "x");
        assert_eq!(aside, folder.path().join("d.duckdb.x-2"));
        let hold = Hold::on(&path).unwrap();
        assert!(matches!(Hold::on(&path), Err(StoreError::Locked { .. })), "this process has it");
        hold.replace(&new, Some(&aside)).unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!([read(&path), read(&aside), read(&log_of(&aside))], ["new", "old", "log"]);
        assert!(!log_of(&path).exists() && !new.exists());
    }

    #[test]
    fn a_replacement_that_was_killed_is_undone_with_the_log_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.duckdb");
        let named = |ending: &str| folder.path().join(format!("d.duckdb.{ending}"));
        let [aside, earlier, of_the_user] = ["before-restore-2", "before-restore-1", "mine"].map(named);
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> =
                entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        fs::write(&path, "old").unwrap();
        fs::write(&earlier, "older").unwrap();
        settle(&path);
        // Killed after each of the steps before the last.
        for log in [None, Some(log_of(&path)), Some(log_of(&aside))] {
            fs::hard_link(&path, &aside).unwrap();
            if let Some(log) = &log {
                fs::write(log, "log").unwrap();
            }
            settle(&path);
            let mut expected = vec!["d.duckdb", "d.duckdb.before-restore-1"];
            if log.is_some() {
                expected.push("d.duckdb.wal");
            }
            assert_eq!(names(), expected);
            let _ = fs::remove_file(log_of(&path));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        // Somebody is at it.
        fs::hard_link(&path, &aside).unwrap();
        let hold = Hold::on(&path).unwrap();
        settle(&path);
        assert!(aside.exists());
        drop(hold);
        fs::hard_link(&path, &of_the_user).unwrap();
        settle(&path);
        assert_eq!(names(), ["d.duckdb", "d.duckdb.before-restore-1", "d.duckdb.mine"]);
    }

    #[test]
    fn without_second_names_the_old_one_is_copied_before_it_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (path, to) = (folder.path().join("d.duckdb"), folder.path().join("aside"));
        fs::write(&path, "old").unwrap();
        let hold = Hold::on(&path).unwrap();
        hold.copy(&folder.path().join("draft"), &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "old");
        assert!(!folder.path().join("draft").exists());
    }

    #[test]
    fn what_is_not_there_is_placed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, new) = (folder.path().join("d.duckdb"), folder.path().join("new"));
        fs::write(&new, "new").unwrap();
        Hold::on(&path).unwrap().replace(&new, Some(&folder.path().join("aside"))).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
