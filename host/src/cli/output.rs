//! Writing to the terminal: text and JSON to standard output, errors and remarks to standard error.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use super::Failure;
use crate::fault::{HostFault, Place};

/// Writes text to standard output.
pub(super) fn text(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    finished(written.and_then(|()| out.flush()))
}

/// Writes JSON to standard output.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| Failure::Host(error.to_string()))?;
    text.push('\n');
    self::text(&text)
}

/// Whether what was written has arrived.
pub(super) fn finished(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Ok(()) => Ok(()),
        // `dyno list | head` is no fault.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::PipeClosed),
        Err(error) => Err(HostFault::new("cannot write to standard output", &error, Place::Machine).into()),
    }
}

/// Says on standard error why a command failed.
pub(super) fn error(message: &str) {
    if !message.is_empty() {
        note(&format!("error: {message}"));
    }
}

/// Says something on standard error. If nobody can read it, nothing can be done.
pub(super) fn note(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}
