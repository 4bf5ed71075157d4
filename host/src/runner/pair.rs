//! A pair of launches: two fresh workers, one per side, sampled in turn on the same processor.
//!
//! Drift of the machine hits both sides of a pair alike, and what a launch draws by luck (pages, layout of the heap) is
//! drawn anew for every pair: the pair is the unit of the statistics.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use dyno_core::{
    model::{
        CaseStatus, ComparedSide, DeviceKind, PairEffect, Plan, Reason, Sample, Settings, SideEffects,
        SkipCause, Stage,
    },
    protocol::{PROTOCOL_VERSION, Quota, Reply, Request},
    stats::{self, LaunchTrend},
};

use super::{
    folder::LaunchFolder,
    launch::{Assignment, FAREWELL, check, load_of, status_of, unmet, wrong_worker},
    pace::Pace,
};
use crate::{
    fault::HostFault,
    pool::{Worker, WorkerCommand},
};

/// One slice at a time; what is disturbed is retaken on both sides, by the host.
const ONE: Quota = Quota { min_samples: 1, max_samples: 1, budget_ns: u64::MAX, retake: false };

/// How a pair is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairPlan {
    /// Number of the pair, which decides the order of its slices.
    pub(super) number: u64,
    /// Once it is known. The first pair finds it, and verifies both sides.
    pub(super) pace: Option<Pace>,
}

/// Slices by which a calibration is checked: one that was disturbed would set a wrong pace for all pairs.
const CHECKS: usize = 3;

/// What a pair gave.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) effect: PairEffect,
    pub(super) pace: Pace,
    /// Variance of the effects of neighbouring slices.
    pub(super) within: Option<f64>,
    pub(super) baseline: OneSide,
    pub(super) candidate: OneSide,
    /// What it took to start both sides [ns].
    pub(super) starts_ns: u64,
    pub(super) retaken: u32,
    /// Least memory on huge pages of the two sides [bytes].
    pub(super) huge_bytes: u64,
    /// Time inside the timed calls [ns].
    pub(super) measured_ns: u64,
    /// What was asked of the kernel and refused, a sentence each.
    pub(super) missing: BTreeSet<String>,
}

/// What one side of a pair gave.
#[derive(Debug)]
pub(super) struct OneSide {
    /// Median time of one iteration [ns].
    pub(super) ns: f64,
    /// How its slices climb or fall.
    pub(super) trend: Option<LaunchTrend>,
    pub(super) side_effects: SideEffects,
}

/// How a side ends before its pair is taken.
#[derive(Debug)]
pub(super) enum Ended {
    /// By what its plugin did, or by the user's wish.
    Case(CaseStatus),
    /// The host could not do its part: that is neither side's.
    Host(HostFault),
}

impl From<CaseStatus> for Ended {
    fn from(status: CaseStatus) -> Self {
        Self::Case(status)
    }
}

impl From<HostFault> for Ended {
    fn from(fault: HostFault) -> Self {
        Self::Host(fault)
    }
}

/// Takes a pair.
pub(super) fn pair(
    baseline: &Assignment<'_>,
    candidate: &Assignment<'_>,
    plan: PairPlan,
) -> Result<Pair, (ComparedSide, Ended)> {
    let seed = baseline.settings.seed;
    let candidate_first = stats::sequential::candidate_first(seed, plan.number);
    let old = |ended| (ComparedSide::Baseline, ended);
    let new = |ended| (ComparedSide::Candidate, ended);
    let verify = plan.pace.is_none();
    let (mut a, mut b) = if candidate_first {
        let b = Running::start(candidate, verify).map_err(new)?;
        (Running::start(baseline, verify).map_err(old)?, b)
    } else {
        let a = Running::start(baseline, verify).map_err(old)?;
        (a, Running::start(candidate, verify).map_err(new)?)
    };
    let pace = match plan.pace {
        Some(pace) => pace,
        // The first start of a side may have compiled it: the other tells better what starting costs.
        None => {
            let start_ns = a.start_ns.min(b.start_ns);
            // Both prove that they do the work in every iteration; the pace is the baseline's.
            b.calibrate(start_ns).map_err(new)?;
            a.calibrate(start_ns).map_err(old)?
        }
    };
    // The discarded slice of either side.
    a.warm_up(pace.iterations).map_err(old)?;
    b.warm_up(pace.iterations).map_err(new)?;

    // Where the calling thread waits for others, or for a device, losing the processor disturbs nothing.
    let works_here = baseline.case.threads() == 1 && baseline.case.device.kind == DeviceKind::Cpu;
    let (mut effects, mut old_ns, mut new_ns) = (Vec::new(), Vec::new(), Vec::new());
    let (mut retaken, mut measured_ns) = (0u32, 0u64);
    for second_side_first in stats::sequential::slice_order(seed, plan.number, pace.slices) {
        let (x, y) = loop {
            let (x, y) = if second_side_first {
                let y = b.slice().map_err(new)?;
                (a.slice().map_err(old)?, y)
            } else {
                let x = a.slice().map_err(old)?;
                (x, b.slice().map_err(new)?)
            };
            measured_ns += x.wall_ns + y.wall_ns;
            let disturbed = works_here && (x.is_disturbed() || y.is_disturbed());
            // On a machine that is never quiet there still is a result.
            if !disturbed || retaken as usize >= pace.slices {
                break (x, y);
            }
            retaken += 1;
        };
        let (x, y) = (x.ns_per_iteration(), y.ns_per_iteration());
        effects.push((y / x).ln());
        old_ns.push(x);
        new_ns.push(y);
    }
    let huge_bytes = a.huge_bytes.min(b.huge_bytes);
    let missing = a.missing.iter().chain(&b.missing).cloned().collect();
    let starts_ns = a.start_ns.saturating_add(b.start_ns);
    let side = |ns: &[f64], side_effects| OneSide {
        ns: stats::median(ns).unwrap_or_default(),
        trend: LaunchTrend::of(ns),
        side_effects,
    };
    let left = (a.finish().map_err(old)?, b.finish().map_err(new)?);
    Ok(Pair {
        effect: PairEffect { effect: stats::median(&effects).unwrap_or_default(), candidate_first },
        pace,
        // Robust, as the effect is: half of the slices say how far the others lie.
        within: stats::mad(&effects).map(|mad| (1.482_602_2 * mad).powi(2)),
        baseline: side(&old_ns, left.0),
        candidate: side(&new_ns, left.1),
        starts_ns,
        retaken,
        huge_bytes,
        measured_ns,
        missing,
    })
}

/// One side's worker.
struct Running<'a> {
    assignment: &'a Assignment<'a>,
    worker: Worker,
    stage: Stage,
    /// From nothing to an instance that is set up [ns].
    start_ns: u64,
    /// Memory of the instance on huge pages [bytes].
    huge_bytes: u64,
    /// What was asked of the kernel and refused, a sentence each.
    missing: Vec<String>,
    /// Gone with everything in it when the side ends.
    _directory: LaunchFolder,
}

impl<'a> Running<'a> {
    /// From a process to an instance that is set up.
    fn start(assignment: &'a Assignment<'a>, verify: bool) -> Result<Self, Ended> {
        let begin = Instant::now();
        let directory = LaunchFolder::new()?;
        let worker = Worker::spawn(&WorkerCommand {
            program: assignment.worker.clone(),
            directory: directory.path().to_owned(),
            layout: assignment.settings.layout,
            memory_limit_bytes: assignment.settings.memory_limit_bytes,
        })?;
        let mut running = Self {
            assignment,
            worker,
            stage: Stage::Spawn,
            start_ns: 0,
            huge_bytes: 0,
            missing: Vec::new(),
            _directory: directory,
        };
        match running.ask(Stage::Spawn, &Request::Hello { protocol: PROTOCOL_VERSION })? {
            Reply::Hello { protocol: PROTOCOL_VERSION, .. } => {}
            Reply::Hello { protocol, version, .. } => {
                return Err(wrong_worker(assignment, protocol, &version).into());
            }
            other => return Err(running.unexpected(&other)),
        }
        match running.ask(Stage::Load, &Request::Load(Box::new(load_of(assignment))))? {
            Reply::Loaded { isolation, missing, .. } => {
                running.missing = unmet(assignment, &isolation);
                running.missing.extend(missing);
            }
            other => return Err(running.unexpected(&other)),
        }
        match running.ask(Stage::Setup, &Request::Setup)? {
            Reply::SetUp { huge_bytes, missing } => {
                running.huge_bytes = huge_bytes;
                running.missing.extend(missing);
            }
            other => return Err(running.unexpected(&other)),
        }
        running.start_ns = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if verify {
            match running.ask(Stage::Verify, &Request::Verify)? {
                Reply::Verified { .. } => {}
                other => return Err(running.unexpected(&other)),
            }
        }
        Ok(running)
    }

    /// Warms up and finds the pace.
    fn calibrate(&mut self, start_ns: u64) -> Result<Pace, Ended> {
        let Settings { slice_ns, warm_up_ns, .. } = *self.assignment.settings;
        let plan = self.plan(&Request::Calibrate { slice_ns, warm_up_ns, iterations: None })?;
        let mut fastest_ns = plan.slice_ns.max(1);
        for _ in 0..CHECKS {
            fastest_ns = fastest_ns.min(self.warm_up(plan.iterations)?.max(1));
        }
        // The clock and the cost of a call may have asked for more than the slice that was wished for.
        let stretch = slice_ns.max(1) as f64 / fastest_ns as f64;
        let iterations = (plan.iterations as f64 * stretch.max(1.0)).round().max(1.0) as u64;
        let expected_ns = fastest_ns as f64 * (iterations as f64 / plan.iterations as f64);
        Ok(Pace::first(iterations, expected_ns as u64, start_ns))
    }

    /// Takes one slice and throws it away; gives its time [ns].
    fn warm_up(&mut self, iterations: u64) -> Result<u64, Ended> {
        let slice_ns = self.assignment.settings.slice_ns;
        Ok(self.plan(&Request::Calibrate { slice_ns, warm_up_ns: 0, iterations: Some(iterations) })?.slice_ns)
    }

    fn plan(&mut self, request: &Request) -> Result<Plan, Ended> {
        match self.ask(Stage::Calibrate, request)? {
            Reply::Calibrated(plan) if plan.iterations > 0 => Ok(plan),
            other => Err(self.unexpected(&other)),
        }
    }

    fn slice(&mut self) -> Result<Sample, Ended> {
        let sample = match self.ask(Stage::Sample, &Request::Sample(ONE))? {
            Reply::Batch { samples, .. } => match samples.as_slice() {
                [sample] => *sample,
                _ => return Err(self.failed(format!("the worker sent {} samples, not one", samples.len()))),
            },
            other => return Err(self.unexpected(&other)),
        };
        check(&sample).map_err(|message| self.failed(message))?;
        match self.listen()? {
            Reply::Sampled { .. } => Ok(sample),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Gives what the plugin left while it was measured.
    fn finish(mut self) -> Result<SideEffects, Ended> {
        let side_effects = match self.ask(Stage::Cleanup, &Request::Finish)? {
            Reply::Finished { side_effects, .. } => side_effects,
            other => return Err(self.unexpected(&other)),
        };
        let farewell = self.worker.finish(Instant::now() + FAREWELL.min(Duration::from_secs(1)));
        // The other side would be measured beside it from now on.
        if let Some(message) = farewell.stuck {
            let reason = Reason { message, exit: None, last_output: farewell.captured.tail(10) };
            return Err(CaseStatus::Failed { stage: self.stage, reason }.into());
        }
        Ok(side_effects)
    }

    fn ask(&mut self, stage: Stage, request: &Request) -> Result<Reply, Ended> {
        self.stage = stage;
        let deadline = Instant::now() + self.assignment.settings.timeout();
        let cancel = self.assignment.cancel;
        let answer = self.worker.ask(request, deadline, &|| cancel.is_set(), &mut |_| {});
        self.judge(answer)
    }

    fn listen(&mut self) -> Result<Reply, Ended> {
        let deadline = Instant::now() + self.assignment.settings.timeout();
        let cancel = self.assignment.cancel;
        let answer = self.worker.listen(deadline, &|| cancel.is_set(), &mut |_| {});
        self.judge(answer)
    }

    fn judge(&self, answer: Result<Reply, crate::pool::Interruption>) -> Result<Reply, Ended> {
        match answer {
            Ok(Reply::Failed { message }) => Err(self.failed(message)),
            Ok(Reply::Skipped { message }) => Err(CaseStatus::skipped(SkipCause::Plugin, message).into()),
            Ok(reply) => Ok(reply),
            Err(interruption) => {
                let said = self.worker.last_output();
                Err(status_of(interruption, self.stage, self.assignment.settings, said)?.into())
            }
        }
    }

    fn failed(&self, message: String) -> Ended {
        let reason = Reason { message, exit: None, last_output: self.worker.last_output() };
        CaseStatus::Failed { stage: self.stage, reason }.into()
    }

    fn unexpected(&self, reply: &Reply) -> Ended {
        let mut shown = format!("{reply:?}");
        shown.truncate(shown.floor_char_boundary(200));
        self.failed(format!("the worker gave an answer that does not fit the stage: {shown}"))
    }
}
