//! Errors of the database. Each message says what you can do.

use std::path::{Path, PathBuf};

use dyno_duckdb::OpenError;
use serde::{Deserialize, Serialize};

use crate::fault::{HostFault, Place, Resource};

/// Why the database could not be opened, or a request to it failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum StoreError {
    #[error("the database `{}` is open in {holder}; wait for it, or give another with --db-path", path.display())]
    Locked {
        path: PathBuf,
        /// The process that has it open, as far as DuckDB tells; for people only.
        holder: String,
    },
    /// The file has another format.
    #[error("`{}` is not a database; give another path with --db-path, or move the file away", path.display())]
    NotADatabase { path: PathBuf },
    /// It is a DuckDB database of another program.
    #[error("the database `{}` was not made by dyno: it holds a table `{table}`; give another with --db-path", path.display())]
    Foreign { path: PathBuf, table: String },
    /// The write-ahead log holds only zeros, so the last transactions are lost.
    #[error(
        "the write-ahead log `{}` holds nothing but zeros, as after a crash of the machine: what was written last is lost; \
         move that file away to go on with what is in `{}`, or restore both from a backup",
        log.display(),
        path.display()
    )]
    EmptyLog { path: PathBuf, log: PathBuf },
    /// DuckDB found bytes that it did not write.
    #[error(
        "the database `{}` is damaged: {message}; restore it and `{}` from a backup, or move both away and a new one is \
         made; the result files of its runs can be compared without it",
        path.display(),
        log_of(path).display()
    )]
    Damaged { path: PathBuf, message: String },
    #[error(transparent)]
    Library(#[from] OpenError),
    /// Any other reason why it cannot be opened.
    #[error("cannot open the database `{}`: {message}{}", path.display(), remedy(message))]
    Open {
        path: PathBuf,
        /// In the words of DuckDB or the system.
        message: String,
    },
    #[error("the database `{}` has version {found}, this dyno knows versions up to {known}; use a newer dyno", path.display())]
    Newer {
        path: PathBuf,
        found: u32,
        /// The newest version that this dyno knows.
        known: u32,
    },
    /// It is opened for reading only, which cannot migrate it.
    #[error("the database `{}` has version {found}, this dyno needs {known}; run a benchmark once to bring it up to date", path.display())]
    Older { path: PathBuf, found: u32, known: u32 },
    #[error("there is no run `{selector}`; {hint}")]
    NoSuchRun {
        selector: String,
        /// The newest runs, or why there are none.
        hint: String,
    },
    #[error("run {run} has no case {case}; it has {cases}, numbered from 0")]
    NoSuchCase {
        run: String,
        case: u32,
        /// Number of cases of the run.
        cases: u32,
    },
    #[error("there is no baseline `{name}`; {hint}")]
    NoSuchBaseline {
        name: String,
        /// The names of the baselines, or how to save one.
        hint: String,
    },
    /// JSON has no infinity and no NaN.
    #[error("refused to store a number that is infinite or not a number: {what}")]
    NotFinite {
        /// The path of the field, and its value.
        what: String,
    },
    /// It is to be replaced.
    #[error("the database `{}` is open in {holder}; end that process and try again (`dyno serve` ends with Ctrl-C or SIGTERM)", path.display())]
    InUse {
        path: PathBuf,
        /// The process that has it open, as far as the system tells; for people only.
        holder: String,
    },
    #[error("the backup `{}` cannot be used: {fault}", path.display())]
    Backup { path: PathBuf, fault: BackupFault },
    /// What was copied is not what is there now.
    #[error("the database `{}` was changed while it was written anew, and was left as it is; try again", path.display())]
    Changed { path: PathBuf },
    /// A file beside the database cannot be written or replaced.
    #[error(transparent)]
    Host(#[from] HostFault),
    /// DuckDB refused or failed to carry out a statement.
    #[error("the database failed while {doing}: {source}{}", remedy(&source.to_string()))]
    Statement {
        /// As it follows "while". // eg: "storing a run"
        doing: &'static str,
        source: duckdb::Error,
    },
    /// The JSON text of a stored record does not have the form that this dyno knows.
    #[error("the database holds a record that cannot be read ({what}): {source}")]
    Record {
        /// The kind of record. // eg: "params"
        what: &'static str,
        source: serde_json::Error,
    },
}

/// Why a file cannot be used as a backup. Each message says what can be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum BackupFault {
    #[error("it does not exist; name a file that `dyno backup` wrote")]
    Missing,
    #[error("it is not a file; name a file that `dyno backup` wrote")]
    NotAFile,
    #[error("it is empty (0 bytes); use another backup")]
    Empty,
    #[error("it is not a database; name a file that `dyno backup` wrote")]
    NotADatabase,
    /// It is a DuckDB database without tables.
    #[error("it has no tables of dyno; name a file that `dyno backup` wrote")]
    NoTables,
    /// It is a DuckDB database of another program.
    #[error("it was not made by dyno: it holds a table `{table}`; name a file that `dyno backup` wrote")]
    Foreign { table: String },
    #[error("it has version {found}, this dyno knows versions up to {known}; use a newer dyno")]
    Newer {
        found: u32,
        /// The newest version that this dyno knows.
        known: u32,
    },
    /// DuckDB found bytes that it did not write.
    #[error("it is damaged ({message}); use another backup")]
    Damaged { message: String },
    #[error(
        "its write-ahead log holds nothing but zeros, as after a crash of the machine; use another backup"
    )]
    EmptyLog,
    #[error("it is the database itself; name a backup, or another database with --db-path")]
    TheDatabase,
}

impl StoreError {
    /// Whether trying again may succeed: another connection of this process wrote the same rows, or queries took the
    /// memory that all connections share.
    pub(super) fn passes(&self) -> bool {
        let Self::Statement { source, .. } = self else { return false };
        source.to_string().contains("conflict") || is_out_of_memory(source)
    }

    /// Whether queries took the memory that all connections share.
    pub(super) fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Statement { source, .. } if is_out_of_memory(source))
    }

    /// The resource of the machine that ran out, if that is the reason.
    #[must_use]
    pub fn resource(&self) -> Option<Resource> {
        match self {
            Self::Library(OpenError::Unloadable { reason, .. }) => resource_in(reason),
            Self::Open { message, .. } => resource_in(message),
            Self::Statement { source, .. } => resource_in(&source.to_string()),
            Self::Host(fault) => Some(fault.resource()),
            _ => None,
        }
    }

    /// Whether the user can correct it by asking for something else.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoSuchRun { .. }
                | Self::NoSuchCase { .. }
                | Self::NoSuchBaseline { .. }
                | Self::NotADatabase { .. }
                | Self::Foreign { .. }
                | Self::Backup { .. }
        )
    }
}

/// The resource that ran out. DuckDB has no error codes for this and repeats the words of the system.
fn resource_in(message: &str) -> Option<Resource> {
    const WORDS: [(&str, Resource); 10] = [
        ("No space left on device", Resource::Disk),
        ("Disk quota exceeded", Resource::Disk),
        ("File too large", Resource::Disk),
        ("Read-only file system", Resource::ReadOnly),
        ("Permission denied", Resource::Permission),
        ("Is a directory", Resource::NotAFile),
        ("Not a directory", Resource::NotAFolder),
        ("Too many open files", Resource::Descriptors),
        ("Resource temporarily unavailable", Resource::Processes),
        ("Cannot allocate memory", Resource::Memory),
    ];
    WORDS.iter().find(|(words, _)| message.contains(words)).map(|(_, resource)| *resource)
}

/// Whether DuckDB reached its own limit on memory, or says that an earlier statement of the transaction did. It has no error codes
/// for this either.
pub(super) fn is_out_of_memory(error: &duckdb::Error) -> bool {
    const WORDS: [&str; 5] = [
        "Out of Memory",
        "failed to pin block",
        "failed to allocate data",
        "could not allocate block",
        "transaction is aborted",
    ];
    let message = error.to_string();
    WORDS.iter().any(|words| message.contains(words))
}

/// Whether DuckDB found bytes that it did not write. It has no error codes for this either.
pub(super) fn is_damage(message: &str) -> bool {
    ["Corrupt", "corrupt", "checksum", "replaying WAL", "Serialization Error"]
        .iter()
        .any(|words| message.contains(words))
}

/// The end of a message, with what to do if the file or the machine is at fault.
fn remedy(message: &str) -> String {
    if is_damage(message) {
        return "; its file is damaged: restore it from a backup, or move it and its `.wal` away and a new one is made"
            .to_owned();
    }
    let sentence = resource_in(message).and_then(|resource| resource.sentence(Place::Database));
    sentence.map(|sentence| format!("; {sentence}")).unwrap_or_default()
}

/// The write-ahead log beside a database.
#[must_use]
pub fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    name.into()
}

/// Turns the first number that is not finite, if there is one, into an error.
pub(super) fn finite(not_finite: Option<String>) -> Result<(), StoreError> {
    not_finite.map_or(Ok(()), |what| Err(StoreError::NotFinite { what }))
}

/// Names what was being done when a statement fails.
pub(super) fn doing(doing: &'static str) -> impl Fn(duckdb::Error) -> StoreError {
    move |source| StoreError::Statement { doing, source }
}

/// Names the record that was being read or written when JSON fails.
pub(super) fn record(what: &'static str) -> impl Fn(serde_json::Error) -> StoreError {
    move |source| StoreError::Record { what, source }
}
