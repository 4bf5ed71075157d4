//! Calibration: finds the iteration count that makes a sample last the target slice, proves that it means something, warms
//! up, and measures what a timed call costs by itself.

use dyno_core::model::{Plan, Sample};

use super::{
    Clock, clock,
    growth::{self, MAX_ITERATIONS},
    timed,
};
use crate::instance::{Failure, Instance, Report};

/// Minimum length of a sample in steps of the clock, …
const RESOLUTIONS_PER_SAMPLE: f64 = 1_000.0;
/// … and in costs of a timed call that does nothing, which stay under 0.01 % of a sample.
const OVERHEADS_PER_SAMPLE: f64 = 10_000.0;

/// The goal of a calibration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    /// Target length of a sample [ns].
    pub(crate) slice_ns: u64,
    /// Minimum time spent warming up [ns].
    pub(crate) warm_up_ns: u64,
    /// Maximum work of any kind that the device can do [1/ns].
    pub(crate) work_limit_per_ns: f64,
}

/// Finds the iteration count of a sample, proves that time and work grow with it, and warms up.
pub(crate) fn calibrate(
    instance: &mut dyn Instance,
    clock: &impl Clock,
    goal: &Goal,
) -> Result<Plan, Failure> {
    let clock_resolution_ns = clock::resolution(clock);
    let call_overhead_ns = overhead(clock)?;
    let slice = (goal.slice_ns.max(1) as f64)
        .max(RESOLUTIONS_PER_SAMPLE * clock_resolution_ns)
        .max(OVERHEADS_PER_SAMPLE * call_overhead_ns);
    let wanted =
        |sample: &Sample| ((slice / sample.ns_per_iteration()).round().max(1.0) as u64).min(MAX_ITERATIONS);
    let begin = clock.now_ns();
    let first = timed(instance, clock, 1)?;
    let (mut sample, mut calls) = (first, 1u64);
    // The count is trusted once a sample of nearly the full length has been seen; a first call is often slow, so
    // one that is slower than the slice is looked at twice.
    let seen = |sample: &Sample, calls: u64| {
        let wall_ns = sample.wall_ns as f64;
        wall_ns >= 0.5 * slice && (calls > 1 || wall_ns >= 20.0 * slice)
    };
    while !seen(&sample, calls) && sample.iterations < MAX_ITERATIONS {
        // Grow tenfold at most: a slow first call, or one too short for the clock, says little about the next.
        let next = wanted(&sample).min(sample.iterations.saturating_mul(10)).max(1);
        sample = timed(instance, clock, next)?;
        calls += 1;
    }
    let count = wanted(&sample);
    let proof = growth::prove(instance, clock, count, slice, goal.work_limit_per_ns)?;
    calls += proof.calls;
    growth::check_first(&first, proof.sample.ns_per_iteration())?;
    sample = proof.sample;
    while clock.now_ns() - begin < goal.warm_up_ns {
        sample = timed(instance, clock, proof.iterations)?;
        calls += 1;
    }
    // A call that had to be longer than a slice stays so.
    let iterations = if proof.iterations > count { proof.iterations } else { wanted(&sample) };
    Ok(Plan {
        iterations,
        slice_ns: (iterations as f64 * sample.ns_per_iteration()) as u64,
        call_overhead_ns,
        clock_resolution_ns,
        warm_up_calls: calls,
        warm_up_ns: clock.now_ns() - begin,
    })
}

/// Warms up with an iteration count that is known already: one call at least.
pub(crate) fn warm_up(
    instance: &mut dyn Instance,
    clock: &impl Clock,
    iterations: u64,
    warm_up_ns: u64,
) -> Result<Plan, Failure> {
    let begin = clock.now_ns();
    let mut calls = 0;
    loop {
        let sample = timed(instance, clock, iterations.max(1))?;
        calls += 1;
        if clock.now_ns() - begin >= warm_up_ns {
            return Ok(Plan {
                iterations: iterations.max(1),
                slice_ns: sample.wall_ns,
                call_overhead_ns: 0.0,
                clock_resolution_ns: 0.0,
                warm_up_calls: calls,
                warm_up_ns: clock.now_ns() - begin,
            });
        }
    }
}

/// The cost of a timed call that does nothing [ns]: the same path with an instance that returns at once. The median of
/// many, since a single one is mostly the step of the clock.
fn overhead(clock: &impl Clock) -> Result<f64, Failure> {
    const CALLS: usize = 101;
    let mut nothing = Nothing;
    let instance: &mut dyn Instance = std::hint::black_box(&mut nothing);
    let mut costs = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let start = clock.now_ns();
        std::hint::black_box(instance.execute(std::hint::black_box(1))?);
        costs.push(clock.now_ns() - start);
    }
    costs.sort_unstable();
    Ok(costs[CALLS / 2] as f64)
}

/// An instance whose `execute` calls a foreign function that returns at once.
#[derive(Debug)]
struct Nothing;

extern "C" fn return_at_once(_: u64) -> i32 {
    0
}

impl Instance for Nothing {
    fn setup(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn verify(&mut self) -> Result<bool, Failure> {
        Ok(false)
    }

    fn prepare(&mut self, _: u64) -> Result<(), Failure> {
        Ok(())
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let call: extern "C" fn(u64) -> i32 = std::hint::black_box(return_at_once);
        call(iterations);
        Ok(Report::default())
    }

    fn process_results(&mut self, _: &[(u64, u64)]) -> Result<(), Failure> {
        Ok(())
    }

    fn cleanup(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::mock::{MockClock, MockInstance};

    /// The mock clock never moves by itself, so its resolution is the fallback of a millisecond: slices are a second.
    const SLICE: u64 = 1_000_000_000;

    fn goal(warm_up_ns: u64) -> Goal {
        Goal { slice_ns: SLICE, warm_up_ns, work_limit_per_ns: 1e6 }
    }

    fn plan(cost_ns: u64, warm_up_ns: u64) -> (Plan, MockInstance) {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, cost_ns);
        let plan = calibrate(&mut instance, &clock, &goal(warm_up_ns)).unwrap();
        (plan, instance)
    }

    #[test]
    fn a_sample_lasts_the_slice() {
        for cost in [1, 7, 1_000, 123_456, SLICE / 3] {
            let (plan, _) = plan(cost, 0);
            let slice = plan.iterations * cost;
            assert!(slice.abs_diff(SLICE) <= cost, "cost {cost}: {slice}");
        }
    }

    #[test]
    fn an_iteration_longer_than_the_slice_is_a_sample_by_itself() {
        for cost in [SLICE, 3 * SLICE, 100 * SLICE] {
            assert_eq!(plan(cost, 0).0.iterations, 1);
        }
    }

    #[test]
    fn warm_up_lasts_as_long_as_asked() {
        let (plan, instance) = plan(1_000, 10 * SLICE);
        assert!(plan.warm_up_ns >= 10 * SLICE);
        assert_eq!(plan.warm_up_calls, instance.calls);
    }

    #[test]
    fn work_that_costs_nothing_ends_at_the_bound_and_is_not_believed() {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, 0);
        let outcome = calibrate(&mut instance, &clock, &goal(0));
        assert!(matches!(outcome, Err(Failure::Error(message)) if message.contains("does not grow")));
        assert_eq!(instance.largest, MAX_ITERATIONS);
    }
}
