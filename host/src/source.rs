//! Which commit the folder is at in which a command was typed, by asking `git`; nothing where there is no git.

use std::time::Duration;

use dyno_core::model::Source;

use crate::pool::{Complaints, HelperFault, ToolCommand, run_tool};

/// Longest time for an answer: a large checkout on a slow disk takes seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer that is read [bytes]: the first changed file says that there are changes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The commit of the current folder.
pub(crate) fn current() -> Option<Source> {
    let commit = git(&["rev-parse", "--verify", "HEAD"]).ok()?;
    let branch = git(&["symbolic-ref", "--short", "-q", "HEAD"]).ok();
    let dirty = match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Ok(changes) => !changes.is_empty(),
        Err(fault) => matches!(fault, HelperFault::TooLong(_)),
    };
    Some(Source { commit, branch: branch.filter(|branch| !branch.is_empty()), dirty })
}

fn git(arguments: &[&str]) -> Result<String, HelperFault> {
    let command = ToolCommand {
        program: "git",
        arguments,
        // Asking must not write: refreshing the index would take a lock under the user's own git.
        folder: None,
        environment: &[("GIT_OPTIONAL_LOCKS", "0")],
        input: &[],
        answer: Some(MAX_ANSWER_BYTES),
        complaints: Complaints::Dropped,
        patience: PATIENCE,
    };
    let answer = run_tool(&command, &|| false)?;
    Ok(String::from_utf8_lossy(&answer).trim().to_owned())
}
