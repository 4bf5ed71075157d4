//! `dyno completions SHELL`.

use std::process::ExitCode;

use clap::CommandFactory;

use super::{Failure, args, exit_code::End, output};

pub(super) fn execute(args: &args::CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::Cli::command(), "dyno", &mut script);
    output::text(&String::from_utf8_lossy(&script))?;
    Ok(End::Good.into())
}
