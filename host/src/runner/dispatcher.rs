//! The dispatcher of a run: it alone changes status, decides what is next, commits, and then announces.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use dyno_core::{
    model::{
        CaseRecord, CaseStatus, Estimate, Event, LaunchRecord, Reason, RunRecord, RunStatus, Sample, Stage,
    },
    stats,
};

use super::{
    Cancel, Planned,
    launch::{Assignment, Notice, launch},
    peak::Peak,
    stop::{self, Standing},
};
use crate::{
    catalog::ContentStore,
    devices::{Lease, LeaseError, keep_off, place},
    store::{Store, StoreError},
};

/// Why a run could not go on. Failures of plugins are not among these: they are results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The device cannot be leased.
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

/// What a run works with.
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub struct Dispatcher<'a> {
    /// Where results go.
    pub store: &'a mut Store,
    /// Where verified bytes are kept.
    pub content: &'a ContentStore,
    /// The `dyno-worker` binary.
    pub worker: PathBuf,
    /// Where compiled WASM code is kept.
    pub code_cache: PathBuf,
    /// Where leases are kept.
    pub lease_dir: PathBuf,
    /// The user's wish to stop.
    pub cancel: Cancel,
    /// Told everything, after it is durable.
    pub announce: &'a mut dyn FnMut(&Event),
}

impl Dispatcher<'_> {
    /// Runs every case of `record`, which is in the database from the start and complete at the end.
    ///
    /// # Errors
    /// When the database or the lease directory cannot be used.
    pub fn run(&mut self, record: &mut RunRecord, planned: &[Planned]) -> Result<(), RunError> {
        self.store.begin_run(record)?;
        (self.announce)(&Event::RunStarted { run: record.id.clone(), cases: record.cases.len() as u32 });
        for (case, planned) in record.cases.iter_mut().zip(planned) {
            self.run_case(&record.id, &record.spec.settings, case, planned)?;
            self.store.finish_case(&record.id, case)?;
            let mut told = case.clone();
            told.launches.iter_mut().for_each(|launch| launch.samples.clear());
            (self.announce)(&Event::CaseFinished { case: Box::new(told) });
        }
        record.status = if self.cancel.is_set() { RunStatus::Cancelled } else { RunStatus::Completed };
        let finished = crate::timestamp::now();
        self.store.finish_run(&record.id, record.status, &finished)?;
        record.finished_at = Some(finished);
        (self.announce)(&Event::RunFinished { run: record.id.clone(), status: record.status });
        Ok(())
    }

    fn run_case(
        &mut self,
        run: &str,
        settings: &dyno_core::model::Settings,
        case: &mut CaseRecord,
        planned: &Planned,
    ) -> Result<(), RunError> {
        if self.cancel.is_set() {
            case.status = CaseStatus::Cancelled;
            return Ok(());
        }
        if let Some(why) = &planned.obstacle {
            case.status = CaseStatus::Skipped { reason: why.clone() };
            return Ok(());
        }
        (self.announce)(&Event::CaseStarted {
            case: case.index,
            benchmark: case.benchmark.clone(),
            plugin: case.plugin.clone(),
            params: case.params.clone(),
            device: case.device.clone(),
        });
        let bytes = match self.content.admit(&planned.path, &planned.plugin.sha256) {
            Ok(path) => path,
            Err(error) => {
                case.status =
                    CaseStatus::Failed { stage: Stage::Load, reason: Reason::new(error.to_string()) };
                return Ok(());
            }
        };
        case.status = CaseStatus::Running;
        let mut settings = settings.clone();
        let mut search = Peak::of(&settings);
        loop {
            let Some(_lease) = self.lease(case)? else {
                case.status = CaseStatus::Cancelled;
                break;
            };
            let index = case.launches.len() as u32;
            (self.announce)(&Event::LaunchStarted { case: case.index, launch: index });
            if let Some(search) = &search {
                search.aim(&mut settings);
            }
            let launched = self.launch(&settings, case, planned, &bytes, index);
            self.store.commit_launch(run, case.index, &launched)?;
            (self.announce)(&Event::LaunchFinished { case: case.index, launch: index });
            let status = launched.status.clone();
            case.launches.push(launched);
            if status != CaseStatus::Completed {
                case.status = status;
                break;
            }
            case.metrics = stats::summarise_case(&case.launches, &planned.metrics, &options(settings.seed));
            if self.cancel.is_set() {
                case.status = CaseStatus::Cancelled;
                break;
            }
            if let Some(search) = &mut search {
                if search.learn(&mut case.launches) {
                    continue;
                }
                case.metrics = search.metrics(&case.launches, &planned.metrics, &options(settings.seed));
                case.status = CaseStatus::Completed;
                break;
            }
            if !stop::wants_more(settings.stop, standing(case)) {
                case.status = CaseStatus::Completed;
                break;
            }
        }
        Ok(())
    }

    /// The right to the device, or `None` when the user gave up waiting for it.
    fn lease(&mut self, case: &CaseRecord) -> Result<Option<Lease>, RunError> {
        let (announce, cancel) = (&mut self.announce, &self.cancel);
        let purpose = format!("dyno run of {}", case.label());
        let waited = Lease::acquire(&self.lease_dir, &case.device, &purpose, |holder| {
            if let Some(holder) = holder {
                announce(&Event::Waiting {
                    case: case.index,
                    device: case.device.clone(),
                    holder: holder.to_string(),
                });
            }
            if cancel.is_set() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        Ok(waited?)
    }

    fn launch(
        &mut self,
        settings: &dyno_core::model::Settings,
        case: &CaseRecord,
        planned: &Planned,
        bytes: &Path,
        index: u32,
    ) -> LaunchRecord {
        let placement = place(&settings.cpus, planned.threads());
        // Until the launch ends, nothing of the host runs on the measured processors, if there are others.
        let _elsewhere = keep_off(&placement.cpus).ok();
        let assignment = Assignment {
            case: planned,
            settings,
            worker: self.worker.clone(),
            bytes: bytes.to_owned(),
            code_cache: self.code_cache.clone(),
            placement,
            quota: stop::quota(settings.stop),
            cancel: &self.cancel,
        };
        let announce = &mut self.announce;
        launch(&assignment, index, &mut |notice| match notice {
            Notice::Entered(stage) => {
                announce(&Event::StageEntered { case: case.index, launch: index, stage });
            }
            Notice::Progress(stage, fraction) => {
                announce(&Event::Progress { case: case.index, launch: index, stage, fraction });
            }
            Notice::Logged(text) => announce(&Event::Logged { case: case.index, launch: index, text }),
            Notice::Sampled(samples) => {
                let estimate = estimate(settings.stop, case, &samples);
                announce(&Event::Estimated { case: case.index, launch: index, estimate });
            }
        })
    }
}

fn options(seed: u64) -> stats::SummaryOptions {
    stats::SummaryOptions { seed, ..stats::SummaryOptions::default() }
}

fn standing(case: &CaseRecord) -> Standing {
    let sampled = |launch: &LaunchRecord| {
        launch.stages.iter().filter(|(stage, _)| *stage == Stage::Sample).map(|(_, ns)| *ns).sum::<u64>()
    };
    Standing {
        launches: case.launches.len() as u32,
        sampled_ns: case.launches.iter().map(sampled).sum(),
        half_width: case.metric("time").and_then(stats::half_width_fraction),
    }
}

/// What is known of the case in the middle of a launch: the interval of the launches that have ended, and the median
/// that includes the samples of this one.
fn estimate(rule: dyno_core::model::StopRule, case: &CaseRecord, samples: &[Sample]) -> Estimate {
    let here: Vec<f64> = samples.iter().map(Sample::ns_per_iteration).collect();
    let so_far = case.metric("time");
    let standing = standing(case);
    let fraction = stop::fraction(rule, standing);
    let remaining = (fraction > 0.0).then(|| standing.sampled_ns as f64 * (1.0 - fraction) / fraction);
    Estimate {
        median_ns: so_far.map_or_else(|| stats::median(&here).unwrap_or_default(), |metric| metric.median),
        interval: so_far.and_then(|metric| metric.interval),
        samples: so_far.map_or(0, |metric| metric.samples) + samples.len() as u32,
        fraction,
        remaining_ns: remaining.map(|ns| ns as u64),
    }
}
