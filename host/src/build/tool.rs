//! Running one of the user's tools, and what to say when it is not there.

use std::{io::ErrorKind, path::Path};

use super::{error::BuildError, wish::Wish};
use crate::pool::{HelperFault, ToolCommand, run_tool};

/// Longest answer that is read [bytes]: Cargo names every artefact of every dependency.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// A program that is run in the folder of the sources.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool<'a> {
    /// The program, which is looked for in `PATH`.
    pub(super) program: &'a str,
    pub(super) arguments: &'a [&'a str],
    pub(super) folder: &'a Path,
    /// Variables beside those of this process.
    pub(super) environment: &'a [(&'a str, &'a str)],
    /// What it builds, as in "which builds …".
    pub(super) what: &'a str,
    /// How to get it.
    pub(super) remedy: &'a str,
}

impl Tool<'_> {
    /// Runs it; gives what it wrote to standard output.
    pub(super) fn ask(&self, wish: &Wish<'_>) -> Result<Vec<u8>, BuildError> {
        self.run(wish, Some(MAX_ANSWER_BYTES))
    }

    /// Runs it for its effect. What it writes goes to whoever reads the build's messages.
    pub(super) fn act(&self, wish: &Wish<'_>) -> Result<(), BuildError> {
        self.run(wish, None).map(|_| ())
    }

    fn run(&self, wish: &Wish<'_>, answer: Option<usize>) -> Result<Vec<u8>, BuildError> {
        let command = ToolCommand {
            program: self.program,
            arguments: self.arguments,
            folder: Some(self.folder),
            environment: self.environment,
            input: &[],
            answer,
            complaints: wish.messages,
            patience: wish.patience,
        };
        let tool = || self.program.to_owned();
        run_tool(&command, wish.cancelled).map_err(|fault| match fault {
            HelperFault::NotStarted(error) if error.kind() == ErrorKind::NotFound => BuildError::NoTool {
                tool: tool(),
                what: self.what.to_owned(),
                remedy: self.remedy.to_owned(),
            },
            HelperFault::Died(exit, _) => BuildError::Failed { tool: tool(), exit },
            HelperFault::TimedOut(patience) => BuildError::TimedOut { tool: tool(), patience },
            HelperFault::Cancelled => BuildError::Cancelled,
            other => BuildError::Tool { tool: tool(), why: other.to_string() },
        })
    }
}
