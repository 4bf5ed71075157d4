//! Proof that the loop exists: before a time per iteration is believed, time and reported work are seen to grow with
//! the iterations.
//!
//! An optimising compiler removes work whose result nobody uses, moves it out of the loop, or computes the loop in closed
//! form; an author forgets the loop. Each leaves a call that costs the same for any number of iterations, and a time
//! per iteration that only says how many were asked for.

use dyno_core::model::{LOOP_REMEDY, MIN_NS_PER_ITERATION, Sample, Work};

use super::{Clock, timed};
use crate::instance::{Failure, Instance};

/// Maximum number of iterations: a sample of an iteration that costs nothing ends here.
pub(super) const MAX_ITERATIONS: u64 = 1 << 40;
/// Calls of each count, taken in turn; the fastest of each is compared. A disturbance only ever adds time, and hits
/// long calls more than short ones.
const ROUNDS: u32 = 3;
/// Further calls of each count where growth is in doubt.
const MORE_ROUNDS: u32 = 6;
/// Growth is 1 where time is proportional to the iterations and 0 where it does not depend on them. From here on the part
/// of a call that is the same for any count is at most half of the smallest call, an eighth of the largest.
const PROPORTIONAL: f64 = 0.5;
/// Below this, in calls of any length, there is no loop.
const GROWING: f64 = 0.25;
/// Share of a sample's length under which a call is far shorter than a sample.
const SHORT: f64 = 0.5;
/// Factor by which calls with a large fixed part (starting threads, waiting for a device) are lengthened, …
const STRETCH: u64 = 8;
/// … and how often at most, once a call lasts as long as a sample should.
const STRETCHES: u32 = 2;
/// A first iteration of at least this much processor time [ns] …
const FIRST_NS: u64 = 2_000_000;
/// … and at least this many times that of a later iteration did the work of all.
const FIRST_OVER_LATER: f64 = 100_000.0;

/// The proof.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proof {
    /// Iterations of a call whose time is nearly proportional to them.
    pub(super) iterations: u64,
    /// Calls that it took.
    pub(super) calls: u64,
    /// The fastest call with that many.
    pub(super) sample: Sample,
}

/// Compares calls of `count`/4, `count`/2 and `count` iterations; with a single one there is nothing to compare, and
/// nothing to divide by. A sample should last about `slice_ns`.
pub(super) fn prove(
    instance: &mut dyn Instance,
    clock: &impl Clock,
    count: u64,
    slice_ns: f64,
    work_limit_per_ns: f64,
) -> Result<Proof, Failure> {
    let mut seen = Calls::new(count);
    let mut stretches = 0;
    loop {
        seen.take(instance, clock, ROUNDS)?;
        if seen.growth() < PROPORTIONAL {
            seen.take(instance, clock, MORE_ROUNDS)?;
        }
        let largest = seen.largest()?;
        // Calls far shorter than a sample: the count comes from one that was disturbed, or there is no loop. Noise can
        // make them grow, so nothing is believed and nobody accused by them.
        let short = is_short(&largest, slice_ns);
        if seen.count() >= MAX_ITERATIONS || (!short && seen.growth() >= PROPORTIONAL) {
            break;
        }
        if !short {
            if stretches == STRETCHES {
                break;
            }
            stretches += 1;
        }
        let longest = seen.count().saturating_mul(STRETCH).min(MAX_ITERATIONS);
        let more = if seen.growth() >= PROPORTIONAL {
            let fitting = (slice_ns / largest.ns_per_iteration()).round() as u64;
            fitting.clamp(seen.count() + 1, longest)
        } else {
            longest
        };
        seen = Calls { taken: seen.taken, ..Calls::new(more) };
    }
    seen.judge(slice_ns, work_limit_per_ns)?;
    let sample = seen.largest()?;
    Ok(Proof { iterations: sample.iterations, calls: seen.taken, sample })
}

/// Refuses work that only the first iteration did: `first` is the very first call, with one iteration.
pub(super) fn check_first(first: &Sample, later_ns: f64) -> Result<(), Failure> {
    // Processor time, since a first call that was interrupted did no work meanwhile.
    let first_ns = first.cpu_ns as f64;
    if first.cpu_ns < FIRST_NS || first_ns < FIRST_OVER_LATER * later_ns {
        return Ok(());
    }
    Err(Failure::Error(format!(
        "only the first iteration does the work: it took {}, and later ones take {} each. Either `execute` keeps its \
         result and returns it again, or the compiler does so for it: do the work in every iteration, and {LOOP_REMEDY}. \
         One-time work belongs in `setup`",
        time(first_ns),
        time(later_ns)
    )))
}

/// The fastest calls of each count.
#[derive(Debug)]
struct Calls {
    counts: Vec<u64>,
    fastest: Vec<Option<Sample>>,
    taken: u64,
}

impl Calls {
    fn new(count: u64) -> Self {
        let mut counts = vec![(count / 4).max(1), (count / 2).max(1), count.max(1)];
        counts.dedup();
        Self { fastest: vec![None; counts.len()], counts, taken: 0 }
    }

    fn count(&self) -> u64 {
        self.counts.last().copied().unwrap_or(1)
    }

    fn take(&mut self, instance: &mut dyn Instance, clock: &impl Clock, rounds: u32) -> Result<(), Failure> {
        // With a single count there is nothing to compare, so one call is enough.
        if self.counts.len() < 2 && self.fastest.iter().all(Option::is_some) {
            return Ok(());
        }
        for _ in 0..rounds {
            for (count, fastest) in self.counts.iter().zip(&mut self.fastest) {
                let sample = timed(instance, clock, *count)?;
                self.taken += 1;
                if fastest.is_none_or(|known| sample.wall_ns < known.wall_ns) {
                    *fastest = Some(sample);
                }
            }
            if self.counts.len() < 2 {
                break;
            }
        }
        Ok(())
    }

    fn smallest(&self) -> Option<Sample> {
        self.fastest.first().copied().flatten()
    }

    fn largest(&self) -> Result<Sample, Failure> {
        let none = || Failure::Error("calibration took no sample".to_owned());
        self.fastest.last().copied().flatten().ok_or_else(none)
    }

    /// How much more the largest count gives than the smallest, as a share of what it should.
    fn growth_of(&self, value: impl Fn(&Sample) -> f64) -> f64 {
        let (Some(small), Ok(large)) = (self.smallest(), self.largest()) else { return 1.0 };
        if large.iterations <= small.iterations {
            return 1.0;
        }
        let wanted = large.iterations as f64 / small.iterations as f64 - 1.0;
        (value(&large) / value(&small) - 1.0) / wanted
    }

    fn growth(&self) -> f64 {
        self.growth_of(|sample| sample.wall_ns as f64)
    }

    fn judge(&self, slice_ns: f64, work_limit_per_ns: f64) -> Result<(), Failure> {
        let (Some(small), large) = (self.smallest(), self.largest()?) else { return Ok(()) };
        // Short calls are judged at the maximum number of iterations only, and no work is that fast.
        if is_short(&large, slice_ns) || self.growth() < GROWING {
            let steps: Vec<String> = self
                .fastest
                .iter()
                .flatten()
                .map(|sample| format!("{} in {}", sample.iterations, time(sample.wall_ns as f64)))
                .collect();
            return Err(Failure::Error(format!(
                "time does not grow with the iterations ({}). Either `execute` does not loop over `iterations`, or the \
                 compiler removed the work or moved it out of the loop: {LOOP_REMEDY}",
                steps.join(", ")
            )));
        }
        if large.ns_per_iteration() < MIN_NS_PER_ITERATION {
            return Err(Failure::Error(format!(
                "an iteration would take {}, less than a single instruction takes. Either `execute` does not do the work \
                 `iterations` times, or the compiler removed it: {LOOP_REMEDY}",
                time(large.ns_per_iteration())
            )));
        }
        self.judge_work(&small, &large)?;
        large.work.fastest_per_ns(large.wall_ns).map_or(Ok(()), |(name, rate)| {
            if rate <= work_limit_per_ns {
                return Ok(());
            }
            Err(Failure::Error(format!(
                "the plugin reported {name} of work at {:.3e} per second, more than this machine can do \
                 ({:.3e}). Either `execute` does not do the work that it reports, or the compiler removed it: {LOOP_REMEDY}",
                rate * 1e9,
                work_limit_per_ns * 1e9
            )))
        })
    }

    fn judge_work(&self, small: &Sample, large: &Sample) -> Result<(), Failure> {
        type Part = fn(&Work) -> f64;
        let parts: [(&str, Part); 3] =
            [("items", |work| work.items), ("bytes", |work| work.bytes), ("flop", |work| work.flop)];
        for (name, part) in parts {
            let (few, many) = (part(&small.work), part(&large.work));
            if few > 0.0 && self.growth_of(|sample| part(&sample.work)) < GROWING {
                let how = if many == few { "is the same" } else { "hardly differs" };
                return Err(Failure::Error(format!(
                    "the reported work {how} for {} and {} iterations ({few} and {many} {name}): `execute` must report \
                     the work of all its iterations, so multiply that of one by `iterations`",
                    small.iterations, large.iterations
                )));
            }
        }
        Ok(())
    }
}

/// A call far shorter than a sample.
fn is_short(call: &Sample, slice_ns: f64) -> bool {
    (call.wall_ns as f64) < SHORT * slice_ns
}

fn time(ns: f64) -> String {
    dyno_core::units::duration(ns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        instance::Report,
        measure::mock::{MockClock, MockInstance},
    };

    const LIMIT: f64 = 1e6;
    /// Shorter than any call below, unless a test is about that.
    const SLICE_NS: f64 = 1.0;

    fn proof(change: impl Fn(&mut MockInstance), count: u64) -> Result<Proof, Failure> {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, 1_000);
        change(&mut instance);
        prove(&mut instance, &clock, count, SLICE_NS, LIMIT)
    }

    fn refusal(change: impl Fn(&mut MockInstance), count: u64) -> String {
        match proof(change, count) {
            Err(Failure::Error(message)) => message,
            other => panic!("it was believed: {other:?}"),
        }
    }

    #[test]
    fn a_loop_is_believed_at_any_count() {
        for count in [1, 2, 3, 4, 5, 7, 8, 1_000, 123_457] {
            let proof = proof(|_| {}, count).unwrap();
            assert_eq!((proof.iterations, proof.sample.iterations), (count, count));
        }
    }

    #[test]
    fn without_a_loop_nothing_is_believed_however_long_a_call_takes() {
        for fixed_ns in [1, 20, 5_000, 3_000_000, 2_000_000_000] {
            for count in [2, 3, 441, MAX_ITERATIONS] {
                let message = refusal(|it| it.call_ns(fixed_ns, 0), count);
                assert!(message.contains("does not grow with the iterations"), "{message}");
                assert!(message.contains("black_box"), "the remedy is named: {message}");
            }
        }
    }

    #[test]
    fn a_call_with_a_large_fixed_part_is_stretched_until_it_is_small() {
        let proof = proof(|it| it.call_ns(3_000_000, 10_000), 200).unwrap();
        assert!(proof.iterations > 200, "a sample is longer then");
        let per_iteration = proof.sample.ns_per_iteration();
        assert!((10_000.0..13_000.0).contains(&per_iteration), "{per_iteration}, of which 10,000 are work");
    }

    #[test]
    fn a_count_that_a_disturbed_call_chose_is_not_judged_by() {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, 1_000);
        // Starting a thread, then a little work: 960 iterations last 12 microseconds, of which 8 are the thread's.
        instance.call_ns(8_000, 4);
        let proof = prove(&mut instance, &clock, 15, 1e6, LIMIT).unwrap();
        assert!(proof.sample.ns_per_iteration() < 8.0, "{proof:?}");
    }

    #[test]
    fn a_short_call_proves_nothing_at_any_count() {
        // The first call was interrupted for longer than a sample, so its single iteration was taken for one; or two
        // speeds of the machine look like growth in calls of twelve microseconds.
        for (slow_calls, count) in [(0..0, 1), (0..0, 3), (2..40, 441), (2..40, MAX_ITERATIONS)] {
            let clock = MockClock::default();
            let mut instance = MockInstance::new(&clock, 1_000);
            instance.call_ns(12_000, 0);
            // Every third call is one of the largest count.
            instance.preempt_calls = slow_calls.step_by(3).collect();
            match prove(&mut instance, &clock, count, 5e6, LIMIT) {
                Err(Failure::Error(message)) => assert!(message.contains("does not grow"), "{message}"),
                other => panic!("{count} iterations were believed: {other:?}"),
            }
        }
    }

    #[test]
    fn a_loop_that_was_disturbed_at_first_gets_calls_of_the_length_of_a_sample() {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, 1_000);
        let proof = prove(&mut instance, &clock, 1, 5e6, LIMIT).unwrap();
        assert!((2_500..=5_000).contains(&proof.iterations), "{proof:?}");
    }

    #[test]
    fn noise_makes_no_loop_and_takes_none_away() {
        // Every second call is disturbed for as long as it lasts.
        let disturbed = |it: &mut MockInstance| it.preempt_calls = (0..1_000).step_by(2).collect();
        assert!(proof(disturbed, 1_000).is_ok());
        let without = |it: &mut MockInstance| {
            it.preempt_calls = (0..1_000).step_by(2).collect();
            it.call_ns(5_000, 0);
        };
        assert!(refusal(without, 1_000).contains("does not grow"));
    }

    #[test]
    fn work_must_grow_too() {
        let one = |it: &mut MockInstance| {
            it.report = Report { work: Work { items: 4096.0, ..Work::default() }, ..Report::default() };
        };
        let message = refusal(one, 441);
        assert!(
            message.contains("is the same for 110 and 441 iterations (4096 and 4096 items)"),
            "{message}"
        );
        assert!(proof(one, 1).is_ok(), "with a single iteration it is right");
        let all = |it: &mut MockInstance| it.items_per_iteration = 4096.0;
        assert!(proof(all, 441).is_ok());
    }

    #[test]
    fn work_beyond_the_machine_and_time_below_an_instruction_are_refused() {
        let message = refusal(|it| it.items_per_iteration = 1e12, 441);
        assert!(
            message.contains("more than this machine can do") && message.contains("black_box"),
            "{message}"
        );
        // 2^40 iterations in four milliseconds.
        let message = refusal(|it| it.iterations_per_ns(250_000), MAX_ITERATIONS);
        assert!(message.contains("less than a single instruction"), "{message}");
    }

    #[test]
    fn work_that_only_the_first_iteration_does_is_refused() {
        let first = |cpu_ns| Sample {
            iterations: 1,
            wall_ns: 10_000_000,
            cpu_ns,
            device_ns: 0.0,
            work: Work::default(),
            checksum: 0,
            preemptions: 0,
        };
        assert!(check_first(&first(10_000_000), 0.4).is_err());
        assert!(check_first(&first(10_000_000), 1_000.0).is_ok(), "a cold start is no cache");
        assert!(check_first(&first(50_000), 0.3).is_ok(), "first touches of memory take that long");
        assert!(check_first(&first(3_000), 0.3).is_ok(), "it was interrupted");
    }
}
