//! `dyno examine-database`: the other end of [`crate::app::Examined`].

use std::process::ExitCode;

use nix::sys::resource::{Resource, setrlimit};

use super::{Failure, args::ExamineArgs, exit_code::End, output};
use crate::app::Examined;

pub(super) fn execute(args: &ExamineArgs) -> Result<ExitCode, Failure> {
    // A crash is an answer here, and its core would be as large as what was read.
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    output::json(&Examined::of(&args.file))?;
    Ok(End::Good.into())
}
