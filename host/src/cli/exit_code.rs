//! The exit codes of `dyno`: documented in `docs/cli.md`, stable across versions.

use std::process::ExitCode;

/// How a command ended, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum End {
    /// Success.
    Good = 0,
    /// A metric is worse by more than the threshold.
    Regression = 1,
    /// A flag, a name or a value was wrong; nothing was run.
    Usage = 2,
    /// Nothing was compared; or a metric or case could not be judged, and --fail-inconclusive was given.
    Inconclusive = 3,
    /// At least one benchmark (in a comparison: of the candidate) failed, timed out or got no device. The others have
    /// results.
    BenchmarkFailed = 4,
    /// The host itself failed.
    HostFailed = 5,
    /// Cancelled by Ctrl-C: 128 + SIGINT, as shells expect. Completed measurements are kept.
    Cancelled = 130,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        Self::from(end as u8)
    }
}
