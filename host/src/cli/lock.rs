//! `dyno lock`: the operator trusts the plugins in a folder as they are.

use std::process::ExitCode;

use dyno_core::units;

use super::{Failure, args::LockArgs, exit_code::End, output};
use crate::app::{App, LockedFolder};

pub(super) fn execute(app: &App, args: &LockArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let locked = app.packages().lock(&args.folders)?;
    if as_json {
        output::json(&locked)?;
        return Ok(End::Good.into());
    }
    if locked.is_empty() {
        return Err(Failure::Usage(
            "there is no plugin folder; give one, like `dyno lock plugins`".to_owned(),
        ));
    }
    for folder in &locked {
        output::text(&shown(folder))?;
    }
    Ok(End::Good.into())
}

fn shown(locked: &LockedFolder) -> String {
    let LockedFolder { folder, files, added, changed, removed } = locked;
    let mut text = format!("locked {} in `{}`", units::count(files.len(), "file"), folder.display());
    for (word, paths) in [("new", added), ("changed", changed), ("removed", removed)] {
        for path in paths {
            text.push_str(&format!("\n  {word}: {path}"));
        }
    }
    text
}
