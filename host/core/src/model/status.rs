//! How things end. A case has exactly one end; a failure says at which stage and why.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stages that a launch goes through, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waiting for the device.
    Lease,
    /// Starting the worker and shaking hands.
    Spawn,
    /// Verifying the bytes, loading them, checking the contract.
    Load,
    /// The plugin's `setup`.
    Setup,
    /// The plugin's `verify`.
    Verify,
    /// Finding the iteration count, and warming up.
    Calibrate,
    /// The plugin's `prepare` and `execute`.
    Sample,
    /// The plugin's `process_results`.
    ProcessResults,
    /// The plugin's `cleanup`, and the worker's exit.
    Cleanup,
    /// Writing to the database.
    Store,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lease => "lease",
            Self::Spawn => "spawn",
            Self::Load => "load",
            Self::Setup => "setup",
            Self::Verify => "verify",
            Self::Calibrate => "calibrate",
            Self::Sample => "sample",
            Self::ProcessResults => "process_results",
            Self::Cleanup => "cleanup",
            Self::Store => "store",
        })
    }
}

/// Why a launch failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// One sentence.
    pub message: String,
    /// How the worker process ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// The last lines that the plugin wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_output: Vec<String>,
}

impl Reason {
    /// A reason that is only a sentence.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: None, last_output: Vec::new() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It called exit.
    Code(i32),
    /// A signal killed it.
    Signal {
        /// Number of the signal.
        number: i32,
        /// Name of the signal. // eg: "SIGSEGV"
        name: String,
    },
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal { number, name } => write!(f, "signal {name} ({number})"),
        }
    }
}

/// Status of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CaseStatus {
    /// Not begun.
    Queued,
    /// Being measured, or left in this state by a host that died.
    Running,
    /// All its launches gave samples.
    Completed,
    /// A launch failed.
    Failed {
        /// The stage.
        stage: Stage,
        /// The reason.
        reason: Reason,
    },
    /// It cannot run here, which is not a failure.
    Skipped {
        /// One sentence.
        reason: String,
        /// Why, for programs; absent in results of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<SkipCause>,
    },
    /// A stage exceeded its time limit.
    TimedOut {
        /// The stage.
        stage: Stage,
        /// The limit [s].
        limit_s: f64,
        /// The last lines that the plugin wrote.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        last_output: Vec<String>,
    },
    /// Cancelled by the user. Completed launches are kept.
    Cancelled,
}

/// Why a case was skipped, for programs; its reason says it to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipCause {
    /// The device is not available.
    NoDevice,
    /// The benchmark does not run on this kind of device.
    OtherHardware,
    /// The run was asked for with `incremental`, and the database holds a result of this case already.
    KnownResult,
    /// The request could no longer be met when the run left the queue.
    Request,
    /// The plugin said that it cannot run here.
    Plugin,
}

/// How the reason begins if a device is not available.
const NO_DEVICE: &str = "device `";

impl CaseStatus {
    /// Whether the case was carried out to an end. A cancelled case was not.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Cancelled)
    }

    /// The reason of a case whose device is not available.
    #[must_use]
    pub fn no_device(name: &str, why: &str) -> String {
        format!("{NO_DEVICE}{name}` is not available: {why}")
    }

    /// The end of a case that cannot run here.
    #[must_use]
    pub fn skipped(cause: SkipCause, reason: impl Into<String>) -> Self {
        Self::Skipped { reason: reason.into(), cause: Some(cause) }
    }

    /// Why the case was skipped; `None` where it was not, or where an older version did not say.
    #[must_use]
    pub fn skip_cause(&self) -> Option<SkipCause> {
        match self {
            Self::Skipped { cause: Some(cause), .. } => Some(*cause),
            // Results of older versions have the sentence alone.
            Self::Skipped { reason, cause: None } if reason.starts_with(NO_DEVICE) => {
                Some(SkipCause::NoDevice)
            }
            _ => None,
        }
    }

    /// Whether the case was skipped because its device is not available.
    #[must_use]
    pub fn lacks_device(&self) -> bool {
        self.skip_cause() == Some(SkipCause::NoDevice)
    }

    /// Whether there is a result of the case: measured by its run, or by an earlier one and therefore not again.
    #[must_use]
    pub fn has_result(&self) -> bool {
        *self == Self::Completed || self.skip_cause() == Some(SkipCause::KnownResult)
    }

    /// The word for it, as in JSON and SQL.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed { .. } => "failed",
            Self::Skipped { .. } => "skipped",
            Self::TimedOut { .. } => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether this status gives the run the exit code of a failed benchmark.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::TimedOut { .. })
    }

    /// The last lines that the plugin wrote before it failed; empty for every other end.
    #[must_use]
    pub fn last_output(&self) -> &[String] {
        match self {
            Self::Failed { reason, .. } => &reason.last_output,
            Self::TimedOut { last_output, .. } => last_output,
            _ => &[],
        }
    }

    /// The last of them that says something.
    #[must_use]
    pub fn last_words(&self) -> Option<&str> {
        self.last_output().iter().rev().map(|line| line.trim()).find(|line| !line.is_empty())
    }
}

/// Status of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Accepted, not begun.
    Queued,
    /// In progress.
    Running,
    /// Every case has ended; some may have failed.
    Completed,
    /// Cancelled by the user; completed launches are kept.
    Cancelled,
    /// dyno ended before the run did; completed launches are kept.
    Interrupted,
}

impl RunStatus {
    /// Whether the run has ended: its status does not change any more.
    #[must_use]
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// The word for it, as in JSON and SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Queued, Self::Running, Self::Completed, Self::Cancelled, Self::Interrupted]
            .into_iter()
            .find(|status| status.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_case_was_skipped_is_a_value_and_an_older_sentence_is_understood() {
        let known = CaseStatus::skipped(SkipCause::KnownResult, "device `x`: run 1 has this result");
        assert!(known.has_result() && !known.lacks_device(), "the value counts, not the sentence");
        let json = serde_json::to_value(&known).unwrap();
        assert_eq!(json["cause"], "known_result");
        assert_eq!(serde_json::from_value::<CaseStatus>(json).unwrap(), known);
        let older: CaseStatus = serde_json::from_value(serde_json::json!({
            "state": "skipped", "reason": CaseStatus::no_device("cuda", "no NVIDIA driver")
        }))
        .unwrap();
        assert!(older.lacks_device() && !older.has_result());
        let older: CaseStatus =
            serde_json::from_value(serde_json::json!({"state": "skipped", "reason": "no abacus"})).unwrap();
        assert_eq!(older.skip_cause(), None);
        assert!(CaseStatus::Completed.has_result() && !CaseStatus::Cancelled.has_result());
    }
}
