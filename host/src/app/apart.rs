//! Reading a database completely in a process of its own: DuckDB's checksums do not show every damage, and what they miss can crash
//! the process that reads it.

use std::{io, path::Path, time::Duration};

use dyno_core::model::Exit;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::error::AppError;
use crate::{
    fault::{HostFault, Place},
    pool::{Complaints, HelperFault, ToolCommand, run_tool},
    runner::Cancel,
    store::{BackupFault, Contents, StoreError, examine},
};

/// The command that answers with an [`Examined`]. It is not for people.
pub const EXAMINE: &str = "examine-database";
/// This program, even if its file was replaced meanwhile.
const ITSELF: &str = "/proc/self/exe";
/// Longest time: a gigabyte takes seconds.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Longest answer [bytes].
const MAX_ANSWER: usize = 64 << 10;
/// How a process ends that follows a wrong pointer, or notices that it would.
const CRASHES: [Signal; 5] =
    [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGABRT, Signal::SIGILL, Signal::SIGFPE];

/// What the process says that reads a database, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub enum Examined {
    /// It was read to its last block.
    Whole(Contents),
    /// It cannot be used.
    Refused(BackupFault),
    /// Another process has it open.
    Locked {
        /// That process, for people.
        holder: String,
    },
    /// It could not be read for a reason that says nothing about it.
    Failed {
        /// A sentence for people.
        why: String,
    },
}

impl Examined {
    /// Reads a database completely in this process.
    #[must_use]
    pub fn of(database: &Path) -> Self {
        match examine(database) {
            Ok(contents) => Self::Whole(contents),
            Err(StoreError::Backup { fault, .. }) => Self::Refused(fault),
            Err(StoreError::Locked { holder, .. }) => Self::Locked { holder },
            Err(error) => Self::Failed { why: error.to_string() },
        }
    }
}

/// Reads a database completely in a process of its own.
///
/// # Errors
/// When another process has it open, the user cancelled, or the machine lacks something. What is wrong with the database itself is
/// the inner error.
pub(super) fn examine_apart(
    database: &Path,
    cancel: &Cancel,
) -> Result<Result<Contents, BackupFault>, AppError> {
    let failed = |error: &io::Error| {
        let doing = format!("cannot read `{}` in a process of its own", database.display());
        HostFault::new(doing, error, Place::Machine)
    };
    // An argument that is not Unicode would be another file.
    let path = database.to_str().ok_or_else(|| failed(&io::Error::other("its name is not Unicode")))?;
    let command = ToolCommand {
        program: ITSELF,
        arguments: &[EXAMINE, "--", path],
        folder: None,
        environment: &[],
        input: &[],
        answer: Some(MAX_ANSWER),
        complaints: Complaints::Dropped,
        patience: PATIENCE,
    };
    let answer = match run_tool(&command, &|| cancel.is_set()) {
        Ok(answer) => answer,
        Err(HelperFault::Cancelled) => return Err(AppError::Cancelled),
        Err(HelperFault::NotStarted(error)) => return Err(failed(&error).into()),
        Err(HelperFault::Died(exit, _)) if is_crash(&exit) => {
            let message = format!("the process that read it ended with {exit}");
            return Ok(Err(BackupFault::Damaged { message }));
        }
        Err(fault) => return Err(failed(&io::Error::other(fault.to_string())).into()),
    };
    let examined = serde_json::from_slice(&answer).map_err(|error| failed(&error.into()))?;
    match examined {
        Examined::Whole(contents) => Ok(Ok(contents)),
        Examined::Refused(fault) => Ok(Err(fault)),
        Examined::Locked { holder } => Err(StoreError::Locked { path: database.to_owned(), holder }.into()),
        Examined::Failed { why } => Err(failed(&io::Error::other(why)).into()),
    }
}

fn is_crash(exit: &Exit) -> bool {
    matches!(exit, Exit::Signal { number, .. } if CRASHES.iter().any(|it| *it as i32 == *number))
}
