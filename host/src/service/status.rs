//! The status of a run, in the fields of the original suite.

use std::collections::BTreeSet;

use dyno_core::model::{CaseRecord, CaseStatus, RunRecord, RunStatus};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::RunEnd;

/// Status of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Status {
    /// Identifier of the run.
    pub(super) run_id: String,
    /// `initializing` (waiting in the queue), `running`, `completed` or `failed`.
    pub(super) status: &'static str,
    /// Completed fraction, 0 to 1. Never decreases.
    pub(super) progress: f64,
    /// A sentence on the current step.
    pub(super) current_step: String,
    /// When the run was submitted (RFC 3339, UTC).
    pub(super) start_time: String,
    /// Running time so far, or in total [s].
    pub(super) elapsed_time: f64,
    /// Estimated remaining time [s]; `null` if unknown.
    pub(super) estimated_remaining_time: Option<f64>,
    /// Number of models and benchmarks whose cases have all ended.
    pub(super) completed_models: u32,
    /// Number of models and benchmarks.
    pub(super) total_models: u32,
    /// Why the run failed. Absent otherwise: clients of the original suite test for the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// The original suite's word for a status. A run without any result counts as failed.
pub(crate) fn word(status: RunStatus, has_result: bool) -> &'static str {
    match status {
        RunStatus::Queued => "initializing",
        RunStatus::Running => "running",
        RunStatus::Completed if has_result => "completed",
        RunStatus::Completed | RunStatus::Cancelled | RunStatus::Interrupted => "failed",
    }
}

impl Status {
    /// The status of a stored run; `end` is its duration and progress, if known.
    pub(super) fn of(record: &RunRecord, end: Option<RunEnd>) -> Self {
        let ended = |case: &&CaseRecord| case.status.is_finished();
        let done = record.cases.iter().filter(ended).count() as f64 / record.cases.len().max(1) as f64;
        let all: BTreeSet<String> = record.cases.iter().map(CaseRecord::model).collect();
        let open: BTreeSet<String> =
            record.cases.iter().filter(|case| !ended(case)).map(CaseRecord::model).collect();
        let has_result = record.cases.iter().any(|case| case.status.has_result());
        let (step, is_failed) = match record.status {
            RunStatus::Queued => ("Waiting in the queue", false),
            RunStatus::Running => ("Running benchmarks", false),
            RunStatus::Completed if has_result => ("Benchmark completed", false),
            RunStatus::Completed => ("Error running benchmark", true),
            RunStatus::Cancelled => ("Cancelled", true),
            RunStatus::Interrupted => ("Interrupted", true),
        };
        Self {
            run_id: record.id.clone(),
            status: word(record.status, has_result),
            progress: end.and_then(|end| end.progress).unwrap_or(0.0).max(done),
            current_step: step.to_owned(),
            start_time: record.created_at.clone(),
            elapsed_time: end.map_or_else(|| measured_s(record), |end| end.elapsed_s),
            estimated_remaining_time: None,
            completed_models: (all.len() - open.len()) as u32,
            total_models: all.len() as u32,
            error: is_failed.then(|| failure(record)),
        }
    }
}

/// Total time of a run's launches by their workers' clocks [s], the best estimate for a run whose host died.
fn measured_s(record: &RunRecord) -> f64 {
    let launches = record.cases.iter().flat_map(|case| &case.launches);
    let ns: u64 = launches.flat_map(|launch| &launch.stages).map(|(_, ns)| *ns).fold(0, u64::saturating_add);
    ns as f64 / 1e9
}

/// Why a run counts as failed: it did not complete, or none of its cases has a result.
fn failure(record: &RunRecord) -> String {
    match record.status {
        RunStatus::Cancelled => return "the run was cancelled; what was done is kept".to_owned(),
        RunStatus::Interrupted => {
            return format!(
                "the server ended in the middle; what was done is kept, and POST /api/runs/{}/resume runs the rest",
                record.id
            );
        }
        _ => {}
    }
    // A failure says more than a case that was skipped beside it.
    let cases = || record.cases.iter();
    let first = cases().find(|case| case.status.is_failure()).or_else(|| cases().next()).map(|case| {
        let label = case.label();
        match &case.status {
            CaseStatus::Failed { stage, reason } => format!("{label} failed in {stage}: {reason}"),
            CaseStatus::TimedOut { stage, limit_s, .. } => {
                format!("{label} timed out in {stage} after {limit_s} s")
            }
            CaseStatus::Skipped { reason, .. } => format!("{label} was skipped: {reason}"),
            other => format!("{label} is {}", other.word()),
        }
    });
    format!("nothing was measured: {}", first.unwrap_or_else(|| "the run has no cases".to_owned()))
}
