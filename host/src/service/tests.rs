//! How a run stands: while it goes on, and once it is stored.

use dyno_core::model::{CaseRecord, CaseStatus, Estimate, Event, RunRecord, RunStatus, SkipCause, Stage};
use serde_json::json;

use super::{progress::Progress, status::Status};
use crate::app::{Outline, RunEnd};

/// A run with so many cases of one benchmark.
fn record(status: RunStatus, cases: &[CaseStatus]) -> RunRecord {
    let mut record: RunRecord = serde_json::from_str(include_str!("../export/testdata/record.json")).unwrap();
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
        Event::run_started(&run),
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
    let mut progress = Progress::new(Outline::from(&run));
    let mut told = 0.0;
    for event in &events {
        progress.learn(event);
        let now = progress.status().progress;
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
    assert_eq!(progress.status().elapsed_time, end.elapsed_s);
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
    let live = json!(Progress::new(Outline::from(&queued)).status());
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
