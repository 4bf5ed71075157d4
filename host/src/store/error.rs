//! What can go wrong with the database, and what to do about it.

use std::path::{Path, PathBuf};

use crate::fault::{Place, Resource};

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it open.
    #[error("the database `{}` is open in {holder}; wait for it, or give another with --db-path", path.display())]
    Locked {
        /// Its path.
        path: PathBuf,
        /// Who has it, as far as is known.
        holder: String,
    },
    /// It is a file of something else.
    #[error("`{}` is not a database; give another path with --db-path, or move the file away", path.display())]
    NotADatabase {
        /// Its path.
        path: PathBuf,
    },
    /// It is a database of something else.
    #[error("the database `{}` was not made by dyno: it holds a table `{table}`; give another with --db-path", path.display())]
    Foreign {
        /// Its path.
        path: PathBuf,
        /// A table that is not ours.
        table: String,
    },
    /// What was written last is damaged.
    #[error(
        "the write-ahead log `{}` holds nothing but zeros, as after a crash of the machine: what was written last is lost; \
         move that file away to go on with what is in `{}`, or restore both from a backup",
        log.display(),
        path.display()
    )]
    EmptyLog {
        /// Path of the database.
        path: PathBuf,
        /// Path of its log.
        log: PathBuf,
    },
    /// Its bytes are not what was written.
    #[error(
        "the database `{}` is damaged: {message}; restore it and `{}` from a backup, or move both away and a new one is \
         made; the result files of its runs can be compared without it",
        path.display(),
        log_of(path).display()
    )]
    Damaged {
        /// Its path.
        path: PathBuf,
        /// What DuckDB found.
        message: String,
    },
    /// It cannot be opened.
    #[error("cannot open the database `{}`: {message}{}", path.display(), remedy(message))]
    Open {
        /// Its path.
        path: PathBuf,
        /// What DuckDB or the system said.
        message: String,
    },
    /// It was written by a newer dyno.
    #[error("the database `{}` has version {found}, this dyno knows versions up to {known}; use a newer dyno", path.display())]
    Newer {
        /// Its path.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that is known.
        known: u32,
    },
    /// It is read only and must be migrated first.
    #[error("the database `{}` has version {found}, this dyno needs {known}; run a benchmark once to bring it up to date", path.display())]
    Older {
        /// Its path.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that is needed.
        known: u32,
    },
    /// There is no such run.
    #[error("there is no run `{selector}`; {hint}")]
    NoSuchRun {
        /// What was asked for.
        selector: String,
        /// What there is.
        hint: String,
    },
    /// The run has no such case.
    #[error("run {run} has no case {case}; it has {cases}, numbered from 0")]
    NoSuchCase {
        /// Identifier of the run.
        run: String,
        /// What was asked for.
        case: u32,
        /// How many cases the run has.
        cases: u32,
    },
    /// There is no such baseline.
    #[error("there is no baseline `{name}`; {hint}")]
    NoSuchBaseline {
        /// What was asked for.
        name: String,
        /// What there is.
        hint: String,
    },
    /// A number cannot be stored.
    #[error("refused to store a number that is infinite or not a number: {what}")]
    NotFinite {
        /// Where it is, and what.
        what: String,
    },
    /// A statement failed.
    #[error("the database failed while {doing}: {source}{}", remedy(&source.to_string()))]
    Statement {
        /// What was being done.
        doing: &'static str,
        /// What DuckDB said.
        source: duckdb::Error,
    },
    /// A stored record is not readable.
    #[error("the database holds a record that cannot be read ({what}): {source}")]
    Record {
        /// Which one.
        what: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl StoreError {
    /// Whether it may go well a moment later: another connection of this process wrote the same rows, or a query took
    /// the memory that all of them share.
    pub(super) fn passes(&self) -> bool {
        let Self::Statement { source, .. } = self else { return false };
        let message = source.to_string();
        message.contains("conflict") || message.contains("Out of Memory")
    }

    /// What the machine did not give, where that is why.
    #[must_use]
    pub fn resource(&self) -> Option<Resource> {
        match self {
            Self::Open { message, .. } => resource_in(message),
            Self::Statement { source, .. } => resource_in(&source.to_string()),
            _ => None,
        }
    }

    /// Whether the user can mend it by asking for something else.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoSuchRun { .. }
                | Self::NoSuchCase { .. }
                | Self::NoSuchBaseline { .. }
                | Self::NotADatabase { .. }
                | Self::Foreign { .. }
        )
    }
}

/// What the machine did not give: DuckDB has no numbers for it, and passes on the words of the system.
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

/// Whether DuckDB found other bytes than were written: it has no numbers for that either.
pub(super) fn is_damage(message: &str) -> bool {
    ["Corrupt", "corrupt", "checksum", "replaying WAL", "Serialization Error"]
        .iter()
        .any(|words| message.contains(words))
}

/// What helps where the machine, and not the request, is at fault.
fn remedy(message: &str) -> String {
    if is_damage(message) {
        return "; its file is damaged: restore it from a backup, or move it and its `.wal` away and a new one is made"
            .to_owned();
    }
    let sentence = resource_in(message).and_then(|resource| resource.sentence(Place::Database));
    sentence.map(|sentence| format!("; {sentence}")).unwrap_or_default()
}

/// The write-ahead log beside a database.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    name.into()
}

/// Passes what holds only finite numbers.
pub(super) fn finite(not_finite: Option<String>) -> Result<(), StoreError> {
    not_finite.map_or(Ok(()), |what| Err(StoreError::NotFinite { what }))
}

/// Says what was being done when a statement fails.
pub(super) fn doing(doing: &'static str) -> impl Fn(duckdb::Error) -> StoreError {
    move |source| StoreError::Statement { doing, source }
}

/// Says which record was being read or written when JSON fails.
pub(super) fn record(what: &'static str) -> impl Fn(serde_json::Error) -> StoreError {
    move |source| StoreError::Record { what, source }
}
