//! A pair of launches: two fresh workers, one per side, sampled in turn on the same processor.
//!
//! Drift of the machine hits both sides of a pair alike, and what a launch draws by luck (pages, layout of the heap) is
//! drawn anew for every pair: the pair is the unit of the statistics.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use dyno_core::{
    model::{ComparedSide, DeviceKind, PairEffect, Sample, SideEffects, Stage},
    protocol::Quota,
    stats::{self, LaunchTrend},
};

use super::{
    clock::Clock,
    pace::Pace,
    sides::{SideEnded, Sides},
};
use crate::{
    devices::Joined,
    runner::session::{
        Assignment, Calibrated, Ended, FinishReport, Instance, LoadReport, Loading, Over, Session, SetUp,
        SetUpReport, Step, Verified,
    },
};

/// One slice at a time; what is disturbed is retaken on both sides, by the host.
const ONE: Quota = Quota { min_samples: 1, max_samples: 1, budget_ns: u64::MAX, retake: false };
/// Slices by which a calibration is checked: one that was disturbed would set a wrong pace for all pairs.
const CHECKS: usize = 3;
/// Longest slice during which the host may wait on the worker's processor [ns]: during longer ones it looks up.
const SHORT_NS: u64 = 10_000_000;
/// Longest wait for a worker that has nothing more to do.
const FAREWELL: Duration = Duration::from_secs(1);

/// How a pair is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairPlan {
    /// Number of the pair, which decides the order of its slices.
    pub(super) number: u64,
    /// Once it is known. The first pair finds it, and verifies both sides.
    pub(super) pace: Option<Pace>,
}

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
    /// Time in which both sides found their pace and warmed up, as the workers say [ns].
    pub(super) warm_up_ns: u64,
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
    /// System calls of the plugin that were refused.
    pub(super) refused_calls: Vec<String>,
}

/// Both sides with an instance, and what that took.
struct Started<'a> {
    sessions: Sides<Session<'a, SetUp>>,
    /// The host's seat on their processor.
    joined: Option<Joined>,
    /// Time from starting the first process to both instances [ns].
    ns: u64,
    /// Least memory on huge pages of the two [bytes].
    huge_bytes: u64,
    /// What was asked of the kernel and refused, a sentence each.
    missing: BTreeSet<String>,
}

/// The slices of both sides.
#[derive(Default)]
struct Slices {
    /// Neighbours, without those that were retaken.
    kept: Vec<Sides<Sample>>,
    retaken: u32,
    /// Time inside all timed calls [ns].
    measured_ns: u64,
}

/// Times of both sides by one clock.
#[derive(Default)]
struct Times {
    /// Of one iteration [ns].
    ns: Sides<Vec<f64>>,
    /// Logarithms of the ratios of neighbours.
    effects: Vec<f64>,
}

impl Slices {
    /// The clock that tells the times of all of them.
    fn clock(&self) -> Clock {
        Clock::of(self.kept.iter().flat_map(|slices| [&slices.baseline, &slices.candidate]))
    }

    /// Their times by this clock.
    fn times(&self, clock: Clock) -> Result<Times, SideEnded> {
        let mut times = Times::default();
        for slices in &self.kept {
            let told = |side, slice: &Sample| clock.ns(slice).ok_or_else(|| (side, silent()));
            let x = told(ComparedSide::Baseline, &slices.baseline)?;
            let y = told(ComparedSide::Candidate, &slices.candidate)?;
            times.effects.push((y / x).ln());
            times.ns.baseline.push(x);
            times.ns.candidate.push(y);
        }
        Ok(times)
    }
}

fn silent() -> Ended {
    let message = "the plugin reported device time for all earlier slices and none for this one: report `device_ns` in every call \
                   of `execute`, or in none";
    Ended::failed(Stage::Sample, message.to_owned(), None, Vec::new())
}

/// Takes a pair.
pub(super) fn pair<'a>(sides: Sides<&'a Assignment<'a>>, plan: PairPlan) -> Result<Pair, SideEnded> {
    let Assignment { case, settings, .. } = sides.baseline;
    // Where the calling thread waits for others, or for a device, losing the processor disturbs nothing.
    let works_here = case.threads() == 1 && case.device.kind == DeviceKind::Cpu;
    let candidate_first = stats::sequential::candidate_first(settings.seed, plan.number);
    let is_short = |pace: Pace| pace.slice_ns <= SHORT_NS;
    let started = start(sides, candidate_first, plan.pace.is_none_or(is_short))?;
    let Started { sessions, joined, ns: starts_ns, huge_bytes, missing } = started;
    let (sessions, pace, warm_up_ns) = match plan.pace {
        Some(pace) => {
            let (sessions, warm_up_ns) = warmed_up(sessions, pace)?;
            (sessions, pace, warm_up_ns)
        }
        None => {
            let (sessions, _) = sessions.in_turn(candidate_first, Session::verify)?.unzip();
            // Both prove that they do the work in every iteration; the pace is the baseline's.
            let (sessions, found) = sessions.in_turn(true, |session| find_pace(session, starts_ns))?.unzip();
            let (pace, baseline_ns) = found.baseline;
            let (_, candidate_ns) = found.candidate;
            let (sessions, warm_up_ns) = warmed_up(sessions, pace)?;
            (sessions, pace, sum([baseline_ns, candidate_ns, warm_up_ns]))
        }
    };
    let joined = joined.filter(|_| is_short(pace));
    let order = stats::sequential::slice_order(settings.seed, plan.number, pace.slices);
    let (sessions, slices) = take_turns(sessions, order, works_here)?;
    let clock = if plan.pace.is_none() { slices.clock() } else { pace.clock };
    let times = slices.times(clock)?;
    // Both are asked before either is waited for: a process that ends takes a while, and needs its processor for that.
    let finished = sessions.in_turn(false, Session::finish)?;
    drop(joined);
    let left = finished.in_turn(false, close)?;
    let side = |ns: &[f64], FinishReport { side_effects, refused_calls, .. }| OneSide {
        ns: stats::median(ns).unwrap_or_default(),
        trend: LaunchTrend::of(ns),
        side_effects,
        refused_calls,
    };
    Ok(Pair {
        effect: PairEffect { effect: stats::median(&times.effects).unwrap_or_default(), candidate_first },
        pace: Pace { clock, ..pace },
        // Robust, as the effect is: half of the slices say how far the others lie.
        within: stats::mad(&times.effects).map(|mad| (1.482_602_2 * mad).powi(2)),
        baseline: side(&times.ns.baseline, left.baseline),
        candidate: side(&times.ns.candidate, left.candidate),
        starts_ns,
        retaken: slices.retaken,
        huge_bytes,
        measured_ns: slices.measured_ns,
        warm_up_ns,
        missing,
    })
}

/// Starts both workers and makes an instance in each. Until an instance is made, the two work at the same time, and on two
/// processors where there are: nothing is measured yet. With `joins`, the host takes a seat on their processor.
fn start<'a>(
    sides: Sides<&'a Assignment<'a>>,
    candidate_first: bool,
    joins: bool,
) -> Result<Started<'a>, SideEnded> {
    let begin = Instant::now();
    let placed = sides.baseline;
    let mut joined = None;
    let spawned = sides.in_turn(candidate_first, |assignment| {
        let session = Session::spawn(assignment, Box::new(|_| {}))?;
        // A process begins on its parent's processors: the other one begins on the one that both are measured on.
        if joins && joined.is_none() {
            joined = placed.join();
        }
        Ok::<_, Ended>(session)
    })?;
    // The first one loads while the second one still starts.
    let loading = spawned.in_turn(candidate_first, |session| session.greet()?.0.ask_to_load())?;
    let (loaded, loads) = loading.in_turn(candidate_first, Session::<Loading>::load)?.unzip();
    let (sessions, set_ups) = loaded.in_turn(candidate_first, Session::set_up)?.unzip();
    let missing = |load: LoadReport, set_up: SetUpReport| load.missing.into_iter().chain(set_up.missing);
    Ok(Started {
        sessions,
        joined,
        ns: u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX),
        huge_bytes: set_ups.baseline.huge_bytes.min(set_ups.candidate.huge_bytes),
        missing: missing(loads.baseline, set_ups.baseline)
            .chain(missing(loads.candidate, set_ups.candidate))
            .collect(),
    })
}

/// Calibrates a side, and finds the pace of sides that take so long to start, both together. Returns how long that took, too [ns].
fn find_pace(session: Session<'_, Verified>, starts_ns: u64) -> Step<'_, Calibrated, (Pace, u64)> {
    let slice_ns = session.settings().slice_ns.max(1);
    let (mut session, plan) = session.calibrate()?;
    let mut fastest_ns = plan.slice_ns.max(1);
    let mut warm_up_ns = plan.warm_up_ns;
    for _ in 0..CHECKS {
        let again;
        (session, again) = session.warm_up(plan.iterations)?;
        fastest_ns = fastest_ns.min(again.slice_ns.max(1));
        warm_up_ns = sum([warm_up_ns, again.warm_up_ns]);
    }
    // The clock and the cost of a call may have asked for more than the slice that was wished for.
    let stretch = slice_ns as f64 / fastest_ns as f64;
    let iterations = (plan.iterations as f64 * stretch.max(1.0)).round().max(1.0) as u64;
    let expected_ns = fastest_ns as f64 * (iterations as f64 / plan.iterations as f64);
    Ok((session, (Pace::first(iterations, expected_ns as u64, starts_ns), warm_up_ns)))
}

/// Takes a slice of either side and discards it. Returns how long that took, too [ns].
fn warmed_up<'a, State: Instance>(
    sessions: Sides<Session<'a, State>>,
    pace: Pace,
) -> Result<(Sides<Session<'a, Calibrated>>, u64), SideEnded> {
    let (sessions, plans) = sessions.in_turn(false, |session| session.warm_up(pace.iterations))?.unzip();
    Ok((sessions, sum([plans.baseline.warm_up_ns, plans.candidate.warm_up_ns])))
}

/// Times that workers tell, which may tell anything.
fn sum<const N: usize>(times_ns: [u64; N]) -> u64 {
    times_ns.into_iter().fold(0, u64::saturating_add)
}

/// Takes slices of both sides in turn; `order` says for each whether the candidate's comes first. With `works_here`, disturbed
/// slices are retaken on both sides.
fn take_turns<'a>(
    mut sessions: Sides<Session<'a, Calibrated>>,
    order: Vec<bool>,
    works_here: bool,
) -> Result<(Sides<Session<'a, Calibrated>>, Slices), SideEnded> {
    let mut slices = Slices::default();
    let most_retaken = order.len();
    for candidate_first in order {
        let kept = loop {
            let taken;
            (sessions, taken) = sessions.in_turn(candidate_first, slice)?.unzip();
            let (x, y) = (&taken.baseline, &taken.candidate);
            slices.measured_ns += x.wall_ns + y.wall_ns;
            let disturbed = works_here && (x.is_disturbed() || y.is_disturbed());
            // On a machine that is never quiet there still is a result.
            if !disturbed || slices.retaken as usize >= most_retaken {
                break taken;
            }
            slices.retaken += 1;
        };
        slices.kept.push(kept);
    }
    Ok((sessions, slices))
}

fn slice(session: Session<'_, Calibrated>) -> Step<'_, Calibrated, Sample> {
    let (session, report) = session.sample(ONE, &mut |_| {})?;
    Ok((session, report.last))
}

/// Waits for the end of a worker.
fn close((over, finished): (Session<'_, Over>, FinishReport)) -> Result<FinishReport, Ended> {
    let closed = over.close(FAREWELL);
    // The other side would be measured beside it from now on.
    match closed.stuck {
        Some(message) => Err(Ended::failed(Stage::Cleanup, message, None, closed.captured.last_lines())),
        None => Ok(finished),
    }
}
