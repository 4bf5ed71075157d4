//! Taking samples: prepare, read the clocks, call once, read the clocks; retake what was disturbed.

use dyno_core::{model::Sample, protocol::Quota};

use super::{Clock, Counts};
use crate::instance::{Failure, Instance};

/// Maximum number of samples in one message to the host, …
const BATCH_SAMPLES: usize = 64;
/// … and maximum age of the oldest of them [ns].
const BATCH_NS: u64 = 50_000_000;

/// One timed call, with `prepare` before it.
pub(crate) fn timed(
    instance: &mut dyn Instance,
    clock: &impl Clock,
    iterations: u64,
) -> Result<Sample, Failure> {
    counted(instance, clock, iterations).map(|(sample, _)| sample)
}

/// The same, with the counters before and after it.
fn counted(
    instance: &mut dyn Instance,
    clock: &impl Clock,
    iterations: u64,
) -> Result<(Sample, [Counts; 2]), Failure> {
    instance.prepare(iterations)?;
    let (preemptions, cpu) = (clock.preemptions(), clock.cpu_ns());
    let counts = clock.counts();
    let start = clock.now_ns();
    let outcome = instance.execute(iterations);
    let end = clock.now_ns();
    let counts_end = clock.counts();
    let (cpu_end, preemptions_end) = (clock.cpu_ns(), clock.preemptions());
    let report = outcome?;
    // A clock too coarse for the call must not give an infinite rate.
    let wall_ns = (end - start).max(1);
    report.work.check(wall_ns)?;
    if !report.device_ns.is_finite() || report.device_ns < 0.0 {
        return Err(Failure::Error(format!(
            "the plugin reported a device time of {} ns; it must be finite and not negative",
            report.device_ns
        )));
    }
    let sample = Sample {
        iterations,
        wall_ns,
        cpu_ns: cpu_end.saturating_sub(cpu),
        device_ns: report.device_ns,
        work: report.work,
        checksum: report.checksum,
        preemptions: u32::try_from(preemptions_end.saturating_sub(preemptions)).unwrap_or(u32::MAX),
    };
    Ok((sample, [counts, counts_end]))
}

/// Samples as they are handed on.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) samples: Vec<Sample>,
    /// Counts during each; empty without counters. `None`: the counters never ran during it.
    pub(crate) counts: Vec<Option<Vec<f64>>>,
    /// Whether the request is met with these.
    pub(crate) is_last: bool,
}

/// Totals over all samples of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Number of samples that were discarded and taken again.
    pub(crate) retaken: u32,
    /// Involuntary context switches during all of them.
    pub(crate) preemptions: u64,
}

/// Takes the samples of one request.
#[derive(Debug)]
pub(crate) struct Sampler {
    pub(crate) iterations: u64,
    pub(crate) quota: Quota,
    /// Whether the case computes on this thread alone, so that time away from the processor is time lost.
    pub(crate) single_threaded: bool,
    /// How many counters there are.
    pub(crate) counters: usize,
}

impl Sampler {
    /// Takes samples until the quota is met, and hands them on in batches. At most as many are retaken as are kept, so
    /// that even a machine that is never quiet gives a result, marked by its preemptions.
    pub(crate) fn run(
        &self,
        instance: &mut dyn Instance,
        clock: &impl Clock,
        cancelled: &dyn Fn() -> bool,
        hand_on: &mut dyn FnMut(Batch),
    ) -> Result<Tally, Failure> {
        let begin = clock.now_ns();
        let mut batch = Batch::default();
        let mut batch_begin = begin;
        let mut kept = 0u32;
        let mut tally = Tally::default();
        loop {
            let (sample, [before, after]) = counted(instance, clock, self.iterations)?;
            let now = clock.now_ns();
            tally.preemptions += u64::from(sample.preemptions);
            if self.quota.retake && self.is_disturbed(&sample) && tally.retaken <= kept {
                tally.retaken += 1;
            } else {
                kept += 1;
                batch.samples.push(sample);
                if self.counters > 0 {
                    batch.counts.push(after.since(&before, self.counters));
                }
            }
            let spent = now - begin >= self.quota.budget_ns || cancelled();
            let done =
                kept >= self.quota.max_samples.max(1) || (spent && kept >= self.quota.min_samples.max(1));
            let gathered = batch.samples.len();
            if gathered > 0 && (done || gathered >= BATCH_SAMPLES || now - batch_begin >= BATCH_NS) {
                batch.is_last = done;
                hand_on(std::mem::take(&mut batch));
                batch_begin = now;
            }
            if done {
                return Ok(tally);
            }
        }
    }

    fn is_disturbed(&self, sample: &Sample) -> bool {
        self.single_threaded && sample.is_disturbed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::mock::{MockClock, MockInstance};

    fn sampler(quota: Quota) -> Sampler {
        Sampler { iterations: 10, quota, single_threaded: true, counters: 0 }
    }

    fn run(sampler: &Sampler, instance: &mut MockInstance, clock: &MockClock) -> (Vec<Sample>, u32, usize) {
        let (mut all, mut batches) = (Vec::new(), 0);
        let tally = sampler
            .run(instance, clock, &|| false, &mut |batch| {
                batches += 1;
                all.extend(batch.samples);
            })
            .unwrap();
        (all, tally.retaken, batches)
    }

    #[test]
    fn samples_stop_at_the_count() {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, 1_000);
        let quota = Quota { min_samples: 5, max_samples: 5, budget_ns: u64::MAX, retake: true };
        let (samples, retaken, _) = run(&sampler(quota), &mut instance, &clock);
        assert_eq!((samples.len(), retaken), (5, 0));
        assert!(samples.iter().all(|sample| sample.wall_ns == 10_000 && sample.iterations == 10));
        assert_eq!(instance.prepared, 5, "each sample has fresh input");
    }

    #[test]
    fn the_budget_stops_but_not_before_the_floor() {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, 1_000);
        let quota = Quota { min_samples: 2, max_samples: 1_000, budget_ns: 50_000, retake: true };
        assert_eq!(run(&sampler(quota), &mut instance, &clock).0.len(), 5);
        let quota = Quota { min_samples: 7, max_samples: 1_000, budget_ns: 1, retake: true };
        assert_eq!(run(&sampler(quota), &mut instance, &clock).0.len(), 7);
    }

    #[test]
    fn a_preempted_sample_is_taken_again() {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, 1_000);
        instance.preempt_calls = vec![1, 3];
        let quota = Quota { min_samples: 5, max_samples: 5, budget_ns: u64::MAX, retake: true };
        let (samples, retaken, _) = run(&sampler(quota), &mut instance, &clock);
        assert_eq!((samples.len(), retaken), (5, 2));
        assert!(samples.iter().all(|sample| sample.preemptions == 0));
    }

    #[test]
    fn on_a_machine_that_is_never_quiet_samples_are_kept_all_the_same() {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, 1_000);
        instance.preempt_calls = (0..100).collect();
        let quota = Quota { min_samples: 5, max_samples: 5, budget_ns: u64::MAX, retake: true };
        let (samples, retaken, _) = run(&sampler(quota), &mut instance, &clock);
        assert_eq!(samples.len(), 5);
        assert!(retaken <= 5);
        assert!(samples.iter().all(|sample| sample.preemptions == 1));
    }

    #[test]
    fn impossible_work_fails_the_sample() {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, 1_000);
        instance.report.work.bytes = f64::NAN;
        let error = timed(&mut instance, &clock, 1).unwrap_err();
        assert!(matches!(error, Failure::Error(message) if message.contains("NaN bytes")));
    }
}
