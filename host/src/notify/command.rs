//! The command hook: a line for the shell, which gets the body on its standard input.

use std::time::Duration;

use crate::pool::{Complaints, HelperFault, ToolCommand, run_tool};

/// Longest time that the command may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Runs the line by `sh -c`, with the body on standard input and the event in `DYNO_EVENT`.
pub(super) fn run(line: &str, body: &str, cancelled: &dyn Fn() -> bool) -> Result<(), String> {
    let command = ToolCommand {
        program: "sh",
        arguments: &["-c", line],
        folder: None,
        environment: &[("DYNO_EVENT", "regression")],
        input: body.as_bytes(),
        answer: None,
        complaints: Complaints::Shown,
        patience: TIMEOUT,
    };
    let Err(fault) = run_tool(&command, cancelled) else { return Ok(()) };
    let why = match fault {
        HelperFault::NotStarted(error) => format!("cannot be started: {error}"),
        HelperFault::Cancelled => "was ended: cancelled".to_owned(),
        HelperFault::TimedOut(_) => format!("took longer than {} s and was ended", TIMEOUT.as_secs()),
        HelperFault::Died(exit, _) => format!("failed ({exit})"),
        fault @ (HelperFault::OverMemory(_) | HelperFault::TooLong(_)) => format!("was ended: {fault}"),
    };
    Err(format!("the notification command `{line}` {why}"))
}
