//! One case, from its first lease to its end: launches until the rule says that it is enough.

use std::path::Path;

use dyno_core::{
    model::{
        CaseRecord, CaseStatus, DeviceInfo, DeviceKind, Estimate, Event, LaunchRecord, Reason, Sample,
        Settings, Stage, StopRule,
    },
    stats,
};

use super::{
    Cancel, Obstacle, Planned, RunError, Workers,
    compiled::will_compile,
    compiling::compile,
    desk::Desk,
    launch::launch,
    peak::Peak,
    session::{Assignment, Notice},
    stop::{self, Standing},
    turn::{Asking, Said, Turn},
};
use crate::{
    catalog::{ContentStore, ContentStoreError, Verified},
    devices::{Freshness, keep_off, place},
    fault::HostFault,
    lease::{LeaseError, Leases},
};

/// Says why a device is no longer there; `None` while it is.
pub type Missing<'a> = dyn Fn(&DeviceInfo, Freshness) -> Option<String> + Sync + 'a;

/// Conducts cases one after the other.
#[derive(Clone)]
pub(super) struct Conductor<'a> {
    pub(super) run: &'a str,
    pub(super) settings: &'a Settings,
    pub(super) content: &'a ContentStore,
    pub(super) worker: &'a Workers,
    pub(super) code_cache: &'a Path,
    pub(super) leases: &'a Leases,
    pub(super) missing: &'a Missing<'a>,
    pub(super) cancel: &'a Cancel,
    /// Whether workers are pinned: not while several devices work at the same time.
    pub(super) is_pinning: bool,
    /// The holder that was last reported.
    pub(super) said: Said,
}

impl Conductor<'_> {
    /// Runs a case. What a plugin does wrong is its status.
    ///
    /// # Errors
    /// When the host cannot do its part; the case then has no end.
    pub(super) fn conduct(
        &mut self,
        desk: &mut dyn Desk,
        case: &mut CaseRecord,
        planned: &Planned,
    ) -> Result<(), RunError> {
        if let Some(status) = self.in_the_way(planned) {
            case.status = status;
            return Ok(());
        }
        desk.announce(Event::CaseStarted {
            case: case.index,
            benchmark: case.benchmark.clone(),
            plugin: case.plugin.clone(),
            params: case.params.clone(),
            device: case.device.clone(),
        });
        case.status = match self.content.admit(&planned.path, &planned.plugin.sha256) {
            Ok(bytes) => self.launches(desk, case, planned, &bytes)?,
            Err(ContentStoreError::Host(fault)) => return Err(fault.into()),
            Err(error) => failed(Stage::Load, error.to_string()),
        };
        Ok(())
    }

    /// Why a case ends before it is begun.
    fn in_the_way(&self, planned: &Planned) -> Option<CaseStatus> {
        if self.cancel.starts_nothing() {
            return Some(CaseStatus::Cancelled);
        }
        let gone = || {
            let why = self.missing(&planned.device, Freshness::Known)?;
            Some(Obstacle::no_device(&planned.device.name, &why))
        };
        planned.obstacle.clone().or_else(gone).map(Obstacle::status)
    }

    /// Launches until the case has a status to end with. Where the database refuses, it stays `running`.
    fn launches(
        &mut self,
        desk: &mut dyn Desk,
        case: &mut CaseRecord,
        planned: &Planned,
        bytes: &Verified,
    ) -> Result<CaseStatus, RunError> {
        case.status = CaseStatus::Running;
        let mut settings = self.settings.clone();
        let mut search = Peak::of(&settings, stop::quota(settings.stop).budget_ns);
        loop {
            let _lease = match self.turn(desk, case, planned)? {
                Turn::Ours(lease) => lease,
                Turn::GaveUp => return Ok(CaseStatus::Cancelled),
                Turn::TooLong(why) => return Ok(failed(Stage::Lease, why)),
            };
            let index = case.launches.len() as u32;
            desk.announce(Event::LaunchStarted { case: case.index, launch: index });
            if let Some(search) = &search {
                search.aim(&mut settings);
            }
            let mut launched = self.launch(desk, &settings, case, planned, bytes, index)?;
            launched.status = self.explained(launched.status, planned);
            let Some(launched) = desk.commit(case.index, launched) else { return Ok(CaseStatus::Running) };
            desk.announce(Event::LaunchFinished { case: case.index, launch: index });
            let status = launched.status.clone();
            case.launches.push(launched);
            if status != CaseStatus::Completed {
                return Ok(status);
            }
            if let Some(end) = self.end_after_launch(case, planned, search.as_mut()) {
                return Ok(end);
            }
        }
    }

    /// Summarises the launches of a case. Gives the status that it ends with, or `None` if it needs another launch.
    fn end_after_launch(
        &self,
        case: &mut CaseRecord,
        planned: &Planned,
        search: Option<&mut Peak>,
    ) -> Option<CaseStatus> {
        let options = stats::SummaryOptions { seed: self.settings.seed, ..stats::SummaryOptions::default() };
        case.metrics = stats::summarise_case(&case.launches, &planned.metrics, &options);
        let mut wants_more = stop::wants_more(self.settings.stop, standing(case));
        if self.cancel.is_set() || self.cancel.is_winding_down() && wants_more {
            return Some(CaseStatus::Cancelled);
        }
        if let Some(search) = search {
            wants_more = search.learn(&mut case.launches);
            if !wants_more {
                case.metrics = search.metrics(&case.launches, &planned.metrics, &options);
                if let Some(why) = search.failure() {
                    return Some(failed(Stage::Sample, why));
                }
            }
        }
        (!wants_more).then_some(CaseStatus::Completed)
    }

    /// Why a device that was there when the run was planned is there no more.
    fn missing(&self, device: &DeviceInfo, freshness: Freshness) -> Option<String> {
        if device.kind == DeviceKind::Cpu { None } else { (self.missing)(device, freshness) }
    }

    /// A launch that failed may have failed because its device went away.
    fn explained(&self, status: CaseStatus, planned: &Planned) -> CaseStatus {
        let CaseStatus::Failed { stage, mut reason } = status else { return status };
        if let Some(why) = self.missing(&planned.device, Freshness::Refreshed) {
            reason.message = format!(
                "device `{}` is gone: {why}; the launch says: {}",
                planned.device.name, reason.message
            );
        }
        CaseStatus::Failed { stage, reason }
    }

    /// The right to the device.
    fn turn(
        &mut self,
        desk: &mut dyn Desk,
        case: &CaseRecord,
        planned: &Planned,
    ) -> Result<Turn, LeaseError> {
        let asking = Asking {
            leases: self.leases,
            device: &planned.device,
            purpose: &format!("dyno run of {}", case.label()),
            run: Some(self.run),
            settings: self.settings,
            cancel: self.cancel,
        };
        asking.wait(&mut self.said, &mut |holder| {
            desk.announce(Event::Waiting {
                case: case.index,
                device: case.device.clone(),
                holder: holder.to_string(),
            });
        })
    }

    fn launch(
        &self,
        desk: &mut dyn Desk,
        settings: &Settings,
        case: &CaseRecord,
        planned: &Planned,
        bytes: &Verified,
        index: u32,
    ) -> Result<LaunchRecord, HostFault> {
        let mut placement = place(&settings.cpus, planned.threads());
        if !self.is_pinning {
            placement.cpus.clear();
        }
        let assignment = Assignment {
            case: planned,
            settings,
            worker: self.worker.to_owned(),
            bytes: bytes.clone(),
            code_cache: self.code_cache.to_owned(),
            placement,
            seed: settings.input_seed(u64::from(index)),
            cancel: self.cancel,
        };
        // Where compiled code cannot be kept, every launch compiles. A compiler may have every processor.
        if index == 0 && will_compile(self.code_cache, planned) {
            desk.announce(Event::Compiling { case: case.index, plugin: case.plugin.clone() });
            compile(&assignment);
        }
        // Until the launch ends, nothing of the host runs on the measured processors, if there are others.
        let _elsewhere = keep_off(&assignment.placement.cpus).ok();
        let mut so_far = Vec::new();
        launch(&assignment, index, stop::quota(settings.stop), &mut |notice| match notice {
            Notice::Entered(stage) => {
                desk.announce(Event::StageEntered { case: case.index, launch: index, stage });
            }
            Notice::Progress(stage, fraction) => {
                desk.announce(Event::Progress { case: case.index, launch: index, stage, fraction });
            }
            Notice::Logged(text) => {
                desk.announce(Event::Logged { case: case.index, launch: index, text });
            }
            Notice::Sampled(samples) => {
                so_far.extend(samples.iter().map(Sample::ns_per_iteration));
                let estimate = estimate(settings.stop, case, &so_far);
                desk.announce(Event::Estimated { case: case.index, launch: index, estimate });
            }
        })
    }
}

fn failed(stage: Stage, message: String) -> CaseStatus {
    CaseStatus::Failed { stage, reason: Reason::new(message) }
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

/// An estimate in the middle of a launch. Median and interval are those of the ended launches; before the first has ended, the
/// median is that of this launch's samples. `here` is in times of an iteration [ns].
fn estimate(rule: StopRule, case: &CaseRecord, here: &[f64]) -> Estimate {
    let so_far = case.metric("time");
    let standing = standing(case);
    let fraction = stop::fraction(rule, standing);
    let remaining = (fraction > 0.0).then(|| standing.sampled_ns as f64 * (1.0 - fraction) / fraction);
    Estimate {
        median_ns: so_far.map_or_else(|| stats::median(here).unwrap_or_default(), |metric| metric.median),
        interval: so_far.and_then(|metric| metric.interval),
        samples: so_far.map_or(0, |metric| metric.samples) + here.len() as u32,
        fraction,
        remaining_ns: remaining.map(|ns| ns as u64),
    }
}
