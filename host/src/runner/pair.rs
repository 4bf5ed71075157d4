//! A pair of launches: two fresh workers, one per side, sampled in turn on the same processor.
//!
//! Drift of the machine hits both sides of a pair alike, and what a launch draws by luck (pages, layout of the heap) is
//! drawn anew for every pair: the pair is the unit of the statistics.

use std::time::{Duration, Instant};

use dyno_core::{
    model::{CaseStatus, Reason, Sample, Stage},
    protocol::{PROTOCOL_VERSION, Quota, Reply, Request},
    stats,
};
use tempfile::TempDir;

use super::launch::{Assignment, FAREWELL, check, load_of, status_of};
use crate::pool::{Worker, WorkerCommand};

/// One slice at a time; what is disturbed is retaken on both sides, by the host.
const ONE: Quota = Quota { min_samples: 1, max_samples: 1, budget_ns: u64::MAX, retake: false };

/// Two sides of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Baseline,
    Candidate,
}

/// How a pair is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairPlan {
    /// Number of the pair, which decides the order of its slices.
    pub(super) number: u64,
    /// Slices per side.
    pub(super) slices: usize,
    /// Iterations of a slice, once they are known. The first pair finds them, and verifies both sides.
    pub(super) iterations: Option<u64>,
}

/// What a pair gave.
#[derive(Debug)]
pub(super) struct Pair {
    /// Natural logarithm of candidate over baseline.
    pub(super) effect: f64,
    pub(super) iterations: u64,
    /// Median time of one iteration [ns].
    pub(super) baseline_ns: f64,
    pub(super) candidate_ns: f64,
    pub(super) retaken: u32,
    /// Time inside the timed calls [ns].
    pub(super) measured_ns: u64,
}

/// Takes a pair.
pub(super) fn pair(
    baseline: &Assignment<'_>,
    candidate: &Assignment<'_>,
    plan: PairPlan,
) -> Result<Pair, (Side, CaseStatus)> {
    let order = stats::sequential::slice_order(baseline.settings.seed, plan.number, plan.slices);
    let candidate_first = order.first().copied().unwrap_or(false);
    let old = |status| (Side::Baseline, status);
    let new = |status| (Side::Candidate, status);
    let verify = plan.iterations.is_none();
    let (mut a, mut b) = if candidate_first {
        let b = Running::start(candidate, verify).map_err(new)?;
        (Running::start(baseline, verify).map_err(old)?, b)
    } else {
        let a = Running::start(baseline, verify).map_err(old)?;
        (a, Running::start(candidate, verify).map_err(new)?)
    };
    let iterations = match plan.iterations {
        Some(iterations) => iterations,
        None => a.warm_up(None).map_err(old)?,
    };
    // The discarded slice of either side: in the first pair, for the baseline, calibration was it.
    if plan.iterations.is_some() {
        a.warm_up(Some(iterations)).map_err(old)?;
    }
    b.warm_up(Some(iterations)).map_err(new)?;

    let (mut effects, mut old_ns, mut new_ns) = (Vec::new(), Vec::new(), Vec::new());
    let (mut retaken, mut measured_ns) = (0u32, 0u64);
    for candidate_first in order {
        let (x, y) = loop {
            let (x, y) = if candidate_first {
                let y = b.slice().map_err(new)?;
                (a.slice().map_err(old)?, y)
            } else {
                let x = a.slice().map_err(old)?;
                (x, b.slice().map_err(new)?)
            };
            measured_ns += x.wall_ns + y.wall_ns;
            let disturbed = baseline.case.threads() == 1 && (x.is_disturbed() || y.is_disturbed());
            // On a machine that is never quiet there still is a result.
            if !disturbed || retaken as usize >= plan.slices {
                break (x, y);
            }
            retaken += 1;
        };
        let (x, y) = (x.ns_per_iteration(), y.ns_per_iteration());
        effects.push((y / x).ln());
        old_ns.push(x);
        new_ns.push(y);
    }
    a.finish().map_err(old)?;
    b.finish().map_err(new)?;
    let median = |values: &[f64]| stats::median(values).unwrap_or_default();
    Ok(Pair {
        effect: median(&effects),
        iterations,
        baseline_ns: median(&old_ns),
        candidate_ns: median(&new_ns),
        retaken,
        measured_ns,
    })
}

/// One side's worker.
struct Running<'a> {
    assignment: &'a Assignment<'a>,
    worker: Worker,
    stage: Stage,
    /// Gone with everything in it when the side ends.
    _directory: TempDir,
}

impl<'a> Running<'a> {
    /// From a process to an instance that is set up.
    fn start(assignment: &'a Assignment<'a>, verify: bool) -> Result<Self, CaseStatus> {
        let failed =
            |message: String| CaseStatus::Failed { stage: Stage::Spawn, reason: Reason::new(message) };
        let directory = tempfile::Builder::new()
            .prefix("dyno-launch-")
            .tempdir()
            .map_err(|error| failed(format!("cannot make a directory for the worker: {error}")))?;
        let worker = Worker::spawn(&WorkerCommand {
            program: assignment.worker.clone(),
            directory: directory.path().to_owned(),
            layout: assignment.settings.layout,
            memory_limit_bytes: assignment.settings.memory_limit_bytes,
        })
        .map_err(|error| failed(error.to_string()))?;
        let mut running = Self { assignment, worker, stage: Stage::Spawn, _directory: directory };
        match running.ask(Stage::Spawn, &Request::Hello { protocol: PROTOCOL_VERSION })? {
            Reply::Hello { protocol: PROTOCOL_VERSION, .. } => {}
            other => return Err(running.unexpected(&other)),
        }
        match running.ask(Stage::Load, &Request::Load(Box::new(load_of(assignment))))? {
            Reply::Loaded { .. } => {}
            other => return Err(running.unexpected(&other)),
        }
        match running.ask(Stage::Setup, &Request::Setup)? {
            Reply::SetUp => {}
            other => return Err(running.unexpected(&other)),
        }
        if verify {
            match running.ask(Stage::Verify, &Request::Verify)? {
                Reply::Verified { .. } => {}
                other => return Err(running.unexpected(&other)),
            }
        }
        Ok(running)
    }

    /// Warms up, and finds the iteration count where none is given.
    fn warm_up(&mut self, iterations: Option<u64>) -> Result<u64, CaseStatus> {
        let settings = self.assignment.settings;
        // With a known count one slice is enough: it is the one that is thrown away.
        let warm_up_ns = if iterations.is_none() { settings.warm_up_ns } else { 0 };
        let request = Request::Calibrate { slice_ns: settings.slice_ns, warm_up_ns, iterations };
        match self.ask(Stage::Calibrate, &request)? {
            Reply::Calibrated(plan) if plan.iterations > 0 => Ok(plan.iterations),
            other => Err(self.unexpected(&other)),
        }
    }

    fn slice(&mut self) -> Result<Sample, CaseStatus> {
        let sample = match self.ask(Stage::Sample, &Request::Sample(ONE))? {
            Reply::Batch { samples } => match samples.as_slice() {
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

    fn finish(mut self) -> Result<(), CaseStatus> {
        match self.ask(Stage::Cleanup, &Request::Finish)? {
            Reply::Finished { .. } => {}
            other => return Err(self.unexpected(&other)),
        }
        let _ = self.worker.finish(Instant::now() + FAREWELL.min(Duration::from_secs(1)));
        Ok(())
    }

    fn ask(&mut self, stage: Stage, request: &Request) -> Result<Reply, CaseStatus> {
        self.stage = stage;
        let deadline = Instant::now() + self.assignment.settings.timeout();
        let cancel = self.assignment.cancel;
        let answer = self.worker.ask(request, deadline, &|| cancel.is_set(), &mut |_| {});
        self.judge(answer)
    }

    fn listen(&mut self) -> Result<Reply, CaseStatus> {
        let deadline = Instant::now() + self.assignment.settings.timeout();
        let cancel = self.assignment.cancel;
        let answer = self.worker.listen(deadline, &|| cancel.is_set(), &mut |_| {});
        self.judge(answer)
    }

    fn judge(&self, answer: Result<Reply, crate::pool::Interruption>) -> Result<Reply, CaseStatus> {
        match answer {
            Ok(Reply::Failed { message }) => Err(self.failed(message)),
            Ok(Reply::Skipped { message }) => Err(CaseStatus::Skipped { reason: message }),
            Ok(reply) => Ok(reply),
            Err(interruption) => {
                Err(status_of(interruption, self.stage, self.assignment.settings, self.worker.last_output()))
            }
        }
    }

    fn failed(&self, message: String) -> CaseStatus {
        let reason = Reason { message, exit: None, last_output: self.worker.last_output() };
        CaseStatus::Failed { stage: self.stage, reason }
    }

    fn unexpected(&self, reply: &Reply) -> CaseStatus {
        let mut shown = format!("{reply:?}");
        shown.truncate(shown.floor_char_boundary(200));
        self.failed(format!("the worker gave an answer that does not fit the stage: {shown}"))
    }
}
