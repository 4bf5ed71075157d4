//! How a case ended, in the words of every format: with a result, failed, or without a result although nothing failed.

use dyno_core::model::CaseStatus;

/// The end of a case, with a sentence where it has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It has a result.
    Good,
    /// It failed or timed out.
    Failed(String),
    /// It was skipped, cancelled, or has not ended.
    Skipped(String),
}

impl Outcome {
    pub(super) fn of(status: &CaseStatus) -> Self {
        match status {
            CaseStatus::Completed => Self::Good,
            CaseStatus::Failed { stage, reason } => {
                Self::Failed(format!("failed in stage {stage}: {reason}"))
            }
            CaseStatus::TimedOut { stage, limit_s, .. } => {
                Self::Failed(format!("timed out in stage {stage}: it took longer than {limit_s} s"))
            }
            CaseStatus::Skipped { reason, .. } => Self::Skipped(format!("skipped: {reason}")),
            CaseStatus::Cancelled => Self::Skipped("cancelled".to_owned()),
            CaseStatus::Running => Self::Skipped("not finished when dyno ended".to_owned()),
            CaseStatus::Queued => Self::Skipped("not begun when dyno ended".to_owned()),
        }
    }

    /// Why there is no result.
    pub(super) fn sentence(self) -> Option<String> {
        match self {
            Self::Good => None,
            Self::Failed(why) | Self::Skipped(why) => Some(why),
        }
    }
}
