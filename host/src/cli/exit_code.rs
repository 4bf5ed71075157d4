//! The exit codes of `dyno`: documented in `docs/cli.md`, stable across versions.

use std::process::ExitCode;

/// How a command ended, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum End {
    /// Everything went well.
    Good = 0,
    /// Something got slower, or otherwise worse, by more than the threshold.
    Regression = 1,
    /// A flag, a name or a value was wrong; nothing was run.
    Usage = 2,
    /// Nothing was compared at all; or something could not be judged, and --fail-inconclusive was given.
    Inconclusive = 3,
    /// At least one benchmark failed, timed out or got no device; of a comparison, one of the candidate's. The others have
    /// results.
    BenchmarkFailed = 4,
    /// The host itself failed.
    HostFailed = 5,
    /// The user gave up with Ctrl-C: 128 + SIGINT, as shells expect. What was done is kept.
    Cancelled = 130,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        Self::from(end as u8)
    }
}
