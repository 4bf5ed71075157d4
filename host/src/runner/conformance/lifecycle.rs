//! One launch through all stages: a test for each of them, and for what the launch leaves.

use std::time::Duration;

use dyno_core::{
    model::{
        CaseStatus, ConformanceTest, DeviceKind, LaunchRecord, PluginKind, SideEffects, Stage, TestOutcome,
    },
    protocol::Quota,
};

use super::trial::{Stop, Trial, broken, settled, verified};
use crate::runner::launch::launch;

/// The stages, and the tests of them.
const STAGES: [(Stage, ConformanceTest); 7] = [
    (Stage::Load, ConformanceTest::Load),
    (Stage::Setup, ConformanceTest::Setup),
    (Stage::Verify, ConformanceTest::Verify),
    (Stage::Calibrate, ConformanceTest::Grow),
    (Stage::Sample, ConformanceTest::Sample),
    (Stage::ProcessResults, ConformanceTest::Metrics),
    (Stage::Cleanup, ConformanceTest::Cleanup),
];
/// Enough samples to see state that breaks after a few.
const QUOTA: Quota = Quota { min_samples: 2, max_samples: 20, budget_ns: 30_000_000, retake: false };

/// A test with its result and the time of its stage.
pub(super) type Told = (ConformanceTest, TestOutcome, Duration);

/// Goes through all stages with the default parameters.
pub(super) fn lifecycle(trial: &Trial<'_>) -> Result<Vec<Told>, Stop> {
    let case = trial.with_defaults();
    let assignment = trial.assignment(&case, trial.cancel);
    let record = launch(&assignment, 0, QUOTA, &mut |_| {})?;
    if record.status == CaseStatus::Cancelled {
        return Err(Stop::GaveUp);
    }
    let mut told: Vec<Told> = Vec::new();
    for (stage, test) in STAGES {
        let mut outcome = of_stage(&record, stage);
        if stage == Stage::Verify && outcome == TestOutcome::Passed {
            outcome = settled(verified(&assignment).map(|(_, has_verify)| match has_verify {
                true => TestOutcome::Passed,
                false => TestOutcome::noted(
                    "it has no `verify`: nothing tells whether its result is right, and a fast wrong answer passes",
                ),
            }))?;
        }
        let took = record.stages.iter().filter(|(it, _)| *it == stage).map(|(_, ns)| *ns).sum();
        told.push((test, outcome, Duration::from_nanos(took)));
        if stage == Stage::Load && case.plugin.kind == PluginKind::Native {
            told.push((ConformanceTest::Doors, doors(&record), Duration::ZERO));
        }
    }
    let SideEffects { written_bytes, .. } = record.side_effects;
    let written = SideEffects { written_bytes, ..SideEffects::default() };
    let left = SideEffects { written_bytes: 0, ..record.side_effects };
    for (test, effects) in [(ConformanceTest::Quiet, written), (ConformanceTest::Leftovers, left)] {
        let lines = record.output.len() as u64 + record.output_dropped;
        let outcome = match (&record.status, effects.remarks(lines)) {
            (CaseStatus::Completed, remarks)
                if case.device.kind != DeviceKind::Cpu && !remarks.is_empty() =>
            {
                TestOutcome::noted(format!("the plugin or its driver: {}", remarks.join("; ")))
            }
            (CaseStatus::Completed, remarks) => TestOutcome::unless(&remarks),
            _ => not_reached(),
        };
        told.push((test, outcome, Duration::ZERO));
    }
    Ok(told)
}

fn not_reached() -> TestOutcome {
    TestOutcome::skipped("an earlier stage did not succeed")
}

/// How a stage ended: the launch tells only of the last one.
fn of_stage(record: &LaunchRecord, stage: Stage) -> TestOutcome {
    let last = match &record.status {
        CaseStatus::Completed => return TestOutcome::Passed,
        // A worker that does not even start has not loaded anything.
        CaseStatus::Failed { stage, .. } | CaseStatus::TimedOut { stage, .. } => (*stage).max(Stage::Load),
        _ => record.stages.last().map_or(Stage::Load, |(stage, _)| (*stage).max(Stage::Load)),
    };
    match stage.cmp(&last) {
        std::cmp::Ordering::Less => TestOutcome::Passed,
        std::cmp::Ordering::Equal => broken(&record.status),
        std::cmp::Ordering::Greater => not_reached(),
    }
}

/// The worker refuses a library whose two entry points disagree: what is left to tell is whether there are two.
fn doors(record: &LaunchRecord) -> TestOutcome {
    let doors = |setting: &String| setting.strip_prefix("doors=").map(|doors| doors.contains('+'));
    match record.engine.as_ref().and_then(|engine| engine.settings.iter().find_map(doors)) {
        Some(true) => TestOutcome::Passed,
        Some(false) => TestOutcome::skipped("it has only the C entry point, which every language can have"),
        None => not_reached(),
    }
}
