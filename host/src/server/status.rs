//! How a run stands, in the fields of the original suite.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use dyno_core::model::{CaseRecord, CaseStatus, Event, ParamValue, RunRecord, RunStatus};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::RunEnd;

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Status {
    /// Identifier of the run.
    run_id: String,
    /// `initializing` (it waits), `running`, `completed`, or `failed`.
    pub(super) status: &'static str,
    /// How much is done, 0 to 1. It never becomes less.
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
    /// Why it failed. Absent unless it did: clients of the original suite ask whether the key is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A run while this server has it.
#[derive(Debug)]
pub(super) struct Progress {
    run: String,
    asked_at: String,
    begun: Option<Instant>,
    /// How long it ran, once it has ended.
    ran: Option<Duration>,
    step: String,
    cases: u32,
    done: u32,
    /// How far the cases are that are being measured.
    fractions: BTreeMap<u32, f64>,
    /// The most that was ever done: an estimate that becomes worse takes nothing back.
    reached: f64,
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
            ran: None,
            step: "Waiting in the queue".to_owned(),
            cases: 0,
            done: 0,
            fractions: BTreeMap::new(),
            reached: 0.0,
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

    /// How many cases the run has.
    pub(super) fn cases(&self) -> u32 {
        self.cases
    }

    /// Learns from an event; says whether people would want to know at once.
    pub(super) fn learn(&mut self, event: &Event) -> bool {
        let is_news = self.take_in(event);
        let measured: f64 = self.fractions.values().sum();
        let done = (f64::from(self.done) + measured) / f64::from(self.cases.max(1));
        self.reached = self.reached.max(done.min(1.0));
        is_news
    }

    fn take_in(&mut self, event: &Event) -> bool {
        match event {
            Event::RunStarted { cases, .. } => {
                self.begun = Some(Instant::now());
                // Plugins may have changed while it waited.
                self.cases = *cases;
                self.step = "Preparing benchmark environment".to_owned();
            }
            Event::Waiting { device, holder, .. } => self.step = format!("Waiting for {device}: {holder}"),
            Event::CaseStarted { benchmark, device, .. } => {
                self.step = format!("Running {benchmark} on {device}");
            }
            Event::Estimated { case, estimate, .. } => {
                self.fractions.insert(*case, estimate.fraction.clamp(0.0, 1.0));
                return false;
            }
            // What was given up has not ended: its measuring counts as far as it came.
            Event::CaseFinished { case } if case.status == CaseStatus::Cancelled => {}
            Event::CaseFinished { case } => {
                self.done += 1;
                self.fractions.remove(&case.index);
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

    /// The run has ended: from now on its time stands still.
    pub(super) fn end(&mut self) -> RunEnd {
        let ran = *self.ran.get_or_insert(self.begun.map_or(Duration::ZERO, |begun| begun.elapsed()));
        RunEnd { elapsed_s: ran.as_secs_f64(), progress: Some(self.reached) }
    }

    /// How it stands; `waits_s` is how long it may wait before it is begun.
    pub(super) fn status(&self, waits_s: Option<f64>) -> Status {
        let progress = self.reached;
        let running = || self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        let elapsed = self.ran.unwrap_or_else(running).as_secs_f64();
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

/// The original suite's word for how a run stands: one without any result has failed.
pub(super) fn word(status: RunStatus, has_result: bool) -> &'static str {
    match status {
        RunStatus::Queued => "initializing",
        RunStatus::Running => "running",
        RunStatus::Completed if has_result => "completed",
        RunStatus::Completed | RunStatus::Cancelled | RunStatus::Interrupted => "failed",
    }
}

impl Status {
    /// How a stored run stands. `end` is how it ended, where that is known.
    pub(super) fn of(record: &RunRecord, end: Option<RunEnd>) -> Self {
        let ended = |case: &&CaseRecord| {
            !matches!(case.status, CaseStatus::Queued | CaseStatus::Running | CaseStatus::Cancelled)
        };
        let done = record.cases.iter().filter(ended).count() as f64 / record.cases.len().max(1) as f64;
        let all: BTreeSet<String> = record.cases.iter().map(model).collect();
        let open: BTreeSet<String> = record.cases.iter().filter(|case| !ended(case)).map(model).collect();
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

/// How long the launches of a run took together, by the clocks of their workers: what is known of a run whose host died.
fn measured_s(record: &RunRecord) -> f64 {
    let launches = record.cases.iter().flat_map(|case| &case.launches);
    let ns: u64 = launches.flat_map(|launch| &launch.stages).map(|(_, ns)| *ns).fold(0, u64::saturating_add);
    ns as f64 / 1e9
}

/// Why a run as a whole counts as failed: it did not come to its end, or there is no result of any of its cases.
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

/// The model of a case: its parameter of that name, else the benchmark.
pub(super) fn model(case: &CaseRecord) -> String {
    match case.params.get("model") {
        Some(ParamValue::Text(name)) => name.clone(),
        _ => case.benchmark.clone(),
    }
}

#[cfg(test)]
mod tests {
    use dyno_core::model::{Estimate, SkipCause, Stage};
    use serde_json::json;

    use super::*;

    /// A run with so many cases of one benchmark.
    fn record(status: RunStatus, cases: &[CaseStatus]) -> RunRecord {
        let mut record: RunRecord =
            serde_json::from_str(include_str!("../export/testdata/record.json")).unwrap();
        let template = record.cases[0].clone();
        record.status = status;
        record.cases = (0..)
            .zip(cases)
            .map(|(index, status)| CaseRecord { index, status: status.clone(), ..template.clone() })
            .collect();
        record
    }

    fn estimated(case: u32, fraction: f64) -> Event {
        let estimate = Estimate { median_ns: 1.0, interval: None, samples: 1, fraction, remaining_ns: None };
        Event::Estimated { case, launch: 0, estimate }
    }

    fn finished(record: &RunRecord, index: usize, status: CaseStatus) -> Event {
        Event::CaseFinished { case: Box::new(CaseRecord { status, ..record.cases[index].clone() }) }
    }

    #[test]
    fn progress_never_goes_backwards() {
        let mut run = record(RunStatus::Running, &vec![CaseStatus::Queued; 4]);
        let started = |case: u32| Event::CaseStarted {
            case,
            benchmark: "x".to_owned(),
            plugin: run.cases[0].plugin.clone(),
            params: run.cases[0].params.clone(),
            device: "cuda:0".to_owned(),
        };
        let events = [
            Event::RunStarted { run: run.id.clone(), cases: 4 },
            started(0),
            estimated(0, 0.9),
            // An estimate becomes worse, and on another device the next case begins meanwhile.
            estimated(0, 0.4),
            started(1),
            estimated(1, 0.5),
            finished(&run, 0, CaseStatus::Completed),
            estimated(1, 0.2),
            // The user gives up.
            finished(&run, 1, CaseStatus::Cancelled),
            finished(&run, 2, CaseStatus::Cancelled),
            finished(&run, 3, CaseStatus::Cancelled),
        ];
        let mut progress = Progress::new(&run);
        let mut told = 0.0;
        for event in &events {
            progress.learn(event);
            let now = progress.status(None).progress;
            assert!(now >= told && now <= 1.0, "{event:?}: {told} → {now}");
            told = now;
        }
        assert!(told > 0.3 && told < 0.5, "what was given up is not done: {told}");
        let end = progress.end();
        run.status = RunStatus::Cancelled;
        run.cases[0].status = CaseStatus::Completed;
        run.cases[1..].iter_mut().for_each(|case| case.status = CaseStatus::Cancelled);
        assert_eq!(Status::of(&run, Some(end)).progress, told);
        assert_eq!(progress.end(), end, "its time stands still");
        assert_eq!(progress.status(None).elapsed_time, end.elapsed_s);
    }

    #[test]
    fn a_run_without_any_result_has_failed_and_says_why() {
        let skipped = |cause| CaseStatus::skipped(cause, "no such thing here");
        let failed =
            CaseStatus::Failed { stage: Stage::Setup, reason: dyno_core::model::Reason::new("it broke") };
        for (cases, expected) in [
            (vec![CaseStatus::Completed, failed.clone()], None),
            (vec![skipped(SkipCause::KnownResult); 2], None),
            (vec![skipped(SkipCause::NoDevice); 2], Some("was skipped: no such thing here")),
            (vec![skipped(SkipCause::Plugin), failed.clone()], Some("failed in setup: it broke")),
            (vec![skipped(SkipCause::Request)], Some("was skipped: no such thing here")),
        ] {
            let status = json!(Status::of(&record(RunStatus::Completed, &cases), None));
            match expected {
                None => assert_eq!((&status["status"], status.get("error")), (&json!("completed"), None)),
                Some(said) => {
                    assert_eq!(status["status"], "failed", "{status}");
                    let error = status["error"].as_str().unwrap();
                    assert!(error.starts_with("nothing was measured: ") && error.contains(said), "{error}");
                }
            }
        }
    }

    #[test]
    fn only_a_failed_run_has_the_key_that_says_why() {
        let queued = record(RunStatus::Queued, &[CaseStatus::Queued]);
        let live = json!(Progress::new(&queued).status(None));
        assert!(live.get("error").is_none() && live.get("estimated_remaining_time").is_some(), "{live}");
        assert!(json!(Status::of(&queued, None)).get("error").is_none());
        for status in [RunStatus::Cancelled, RunStatus::Interrupted] {
            let ended = json!(Status::of(&record(status, &[CaseStatus::Completed]), None));
            assert!(ended["error"].is_string() && ended["status"] == "failed", "{ended}");
        }
    }

    #[test]
    fn a_clock_that_is_set_changes_no_duration() {
        let mut run = record(RunStatus::Completed, &[CaseStatus::Completed]);
        run.created_at = "2026-01-02T03:04:05.000Z".to_owned();
        run.finished_at = Some("2026-01-02T02:04:12.000Z".to_owned());
        let end = RunEnd { elapsed_s: 7.0, progress: None };
        assert_eq!(Status::of(&run, Some(end)).elapsed_time, 7.0);
        assert!(Status::of(&run, None).elapsed_time >= 0.0);
    }
}
