//! Why something was not judged: a value that programs decide by, and the sentence for people that follows from it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Better, CaseStatus, Stage};

/// Which of the two sides of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ComparedSide {
    /// What is compared against.
    Baseline,
    /// What is judged.
    Candidate,
}

impl fmt::Display for ComparedSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Baseline => "baseline",
            Self::Candidate => "candidate",
        })
    }
}

/// Why a case or one of its metrics was not judged, or why its verdict was withdrawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unjudged {
    /// The interval reaches across the threshold.
    Undecided {
        /// Pairs that were taken; absent where the sides were measured at different times.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pairs: Option<u32>,
    },
    /// The budget ended before there was a decision.
    OutOfBudget {
        /// Pairs that were taken.
        pairs: u32,
    },
    /// A side has one launch, so that its spread is not known.
    OneLaunch {
        /// Which.
        side: ComparedSide,
    },
    /// The baseline is zero: there is no relative change.
    ZeroBaseline,
    /// There are values below and above zero: there is no relative change.
    MixedSigns,
    /// The values are so large that their spread cannot be told.
    TooLarge,
    /// A value is not a number that can be compared.
    NotFinite {
        /// Of which side.
        side: ComparedSide,
    },
    /// The sides have the metric in other units, or with another direction.
    OtherMeaning {
        /// Unit of the baseline.
        unit: String,
        /// Direction of the baseline.
        better: Better,
    },
    /// The sides have no metric in common.
    NoCommonMetric,
    /// What decides speed differs between the sides.
    Environment {
        /// What. // eg: "governor"
        what: String,
    },
    /// One result like this is expected by chance, given the number of tests.
    Chance {
        /// Tests that were judged together.
        tests: u32,
        /// p-value adjusted for them.
        adjusted_p: f64,
    },
    /// Both sides are the same file: the difference is the machine's.
    SameBuild {
        /// The difference, relative.
        effect: f64,
    },
    /// The times of a side climb or fall within its launches: there is no level to compare.
    Trend {
        /// Which.
        side: ComparedSide,
        /// Change over a launch, relative to its beginning.
        change: f64,
    },
    /// A small change was not confirmed by independent pairs.
    Unconfirmed,
    /// Other memory layouts contradict the change.
    Layout {
        /// Change in the fixed layout, relative.
        here: f64,
        /// Least change in the random layouts, relative.
        low: f64,
        /// Largest change in the random layouts, relative.
        high: f64,
        /// Pairs with random layouts.
        pairs: u32,
    },
    /// A side failed.
    Failed {
        /// Which.
        side: ComparedSide,
        /// Where; absent where another tool measured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<Stage>,
        /// Why, a sentence.
        message: String,
    },
    /// A stage of a side took longer than it may.
    TimedOut {
        /// Which side.
        side: ComparedSide,
        /// Which stage.
        stage: Stage,
        /// The limit that it passed [s].
        limit_s: f64,
    },
    /// Both sides waited for the device, and it was not free in time.
    Lease {
        /// Who had it, a sentence.
        message: String,
    },
    /// The file of a plugin is not the one that was found when the comparison began.
    PluginChanged {
        /// What was found instead, a sentence.
        message: String,
    },
    /// It cannot run here, which is not a fault.
    Skipped {
        /// Which side.
        side: ComparedSide,
        /// Why, a sentence.
        message: String,
    },
    /// A side was asked for it and has no result, since its run did not come to an end.
    NotRun {
        /// Which.
        side: ComparedSide,
        /// How it stands. // eg: "cancelled"
        status: String,
    },
    /// A side has results of it that cannot be used.
    NotMeasured {
        /// Which.
        side: ComparedSide,
        /// Why, a sentence.
        message: String,
    },
    /// A side has several results that nothing tells apart.
    Ambiguous {
        /// Which.
        side: ComparedSide,
        /// How many.
        count: u32,
    },
}

impl Unjudged {
    /// Why a side without a result has none.
    #[must_use]
    pub fn of_status(side: ComparedSide, status: &CaseStatus) -> Self {
        match status {
            CaseStatus::Failed { stage, reason } => {
                Self::Failed { side, stage: Some(*stage), message: reason.to_string() }
            }
            CaseStatus::TimedOut { stage, limit_s, .. } => {
                Self::TimedOut { side, stage: *stage, limit_s: *limit_s }
            }
            CaseStatus::Skipped { reason, .. } => Self::Skipped { side, message: reason.clone() },
            CaseStatus::Completed => {
                Self::NotMeasured { side, message: "it completed without a metric".to_owned() }
            }
            other => Self::NotRun { side, status: other.word().to_owned() },
        }
    }

    /// The same of the other sides of a comparison: what is said of a result before it is known which side it becomes.
    #[must_use]
    pub fn on(mut self, to: ComparedSide) -> Self {
        match &mut self {
            Self::OneLaunch { side }
            | Self::NotFinite { side }
            | Self::Trend { side, .. }
            | Self::Failed { side, .. }
            | Self::TimedOut { side, .. }
            | Self::Skipped { side, .. }
            | Self::NotRun { side, .. }
            | Self::NotMeasured { side, .. }
            | Self::Ambiguous { side, .. } => *side = to,
            _ => {}
        }
        self
    }

    /// Which side it is about; absent where it is about both.
    #[must_use]
    pub fn side(&self) -> Option<ComparedSide> {
        match self {
            Self::OneLaunch { side }
            | Self::NotFinite { side }
            | Self::Trend { side, .. }
            | Self::Failed { side, .. }
            | Self::TimedOut { side, .. }
            | Self::Skipped { side, .. }
            | Self::NotRun { side, .. }
            | Self::NotMeasured { side, .. }
            | Self::Ambiguous { side, .. } => Some(*side),
            _ => None,
        }
    }

    /// Whether something went wrong: what ran failed, took too long, was changed, got no device or was never run. A
    /// comparison must not pass over it in silence.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Failed { .. }
                | Self::TimedOut { .. }
                | Self::Lease { .. }
                | Self::PluginChanged { .. }
                | Self::NotRun { .. }
                | Self::NotMeasured { .. }
        )
    }
}

impl fmt::Display for Unjudged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: &f64| share * 100.0;
        match self {
            Self::Undecided { pairs: None } => {
                f.write_str("the interval reaches across the threshold: more launches would narrow it")
            }
            Self::Undecided { pairs: Some(pairs) } => {
                write!(f, "the interval reaches across the threshold after {pairs} pairs")
            }
            Self::OutOfBudget { pairs } => {
                write!(f, "not decided after {pairs} pairs: give it more --budget")
            }
            Self::OneLaunch { side } => write!(
                f,
                "the {side} has one launch: how much launches differ is not known, so there is no interval; measure it \
                 with --launches 5"
            ),
            Self::ZeroBaseline => f.write_str("the baseline is 0: there is no relative change"),
            Self::MixedSigns => {
                f.write_str("some values are below 0 and others above: there is no relative change")
            }
            Self::TooLarge => f.write_str("the values are too large to compare"),
            Self::NotFinite { side } => write!(f, "the {side} has no finite value"),
            Self::OtherMeaning { unit, better } => {
                let better = match better {
                    Better::Lower => "lower",
                    Better::Higher => "higher",
                };
                write!(f, "the baseline has it in `{unit}` with {better} better: the two cannot be compared")
            }
            Self::NoCommonMetric => f.write_str("the sides have no metric in common"),
            Self::Environment { what } => write!(
                f,
                "the sides differ in {what}, so a difference need not be the code's; measure both here with `dyno ab`, \
                 or allow it with --allow-differences"
            ),
            Self::Chance { tests, adjusted_p } => write!(
                f,
                "one such result is expected by chance in {tests} tests (adjusted p = {adjusted_p:.3})"
            ),
            Self::SameBuild { effect } => write!(
                f,
                "same build: this difference is drift of the machine, ± {:.2} %",
                percent(effect).abs()
            ),
            Self::Trend { side, change } => write!(
                f,
                "the time of the {side} {} by {:.0} % within a launch: it depends on how long is measured, so there is no \
                 time to compare; look for state that is kept from call to call",
                if *change > 0.0 { "climbs" } else { "falls" },
                percent(change).abs()
            ),
            Self::Unconfirmed => {
                f.write_str("a small change in one direction was followed by one in the other")
            }
            Self::Layout { here, low, high, pairs } => write!(
                f,
                "a matter of where things lie in memory: in this layout {:+.2} %, in {pairs} random ones {:+.2} to \
                 {:+.2} %; see --random-layout",
                percent(here),
                percent(low),
                percent(high)
            ),
            Self::Failed { side, stage: Some(stage), message } => {
                write!(f, "the {side} failed in {stage}: {message}")
            }
            Self::Failed { side, stage: None, message } => write!(f, "the {side} failed: {message}"),
            Self::TimedOut { side, stage, limit_s } => {
                write!(f, "the {side} timed out in {stage} after {limit_s} s")
            }
            Self::Lease { message } | Self::PluginChanged { message } => f.write_str(message),
            Self::Skipped { side, message } => write!(f, "the {side} was skipped: {message}"),
            Self::NotRun { side, status } => write!(
                f,
                "the {side} has no result: its run did not come to an end, and the case is {}",
                status.replace('_', " ")
            ),
            Self::NotMeasured { side, message } => write!(f, "the {side} was not measured: {message}"),
            Self::Ambiguous { side, count } => write!(
                f,
                "the {side} has {count} results of this name, and nothing tells them apart: none of them is compared"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Reason, SkipCause};

    #[test]
    fn what_went_wrong_is_a_failure_and_what_is_only_uncertain_is_none() {
        let side = ComparedSide::Candidate;
        let status = |stage| CaseStatus::Failed { stage, reason: Reason::new("it says `timed out in`") };
        for (why, failure) in [
            (Unjudged::of_status(side, &status(Stage::Setup)), true),
            (Unjudged::of_status(side, &status(Stage::Lease)), true),
            (Unjudged::of_status(side, &CaseStatus::Queued), true),
            (Unjudged::of_status(side, &CaseStatus::skipped(SkipCause::Plugin, "x failed in y")), false),
            (Unjudged::Undecided { pairs: Some(80) }, false),
            (Unjudged::SameBuild { effect: 0.3 }, false),
        ] {
            assert_eq!(why.is_failure(), failure, "{why}");
            let json = serde_json::to_value(&why).unwrap();
            assert_eq!(serde_json::from_value::<Unjudged>(json).unwrap(), why);
        }
    }

    #[test]
    fn a_side_can_be_given_later() {
        let why = Unjudged::NotMeasured { side: ComparedSide::Candidate, message: "exit code 2".into() };
        assert_eq!(why.on(ComparedSide::Baseline).to_string(), "the baseline was not measured: exit code 2");
    }
}
