//! How a run stands, in the fields of the original suite.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use dyno_core::model::{CaseRecord, CaseStatus, Event, ParamValue, RunRecord, RunStatus};
use schemars::JsonSchema;
use serde::Serialize;

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Status {
    /// Identifier of the run.
    run_id: String,
    /// `initializing` (it waits), `running`, `completed`, or `failed`.
    pub(super) status: &'static str,
    /// How much is done, 0 to 1.
    progress: f64,
    /// What is being done, for people.
    current_step: String,
    /// When it was asked for (RFC 3339, UTC).
    start_time: String,
    /// How long it has been running, or ran [s].
    elapsed_time: f64,
    /// How long it may still take [s], where that can be told.
    estimated_remaining_time: Option<f64>,
    /// Models and benchmarks of which every case has ended.
    completed_models: u32,
    /// Models and benchmarks.
    total_models: u32,
    /// Why it failed.
    error: Option<String>,
}

/// A run while this server has it.
#[derive(Debug)]
pub(super) struct Progress {
    run: String,
    asked_at: String,
    begun: Option<Instant>,
    step: String,
    cases: u32,
    done: u32,
    fraction: f64,
    /// Cases of each model that have not ended.
    models: BTreeMap<String, u32>,
    case_models: Vec<String>,
}

impl Progress {
    pub(super) fn new(record: &RunRecord) -> Self {
        let mut progress = Self {
            run: record.id.clone(),
            asked_at: record.created_at.clone(),
            begun: None,
            step: "Waiting in the queue".to_owned(),
            cases: 0,
            done: 0,
            fraction: 0.0,
            models: BTreeMap::new(),
            case_models: Vec::new(),
        };
        progress.plan(&record.cases);
        progress
    }

    fn plan(&mut self, cases: &[CaseRecord]) {
        self.cases = cases.len() as u32;
        self.case_models = cases.iter().map(model).collect();
        self.models.clear();
        for name in &self.case_models {
            *self.models.entry(name.clone()).or_default() += 1;
        }
    }

    /// Learns from an event; says whether people would want to know at once.
    pub(super) fn learn(&mut self, event: &Event) -> bool {
        match event {
            Event::RunStarted { .. } => {
                self.begun = Some(Instant::now());
                self.step = "Preparing benchmark environment".to_owned();
            }
            Event::Waiting { device, holder, .. } => self.step = format!("Waiting for {device}: {holder}"),
            Event::CaseStarted { benchmark, device, .. } => {
                self.step = format!("Running {benchmark} on {device}");
                self.fraction = 0.0;
            }
            Event::Estimated { estimate, .. } => {
                self.fraction = estimate.fraction.clamp(0.0, 1.0);
                return false;
            }
            Event::CaseFinished { case } => {
                self.done += 1;
                self.fraction = 0.0;
                if let Some(left) =
                    self.case_models.get(case.index as usize).and_then(|name| self.models.get_mut(name))
                {
                    *left = left.saturating_sub(1);
                }
            }
            Event::RunFinished { .. } => {}
            _ => return false,
        }
        true
    }

    /// How it stands; `waits_s` is how long it may wait before it is begun.
    pub(super) fn status(&self, waits_s: Option<f64>) -> Status {
        let total = f64::from(self.cases.max(1));
        let progress = ((f64::from(self.done) + self.fraction) / total).min(1.0);
        let elapsed = self.begun.map_or(0.0, |begun| begun.elapsed().as_secs_f64());
        let remaining = if progress > 0.0 { Some(elapsed / progress * (1.0 - progress)) } else { waits_s };
        Status {
            run_id: self.run.clone(),
            status: if self.begun.is_some() { "running" } else { "initializing" },
            progress,
            current_step: self.step.clone(),
            start_time: self.asked_at.clone(),
            elapsed_time: elapsed,
            estimated_remaining_time: remaining,
            completed_models: self.models.values().filter(|left| **left == 0).count() as u32,
            total_models: self.models.len() as u32,
            error: None,
        }
    }
}

impl Status {
    /// How a stored run stands. `begun_at` is when it left the queue, where it was in one.
    pub(super) fn of(record: &RunRecord, begun_at: Option<&str>) -> Self {
        let ended = |case: &&CaseRecord| {
            !matches!(case.status, CaseStatus::Queued | CaseStatus::Running | CaseStatus::Cancelled)
        };
        let done = record.cases.iter().filter(ended).count();
        let all: BTreeSet<String> = record.cases.iter().map(model).collect();
        let open: BTreeSet<String> = record.cases.iter().filter(|case| !ended(case)).map(model).collect();
        let error = failure(record);
        let (status, step) = match (record.status, &error) {
            (RunStatus::Queued, _) => ("initializing", "Waiting in the queue"),
            (RunStatus::Running, _) => ("running", "Running benchmarks"),
            (RunStatus::Completed, None) => ("completed", "Benchmark completed"),
            (RunStatus::Completed, Some(_)) => ("failed", "Error running benchmark"),
            (RunStatus::Cancelled, _) => ("failed", "Cancelled"),
            (RunStatus::Interrupted, _) => ("failed", "Interrupted"),
        };
        let seconds = |from: &str, to: &str| -> Option<f64> {
            let (from, to) = (from.parse::<jiff::Timestamp>().ok()?, to.parse::<jiff::Timestamp>().ok()?);
            Some(to.duration_since(from).as_secs_f64())
        };
        let begun = begun_at.unwrap_or(&record.created_at);
        Self {
            run_id: record.id.clone(),
            status,
            progress: done as f64 / record.cases.len().max(1) as f64,
            current_step: step.to_owned(),
            start_time: record.created_at.clone(),
            elapsed_time: record.finished_at.as_deref().and_then(|end| seconds(begun, end)).unwrap_or(0.0),
            estimated_remaining_time: None,
            completed_models: (all.len() - open.len()) as u32,
            total_models: all.len() as u32,
            error,
        }
    }
}

/// Why a run as a whole counts as failed: it did not come to its end, or nothing in it worked.
fn failure(record: &RunRecord) -> Option<String> {
    match record.status {
        RunStatus::Cancelled => return Some("the run was cancelled; what was done is kept".to_owned()),
        RunStatus::Interrupted => {
            return Some(format!(
                "the server ended in the middle; what was done is kept, and POST /api/runs/{}/resume runs the rest",
                record.id
            ));
        }
        _ => {}
    }
    let works = |case: &CaseRecord| matches!(case.status, CaseStatus::Completed | CaseStatus::Skipped { .. });
    if record.cases.iter().any(works) {
        return None;
    }
    record.cases.iter().find_map(|case| match &case.status {
        CaseStatus::Failed { stage, reason } => Some(format!("{} failed in {stage}: {reason}", case.label())),
        CaseStatus::TimedOut { stage, limit_s, .. } => {
            Some(format!("{} timed out in {stage} after {limit_s} s", case.label()))
        }
        _ => None,
    })
}

/// The model of a case: its parameter of that name, else the benchmark.
pub(super) fn model(case: &CaseRecord) -> String {
    match case.params.get("model") {
        Some(ParamValue::Text(name)) => name.clone(),
        _ => case.benchmark.clone(),
    }
}
