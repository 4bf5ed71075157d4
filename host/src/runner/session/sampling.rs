//! Measuring with a calibrated worker: samples in batches, or the queries of a scenario. Every number is checked before it is
//! passed on, because the plugin may have taken over the worker.

use dyno_core::{
    model::{MIN_NS_PER_ITERATION, Query, Sample, Scenario, Stage},
    protocol::{Quota, Reply, Request},
};

use super::{Calibrated, Ended, Notice, Session, Step, intake::Intake, line::Line};

/// Bounds for numbers that a hostile worker sends: beyond these it is not measuring.
const MAX_SAMPLE_NS: u64 = 365 * 24 * 3600 * 1_000_000_000;
/// Most queries of one launch.
const MAX_QUERIES: u32 = 200_000;

/// Samples as they come, with the counts during each of them.
pub(in crate::runner) struct Batch {
    /// At least one.
    pub(in crate::runner) samples: Vec<Sample>,
    /// A row for each sample; none without counters. `None`: the counters never ran during it.
    pub(in crate::runner) counts: Vec<Option<Vec<f64>>>,
}

/// The worker's report after its last batch.
pub(in crate::runner) struct SampleReport {
    /// The last sample; there is at least one.
    pub(in crate::runner) last: Sample,
    /// Number of disturbed samples that were discarded and taken again.
    pub(in crate::runner) retaken: u32,
    /// Involuntary context switches during all of them.
    pub(in crate::runner) preemptions: u64,
}

impl<'a> Session<'a, Calibrated> {
    /// Takes samples, and passes on each batch as it comes.
    pub(in crate::runner) fn sample(
        self,
        quota: Quota,
        each: &mut dyn FnMut(Batch),
    ) -> Step<'a, Calibrated, SampleReport> {
        self.step(Calibrated, |line| take_samples(line, quota, each))
    }

    /// Plays a load scenario, whose queries arrive for `duration_ns`. Reports at least one query.
    pub(in crate::runner) fn play(
        self,
        scenario: Scenario,
        duration_ns: u64,
    ) -> Step<'a, Calibrated, Vec<Query>> {
        self.step(Calibrated, |line| take_queries(line, scenario, duration_ns))
    }
}

fn take_samples(
    line: &mut Line<'_>,
    quota: Quota,
    each: &mut dyn FnMut(Batch),
) -> Result<SampleReport, Ended> {
    let mut intake = Intake::of_samples(quota, line.timeout());
    let mut last = None;
    let mut reply = line.ask(Stage::Sample, &Request::Sample(quota))?;
    loop {
        match (reply, last) {
            (Reply::Batch { samples, counts }, _) => {
                let checked = intake
                    .take(samples.len())
                    .and_then(|()| samples.iter().try_for_each(check_sample))
                    .and_then(|()| check_counts(line.counters, samples.len(), &counts));
                checked.map_err(|message| line.failed(message))?;
                last = samples.last().copied();
                line.tell(Notice::Sampled(&samples));
                each(Batch { samples, counts });
            }
            (Reply::Sampled { retaken, preemptions }, Some(last)) => {
                return Ok(SampleReport { last, retaken, preemptions });
            }
            (Reply::Sampled { .. }, None) => {
                return Err(line.failed("the worker sent no sample".to_owned()));
            }
            (other, _) => return Err(line.unexpected(&other)),
        }
        reply = line.listen(&intake)?;
    }
}

fn take_queries(line: &mut Line<'_>, scenario: Scenario, duration_ns: u64) -> Result<Vec<Query>, Ended> {
    let mut intake = Intake::of_queries(MAX_QUERIES, duration_ns, line.timeout());
    let mut queries: Vec<Query> = Vec::new();
    let request = Request::Play { scenario, duration_ns, max_queries: MAX_QUERIES };
    let mut reply = line.ask(Stage::Sample, &request)?;
    loop {
        match reply {
            Reply::Queries { queries: more } => {
                let checked = intake.take(more.len()).and_then(|()| more.iter().try_for_each(check_query));
                checked.map_err(|message| line.failed(message))?;
                queries.extend(more);
            }
            Reply::Sampled { .. } if queries.is_empty() => {
                return Err(line.failed(
                    "no query arrived in the time of the scenario; give more --time, or a higher --target-qps"
                        .to_owned(),
                ));
            }
            Reply::Sampled { .. } => return Ok(queries),
            other => return Err(line.unexpected(&other)),
        }
        reply = line.listen(&intake)?;
    }
}

fn check_sample(sample: &Sample) -> Result<(), String> {
    if sample.iterations == 0 || sample.wall_ns == 0 || sample.wall_ns > MAX_SAMPLE_NS {
        return Err(format!(
            "the worker sent an impossible sample: {} iterations in {} ns",
            sample.iterations, sample.wall_ns
        ));
    }
    if sample.ns_per_iteration() < MIN_NS_PER_ITERATION {
        return Err(format!(
            "{} iterations took {} ns, less than one instruction each: the work was done in other samples and not in this \
             one; do it in every iteration of `execute`",
            sample.iterations, sample.wall_ns
        ));
    }
    if !sample.device_ns.is_finite() || sample.device_ns < 0.0 {
        return Err(format!("the worker sent an impossible device time: {} ns", sample.device_ns));
    }
    sample.work.check(sample.wall_ns)
}

fn check_counts(counters: usize, samples: usize, counts: &[Option<Vec<f64>>]) -> Result<(), String> {
    if counters == 0 || counts.is_empty() {
        return Ok(());
    }
    let possible = |count: &f64| count.is_finite() && *count >= 0.0;
    let fits = |row: &Vec<f64>| row.len() == counters && row.iter().all(possible);
    if counts.len() != samples || !counts.iter().flatten().all(fits) {
        return Err("the worker sent counts that do not fit its samples".to_owned());
    }
    Ok(())
}

fn check_query(query: &Query) -> Result<(), String> {
    let in_order = query.scheduled_ns <= query.start_ns && query.start_ns <= query.end_ns;
    if in_order && query.end_ns <= MAX_SAMPLE_NS {
        return Ok(());
    }
    Err(format!("the worker sent an impossible query: {query:?}"))
}
