//! Tests of single calls: iterations, checksums, second instances, and stopping.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use dyno_core::{
    model::{CaseStatus, TestOutcome, Work},
    protocol::{Quota, Renewal},
    stats, units,
};

use super::trial::{Stop, Tested, Trial, set_up, settled};
use crate::runner::{
    Cancel,
    session::{Assignment, Ended, Session, Verified},
};

/// Iterations of a call whose checksum is looked at.
const ITERATIONS: u64 = 3;
/// How many calls are made, one after the other, …
const CALLS: u64 = 1_000;
/// … and after how many of them whatever is made once is there.
const SETTLED_CALLS: u64 = 100;
/// Calls climb if the last third of them takes so many times as long as the first, …
const STEEP: f64 = 2.0;
/// … so much longer [ns], …
const LEAST_CLIMB_NS: f64 = 200.0;
/// … and each third so many times as long as the one before.
const STEP: f64 = 1.2;
/// How many instances are made, one after the other.
const INSTANCES: u32 = 100;
/// What calls or instances may leave together [bytes]: the allocator keeps some.
const MOST_LEFT: u64 = 1 << 20;
/// How long a measurement goes on before it is cancelled.
const LEAD: Duration = Duration::from_millis(100);
/// How long it may then take to stop by itself; a little later the host kills it.
const PATIENCE: Duration = Duration::from_millis(1_900);

pub(super) fn no_iteration(trial: &Trial<'_>) -> Tested {
    trial.try_defaults(|session| {
        let (_, sample) = session.call(0)?;
        Ok(if sample.work == Work::default() {
            TestOutcome::Passed
        } else {
            let Work { items, bytes, flop } = sample.work;
            TestOutcome::failed(format!(
                "it reports work for no iteration ({items} items, {bytes} bytes, {flop} flop): multiply the work of one \
                 iteration by `iterations`"
            ))
        })
    })
}

pub(super) fn one_iteration(trial: &Trial<'_>) -> Tested {
    trial.try_defaults(|session| {
        let (session, _) = session.call(1)?;
        session.call(1)?;
        Ok(TestOutcome::Passed)
    })
}

/// Compares the checksums of two processes.
pub(super) fn reproducible(trial: &Trial<'_>) -> Tested {
    let mut sums = Vec::new();
    for _ in 0..2 {
        let outcome = trial.try_defaults(|session| {
            sums.push(checksum(session)?.1);
            Ok(TestOutcome::Passed)
        })?;
        if outcome != TestOutcome::Passed {
            return Ok(outcome);
        }
    }
    Ok(match sums.as_slice() {
        [0, 0] => TestOutcome::skipped("it reports no checksum"),
        [first, second] if first != second => TestOutcome::failed(format!(
            "two processes with the same seed report {first:#x} and {second:#x}: take everything at random from the seed of \
             the context, and nothing from time, addresses or uninitialised memory"
        )),
        _ => TestOutcome::Passed,
    })
}

/// Compares the checksums of two instances in one process.
pub(super) fn independent(trial: &Trial<'_>) -> Tested {
    trial.try_defaults(|session| {
        let (session, first) = checksum(session)?;
        let (session, _) = session.renew(1, Duration::ZERO)?;
        let (_, second) = checksum(session)?;
        Ok(if first == second {
            TestOutcome::Passed
        } else {
            TestOutcome::failed(format!(
                "the first instance reports the checksum {first:#x}, a later one {second:#x}: keep nothing in global \
                 variables that changes the work"
            ))
        })
    })
}

fn checksum(session: Session<'_, Verified>) -> Result<(Session<'_, Verified>, u64), Ended> {
    let (session, sample) = session.call(ITERATIONS)?;
    Ok((session, sample.checksum))
}

/// Calls `execute` a thousand times.
pub(super) fn steady(trial: &Trial<'_>) -> Tested {
    trial.try_defaults(|mut session| {
        let end = Instant::now() + trial.budget() / 2;
        let (mut calls, mut before, mut times_ns) = (0, None, Vec::new());
        while calls < CALLS && Instant::now() < end {
            let sample;
            (session, sample) = session.call(1)?;
            times_ns.push(sample.wall_ns as f64);
            calls += 1;
            if calls == SETTLED_CALLS {
                before = session.resident_bytes();
            }
        }
        Ok(match (before, session.resident_bytes()) {
            (Some(before), Some(after)) if calls > SETTLED_CALLS => {
                let kept = kept(calls - SETTLED_CALLS, after.saturating_sub(before), trial.has_run_time);
                if kept == TestOutcome::Passed { climbs(&times_ns).unwrap_or(kept) } else { kept }
            }
            _ => TestOutcome::skipped("`execute` takes too long to be repeated in the time of this test"),
        })
    })
}

/// A note if calls after the first hundred take longer the more of them there were. `stats::trend` would also find a single step,
/// which another process makes when it starts or ends; here each third of the calls must take longer than the one before.
fn climbs(times_ns: &[f64]) -> Option<TestOutcome> {
    let settled = times_ns.get(SETTLED_CALLS as usize..)?;
    let mut thirds = settled.chunks(settled.len().div_ceil(3).max(1)).map(stats::median);
    let (early, middle, late) = (thirds.next()??, thirds.next()??, thirds.next()??);
    let is_steep = late > STEEP * early && late - early > LEAST_CLIMB_NS;
    let is_steady = middle > STEP * early && late > STEP * middle;
    (is_steep && is_steady).then(|| {
        TestOutcome::noted(format!(
            "`execute` takes longer the more often it is called, first {}, later {}: look for state that grows from call to \
             call",
            units::duration(early),
            units::duration(late)
        ))
    })
}

fn kept(calls: u64, bytes: u64, has_run_time: bool) -> TestOutcome {
    let memory = format!("{calls} calls of `execute` left {} of memory behind", units::bytes(bytes as f64));
    match (bytes > MOST_LEFT, has_run_time) {
        (false, _) => TestOutcome::Passed,
        (true, true) => TestOutcome::noted(format!("{memory}; its run time may free that later")),
        (true, false) => TestOutcome::failed(format!(
            "{memory}, so later samples are not like earlier ones: allocate in `setup` or `prepare`, and free what `execute` \
             allocates"
        )),
    }
}

/// Makes an instance a hundred times.
pub(super) fn repeat(trial: &Trial<'_>) -> Tested {
    trial.try_defaults(|session| {
        let (_, renewal) = session.renew(INSTANCES, trial.budget() / 2)?;
        Ok(if renewal.times == renewal.settled {
            TestOutcome::skipped("`setup` takes too long to be repeated in the time of this test")
        } else {
            repeated(&renewal, trial.has_run_time)
        })
    })
}

fn repeated(renewal: &Renewal, has_run_time: bool) -> TestOutcome {
    let Renewal { times, settled, memory_bytes: [before, after], left } = *renewal;
    let instances = times - settled;
    let mut out = Vec::new();
    let grown = after.saturating_sub(before);
    let memory = format!("{instances} instances left {} of memory behind", units::bytes(grown as f64));
    if grown > MOST_LEFT && !has_run_time {
        out.push(format!("{memory}: free in `cleanup` what `setup` allocates"));
    }
    if left.threads_left > 0 {
        out.push(format!(
            "{instances} instances left {} behind: end them in `cleanup`",
            units::count(left.threads_left, "thread")
        ));
    }
    if left.descriptors_left > 0 {
        out.push(format!(
            "{instances} instances left {} open: close in `cleanup` what `setup` opens",
            units::count(left.descriptors_left, "descriptor")
        ));
    }
    if out.is_empty() && grown > MOST_LEFT {
        return TestOutcome::noted(format!("{memory}; its run time may free that later"));
    }
    TestOutcome::unless(&out)
}

/// Cancels a measurement.
pub(super) fn cancel(trial: &Trial<'_>) -> Tested {
    // Not the user's: that would end everything.
    let cancel = Cancel::default();
    let case = trial.with_defaults();
    let assignment = trial.assignment(&case, &cancel);
    let (begun, gate) = mpsc::channel::<()>();
    let (outcome, told) = thread::scope(|scope| {
        let cancel = &cancel;
        let watch = scope.spawn(move || {
            // Until it begins, or has ended, or the user has no more patience.
            let begins = loop {
                match gate.recv_timeout(LEAD) {
                    Err(mpsc::RecvTimeoutError::Timeout) if !trial.cancel.is_set() => {}
                    heard => break heard.is_ok(),
                }
            };
            if begins {
                thread::sleep(LEAD);
            }
            cancel.set();
            Instant::now()
        });
        // If the other side does not hear it, it cancels at once.
        let outcome = sample_until_cancelled(&assignment, || {
            let _ = begun.send(());
        });
        let end = Instant::now();
        drop(begun);
        (outcome, watch.join().map(|told| end.saturating_duration_since(told)))
    });
    if trial.cancel.is_set() {
        return Err(Stop::GaveUp);
    }
    let took = told.unwrap_or_default();
    match outcome {
        // It stopped, or it had to be killed, or it was quicker than the wish to stop.
        Ok(()) | Err(Ended::Case(CaseStatus::Cancelled)) => Ok(if took < PATIENCE {
            TestOutcome::Passed
        } else {
            TestOutcome::failed(
                "it had to be killed: one iteration takes longer than two seconds, so let it look at `cancelled` of the \
                 context now and then, and return early",
            )
        }),
        Err(ended) => settled(Err(ended)),
    }
}

/// Samples for a minute; `begins` is called before the first sample.
fn sample_until_cancelled(assignment: &Assignment<'_>, begins: impl FnOnce()) -> Result<(), Ended> {
    let (session, _) = set_up(assignment)?.warm_up(1)?;
    begins();
    let quota = Quota { min_samples: 1, max_samples: 1_000_000, budget_ns: 60_000_000_000, retake: false };
    session.sample(quota, &mut |_| {})?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use dyno_core::model::SideEffects;

    use super::*;

    #[test]
    fn what_instances_leave_is_named_with_its_size() {
        let renewal = |grown: u64, left: SideEffects| Renewal {
            times: 100,
            settled: 10,
            memory_bytes: [5_000_000, 5_000_000 + grown],
            left,
        };
        let judged = |renewal: &Renewal| repeated(renewal, false);
        assert_eq!(judged(&renewal(MOST_LEFT, SideEffects::default())), TestOutcome::Passed);
        let shrunk = Renewal { memory_bytes: [9, 1], ..renewal(0, SideEffects::default()) };
        assert_eq!(judged(&shrunk), TestOutcome::Passed);
        let left = SideEffects { threads_left: 1, descriptors_left: 90, ..SideEffects::default() };
        let TestOutcome::Failed { message } = judged(&renewal(3 << 20, left)) else { panic!("it passed") };
        for part in ["90 instances", "3.000 MiB", "1 thread", "90 descriptors"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }

    #[test]
    fn what_calls_leave_is_named_with_its_size() {
        assert_eq!(kept(900, MOST_LEFT, false), TestOutcome::Passed);
        let TestOutcome::Failed { message } = kept(900, 3 << 20, false) else { panic!("it passed") };
        assert!(message.contains("900 calls of `execute` left 3.000 MiB"), "{message}");
        assert!(matches!(kept(900, 3 << 20, true), TestOutcome::Noted { .. }));
    }

    #[test]
    fn calls_that_take_longer_and_longer_are_noted_and_a_step_is_not() {
        let calls = |of: fn(u32) -> f64| climbs(&(0..1000).map(of).collect::<Vec<_>>());
        let Some(TestOutcome::Noted { message }) = calls(|call| 100.0 + f64::from(call)) else {
            panic!("a note was due")
        };
        assert!(message.contains("state that grows"), "{message}");
        assert_eq!(calls(|_| 5_000.0), None);
        assert_eq!(calls(|call| if call < 500 { 1_000.0 } else { 9_000.0 }), None, "a neighbour came");
        assert_eq!(calls(|call| 10.0 + f64::from(call) / 10.0), None, "the clock tells no less");
        assert_eq!(climbs(&[1.0; 100]), None);
    }

    #[test]
    fn a_run_time_may_keep_memory_for_a_while_and_nothing_else() {
        let left = |descriptors_left| Renewal {
            times: 100,
            settled: 10,
            memory_bytes: [0, 3 << 20],
            left: SideEffects { descriptors_left, ..SideEffects::default() },
        };
        assert!(matches!(repeated(&left(0), true), TestOutcome::Noted { .. }));
        assert!(matches!(repeated(&left(1), true), TestOutcome::Failed { .. }));
    }
}
