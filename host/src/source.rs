//! Which commit the folder is at in which a command was typed, by asking `git`; nothing where there is no git.

use std::process::{Command, Stdio};

use dyno_core::model::Source;

/// The commit of the current folder.
pub(crate) fn current() -> Option<Source> {
    let commit = git(&["rev-parse", "--verify", "HEAD"])?;
    let branch = git(&["symbolic-ref", "--short", "-q", "HEAD"]);
    let dirty = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| !text.is_empty());
    Some(Source { commit, branch: branch.filter(|branch| !branch.is_empty()), dirty })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        // Asking must not write: refreshing the index would take a lock under the user's own git.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
