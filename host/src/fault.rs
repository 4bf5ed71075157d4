//! A fault of the host: a resource that ran out, a folder that cannot be used. Its own type, so that it can never become
//! the status of a benchmark: a launch returns it beside the status, and it ends the run unfinished.

use std::{
    env, fmt, io,
    path::{Path, PathBuf},
};

use nix::{libc, sys::statvfs::statvfs};
use tempfile::TempDir;

/// What the machine did not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// No space, no quota, or a limit on the size of files.
    Disk,
    /// The file system can only be read.
    ReadOnly,
    /// File descriptors of this process.
    Descriptors,
    /// Open files of the whole system.
    OpenFiles,
    /// Processes or threads.
    Processes,
    /// Memory.
    Memory,
    /// A file or folder that is not there.
    Missing,
    /// A file where a folder must be.
    NotAFolder,
    /// A folder where a file must be.
    NotAFile,
    /// A right that this user does not have.
    Permission,
    /// Anything else: the system's own words say what.
    Other,
}

impl Resource {
    /// What an error of the system is about.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        match code(error) {
            Some(libc::ENOSPC | libc::EDQUOT | libc::EFBIG) => Self::Disk,
            Some(libc::EROFS) => Self::ReadOnly,
            Some(libc::EMFILE) => Self::Descriptors,
            Some(libc::ENFILE) => Self::OpenFiles,
            Some(libc::EAGAIN) => Self::Processes,
            Some(libc::ENOMEM) => Self::Memory,
            Some(libc::ENOENT) => Self::Missing,
            Some(libc::ENOTDIR) => Self::NotAFolder,
            Some(libc::EISDIR) => Self::NotAFile,
            Some(libc::EACCES | libc::EPERM) => Self::Permission,
            Some(_) => Self::Other,
            None => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                    Self::Disk
                }
                io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
                io::ErrorKind::NotADirectory => Self::NotAFolder,
                io::ErrorKind::IsADirectory => Self::NotAFile,
                io::ErrorKind::NotFound => Self::Missing,
                io::ErrorKind::PermissionDenied => Self::Permission,
                io::ErrorKind::OutOfMemory => Self::Memory,
                _ => Self::Other,
            },
        }
    }

    /// Whether it may be there again a moment later, whatever file was asked for: such an error says nothing about the file.
    #[must_use]
    pub fn is_exhausted(self) -> bool {
        matches!(self, Self::Disk | Self::Descriptors | Self::OpenFiles | Self::Processes | Self::Memory)
    }

    /// What is missing and what helps there, without a path: strangers may read it.
    #[must_use]
    pub fn sentence(self, place: Place) -> Option<String> {
        let words = self.words()?;
        Some(self.advice(place).map_or_else(|| words.to_owned(), |advice| format!("{words}; {advice}")))
    }

    /// What helps there.
    fn advice(self, place: Place) -> Option<String> {
        // Another folder gives no process and no memory.
        let elsewhere = match self {
            Self::Descriptors | Self::OpenFiles | Self::Processes | Self::Memory => None,
            Self::Disk if place == Place::LockFile => None,
            _ => place.remedy(),
        };
        match (self.remedy(), elsewhere) {
            (Some(one), Some(other)) => Some(format!("{one}, or {other}")),
            (one, other) => one.or(other).map(str::to_owned),
        }
    }

    fn words(self) -> Option<&'static str> {
        Some(match self {
            Self::Disk => "no space is left on the disk",
            Self::ReadOnly => "the file system is read-only",
            Self::Descriptors => "this process has no file descriptors left",
            Self::OpenFiles => "the system has no open files left",
            Self::Processes => "no more processes or threads can be started",
            Self::Memory => "no memory is left",
            Self::Missing => "it does not exist",
            Self::NotAFolder => "a part of the path is not a folder",
            Self::NotAFile => "it is a folder",
            Self::Permission => "permission is denied",
            Self::Other => return None,
        })
    }

    /// What helps, wherever it happened.
    fn remedy(self) -> Option<&'static str> {
        Some(match self {
            Self::Disk => "free some space (or raise the quota or `ulimit -f`)",
            Self::Descriptors => "raise `ulimit -n`",
            Self::OpenFiles => "end other programs, or raise the sysctl `fs.file-max`",
            Self::Processes => "end other processes, or raise `ulimit -u` or the pids limit of the container",
            Self::Memory => "end other programs, or give the machine or container more memory",
            Self::ReadOnly
            | Self::Missing
            | Self::NotAFolder
            | Self::NotAFile
            | Self::Permission
            | Self::Other => return None,
        })
    }
}

/// What for: it decides which setting helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Temporary files.
    Temporary,
    /// The cache.
    Cache,
    /// Result files and reports.
    Output,
    /// The database.
    Database,
    /// Leases.
    Leases,
    /// The worker's program.
    Worker,
    /// The folder of installed packages.
    Packages,
    /// The lock file of a plugin folder.
    LockFile,
    /// A file that the command line names.
    Named,
    /// No setting helps.
    Machine,
}

impl Place {
    fn remedy(self) -> Option<&'static str> {
        Some(match self {
            Self::Temporary => "name a folder that can be written with TMPDIR",
            Self::Cache => "name another folder with DYNO_CACHE",
            Self::Output => "name another folder with --output",
            Self::Database => "name another file with --db-path",
            Self::Leases => "name another folder with DYNO_LEASES",
            Self::Worker => {
                "put `dyno-worker` beside `dyno`, from the same release, or name it with DYNO_WORKER"
            }
            Self::Packages => "name another folder with --into",
            Self::LockFile => {
                "the lock file must be in that folder: make it writable, or run `dyno lock` as its owner"
            }
            Self::Named => "name a file in a folder that exists and can be written",
            Self::Machine => return None,
        })
    }
}

/// A fault of the host. Its text says what was tried, what was missing, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFault {
    doing: String,
    resource: Resource,
    /// In the words of the system.
    said: String,
    place: Place,
}

impl HostFault {
    /// An error of the system while `doing` something. // eg: "cannot make a folder in `/tmp`"
    #[must_use]
    pub fn new(doing: impl Into<String>, error: &io::Error, place: Place) -> Self {
        // Without the path that a library adds: `doing` names it.
        let said = code(error)
            .map_or_else(|| error.to_string(), |code| io::Error::from_raw_os_error(code).to_string());
        Self { doing: doing.into(), resource: Resource::of(error), said, place }
    }

    /// A fault that is not an error of the system: `said` says what was wrong.
    #[must_use]
    pub fn other(doing: impl Into<String>, said: impl Into<String>, place: Place) -> Self {
        Self { doing: doing.into(), resource: Resource::Other, said: said.into(), place }
    }

    /// What the machine did not give.
    #[must_use]
    pub fn resource(&self) -> Resource {
        self.resource
    }
}

impl fmt::Display for HostFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.resource.words() {
            Some(words) => write!(f, "{}: {words} ({})", self.doing, self.said)?,
            None => write!(f, "{}: {}", self.doing, self.said)?,
        }
        self.resource.advice(self.place).map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

impl std::error::Error for HostFault {}

/// Where temporary files go: `TMPDIR` where it names a folder, absolute, since workers run elsewhere; else `/tmp`.
#[must_use]
pub fn temporary_folder() -> PathBuf {
    let named = env::var_os("TMPDIR").filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from("/tmp"));
    std::path::absolute(&folder).unwrap_or(folder)
}

/// Free space on the disk of a folder [bytes]; `None` where it cannot be told.
#[must_use]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    Some(disk.blocks_available().saturating_mul(disk.fragment_size()))
}

/// A new folder below one for temporary files, gone with everything in it when it is dropped.
///
/// # Errors
/// When it cannot be made.
pub fn new_temporary_folder(parent: &Path, prefix: &str) -> Result<TempDir, HostFault> {
    tempfile::Builder::new().prefix(prefix).tempdir_in(parent).map_err(|error| {
        let doing = format!("cannot make a temporary folder in `{}`", parent.display());
        HostFault::new(doing, &error, Place::Temporary)
    })
}

/// The number of the system's error, also where a library has wrapped it; what a library hides keeps its kind.
fn code(error: &io::Error) -> Option<i32> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if let Some(code) = one.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(code);
        }
        cause = one.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i32, place: Place) -> String {
        HostFault::new("cannot write `x`", &io::Error::from_raw_os_error(code), place).to_string()
    }

    #[test]
    fn every_fault_names_the_resource_and_the_next_step() {
        for (code, place, fragments) in [
            (libc::ENOSPC, Place::Cache, ["no space is left", "DYNO_CACHE"]),
            (libc::EDQUOT, Place::Database, ["no space is left", "--db-path"]),
            (libc::EFBIG, Place::Output, ["ulimit -f", "--output"]),
            (libc::EROFS, Place::Temporary, ["read-only", "TMPDIR"]),
            (libc::EMFILE, Place::Cache, ["no file descriptors", "ulimit -n"]),
            (libc::ENFILE, Place::Cache, ["no open files", "fs.file-max"]),
            (libc::EAGAIN, Place::Worker, ["no more processes", "ulimit -u"]),
            (libc::ENOMEM, Place::Machine, ["no memory", "more memory"]),
            (libc::ENOENT, Place::Worker, ["does not exist", "DYNO_WORKER"]),
            (libc::ENOTDIR, Place::Temporary, ["not a folder", "TMPDIR"]),
            (libc::EISDIR, Place::Named, ["is a folder", "name a file"]),
            (libc::EACCES, Place::Leases, ["permission", "DYNO_LEASES"]),
            (libc::EIO, Place::Output, ["os error 5", "--output"]),
        ] {
            let text = said(code, place);
            assert!(fragments.iter().all(|fragment| text.contains(fragment)), "{text}");
            assert!(text.starts_with("cannot write `x`: "), "{text}");
        }
    }

    #[test]
    fn a_lock_file_cannot_be_anywhere_else() {
        let full = said(libc::ENOSPC, Place::LockFile);
        assert!(full.ends_with("free some space (or raise the quota or `ulimit -f`)"), "{full}");
        assert!(said(libc::EACCES, Place::LockFile).ends_with("or run `dyno lock` as its owner"));
    }

    #[test]
    fn another_folder_does_not_help_against_too_few_processes() {
        assert!(!said(libc::EAGAIN, Place::Cache).contains("DYNO_CACHE"));
    }

    #[test]
    fn a_library_that_wraps_an_error_hides_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = tempfile::Builder::new().tempdir_in(file.path()).unwrap_err();
        assert_eq!(Resource::of(&error), Resource::NotAFolder, "{error:?}");
        let error = tempfile::Builder::new().tempdir_in(file.path().with_extension("gone")).unwrap_err();
        assert_eq!(Resource::of(&error), Resource::Missing, "{error:?}");
    }
}
