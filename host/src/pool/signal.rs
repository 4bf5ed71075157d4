//! How a process ended, in words.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use dyno_core::model::Exit;
use nix::sys::signal::Signal;

/// The end of a process as the record keeps it.
pub(super) fn exit(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(number)) => Exit::Signal { number, name: name(number) },
        // Only a stopped or continued process has neither, and we never wait for those.
        (None, None) => Exit::Code(-1),
    }
}

fn name(number: i32) -> String {
    Signal::try_from(number).map_or_else(|_| format!("signal {number}"), |signal| signal.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_named() {
        assert_eq!(exit(ExitStatus::from_raw(3 << 8)), Exit::Code(3));
        assert_eq!(exit(ExitStatus::from_raw(11)), Exit::Signal { number: 11, name: "SIGSEGV".into() });
        assert_eq!(exit(ExitStatus::from_raw(40)), Exit::Signal { number: 40, name: "signal 40".into() });
    }
}
