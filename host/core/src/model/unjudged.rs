//! Why a case or metric was not judged: a value that programs decide by, and the sentence for people that follows from
//! it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Better, CaseStatus, Stage};

/// One of the two sides of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ComparedSide {
    /// The side to compare with.
    Baseline,
    /// The side that is judged.
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
        /// Pairs that were taken; absent if the sides were measured at different times.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pairs: Option<u32>,
    },
    /// The budget ended before there was a decision.
    OutOfBudget {
        /// Pairs that were taken.
        pairs: u32,
    },
    /// A side has only one launch, so its spread is not known.
    OneLaunch {
        /// The side.
        side: ComparedSide,
    },
    /// The baseline is zero: there is no relative change.
    ZeroBaseline,
    /// Some values are below zero and others above: there is no relative change.
    MixedSigns,
    /// The values are so large that their spread cannot be computed.
    TooLarge,
    /// A value is not a number that can be compared.
    NotFinite {
        /// The side.
        side: ComparedSide,
    },
    /// The sides have the metric in different units, or with different directions.
    OtherMeaning {
        /// Unit of the baseline.
        unit: String,
        /// Direction of the baseline.
        better: Better,
    },
    /// The sides have no metric in common.
    NoCommonMetric,
    /// A property that decides speed differs between the sides.
    Environment {
        /// The property. // eg: "governor"
        what: String,
    },
    /// One result like this is expected by chance, given the number of tests.
    Chance {
        /// Tests that were judged together.
        tests: u32,
        /// p-value adjusted for them.
        adjusted_p: f64,
    },
    /// Both sides are the same file: the machine caused the difference.
    SameBuild {
        /// The difference, relative.
        effect: f64,
    },
    /// The times of a side climb or fall within its launches: there is no level to compare.
    Trend {
        /// The side.
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
        /// Smallest change in the random layouts, relative.
        low: f64,
        /// Largest change in the random layouts, relative.
        high: f64,
        /// Pairs with random layouts.
        pairs: u32,
    },
    /// A side failed.
    Failed {
        /// The side.
        side: ComparedSide,
        /// The stage; absent for results of another tool.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<Stage>,
        /// The reason, a sentence.
        message: String,
    },
    /// A stage of a side exceeded its time limit.
    TimedOut {
        /// The side.
        side: ComparedSide,
        /// The stage.
        stage: Stage,
        /// The limit [s].
        limit_s: f64,
    },
    /// The wait for the device exceeded its limit.
    Lease {
        /// The process that held it, a sentence.
        message: String,
    },
    /// The file of a plugin changed after the comparison began.
    PluginChanged {
        /// How it changed, a sentence.
        message: String,
    },
    /// It cannot run here, which is not a failure.
    Skipped {
        /// The side.
        side: ComparedSide,
        /// The reason, a sentence.
        message: String,
    },
    /// A side has no result although the case was requested, because its run did not finish.
    NotRun {
        /// The side.
        side: ComparedSide,
        /// Status of the case. // eg: "cancelled"
        status: String,
    },
    /// A side has results of it that cannot be used.
    NotMeasured {
        /// The side.
        side: ComparedSide,
        /// The reason, a sentence.
        message: String,
    },
    /// A side has several results that cannot be told apart.
    Ambiguous {
        /// The side.
        side: ComparedSide,
        /// Number of these results.
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
                Self::NotMeasured { side, message: "it completed but has no metric".to_owned() }
            }
            other => Self::NotRun { side, status: other.word().to_owned() },
        }
    }

    /// The same for the other side: the reason is recorded before it is known which side the result becomes.
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

    /// The side that it is about; absent if it is about both.
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

    /// Whether it is a failure: a side failed, timed out, changed, got no device or never ran. A comparison must not
    /// ignore it.
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
                f.write_str("the confidence interval includes the threshold: more launches would narrow it")
            }
            Self::Undecided { pairs: Some(pairs) } => {
                write!(f, "the confidence interval still includes the threshold after {pairs} pairs")
            }
            Self::OutOfBudget { pairs } => {
                write!(f, "not decided after {pairs} pairs: give a larger --budget")
            }
            Self::OneLaunch { side } => write!(
                f,
                "the {side} has only one launch, so there is no confidence interval; measure it with --launches 5"
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
                write!(
                    f,
                    "the baseline has this metric in `{unit}` with {better} better: the two cannot be compared"
                )
            }
            Self::NoCommonMetric => f.write_str("the sides have no metric in common"),
            Self::Environment { what } => write!(
                f,
                "the sides differ in {what}, which may explain the change; measure both here with `dyno ab`, or accept \
                 this with --allow-differences"
            ),
            Self::Chance { tests, adjusted_p } => write!(
                f,
                "one such result is expected by chance in {tests} tests (adjusted p = {adjusted_p:.3})"
            ),
            // Every format shows the size of the change beside the remark.
            Self::SameBuild { .. } => f.write_str("same build: this difference is drift of the machine"),
            Self::Trend { side, change } => write!(
                f,
                "the time of the {side} {} by {:.0} % within a launch, so it depends on how long is measured and \
                 cannot be compared; look for state that is kept from call to call",
                if *change > 0.0 { "climbs" } else { "falls" },
                percent(change).abs()
            ),
            Self::Unconfirmed => {
                f.write_str("not confirmed: a small change in one direction was followed by one in the other")
            }
            Self::Layout { here, low, high, pairs } => write!(
                f,
                "memory layout explains this change: in this layout {:+.2} %, in {pairs} random ones {:+.2} to {:+.2} \
                 %; see --random-layout",
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
                "the {side} has no result: its run did not finish, and the case is {}",
                status.replace('_', " ")
            ),
            Self::NotMeasured { side, message } => write!(f, "the {side} was not measured: {message}"),
            Self::Ambiguous { side, count } => write!(
                f,
                "the {side} has {count} results of this name that cannot be told apart: none of them is compared"
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
