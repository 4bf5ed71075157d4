//! Load scenarios, defined as in MLPerf LoadGen: how queries arrive, and the bound on their latency.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::quantile;

/// How queries arrive. One iteration of a benchmark is one sample; a query holds one or more of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "scenario", rename_all = "kebab-case")]
pub enum Scenario {
    /// Each query has one sample and is sent when the previous one is answered.
    SingleStream,
    /// Each query has several samples and is sent when the previous one is answered.
    MultiStream {
        /// Samples in a query.
        streams: u64,
    },
    /// Queries arrive at random (Poisson) at a rate; their latency counts from the scheduled arrival.
    Server {
        /// Queries per second; absent to find the highest valid rate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target_qps: Option<f64>,
        /// Maximum p99 latency [ns].
        latency_bound_ns: u64,
    },
    /// All samples are available at once; throughput is what counts.
    Offline,
}

impl Scenario {
    /// The word for it, as on the command line.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::SingleStream => "single-stream",
            Self::MultiStream { .. } => "multi-stream",
            Self::Server { .. } => "server",
            Self::Offline => "offline",
        }
    }
}

/// One query, on the worker's clock from the beginning of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Query {
    /// Scheduled arrival [ns].
    pub scheduled_ns: u64,
    /// When its call began [ns].
    pub start_ns: u64,
    /// When its call returned [ns].
    pub end_ns: u64,
    /// Samples in it.
    pub samples: u64,
}

/// The measurement of a launch under a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadRecord {
    /// How queries arrived.
    pub scenario: Scenario,
    /// The queries, in order of their arrival.
    pub queries: Vec<Query>,
    /// Whether the launch met its latency bound; absent in scenarios without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<bool>,
    /// Why it is not valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// Percentile that the bound of the server scenario is for.
const BOUND_PERCENTILE: f64 = 0.99;
/// Minimum number of values beyond a percentile.
const VALUES_BEYOND: f64 = 5.0;
/// How many queries a launch must expect, as a multiple of those that it needs: arrivals are random, and 600 expected ones are
/// fewer than 500 once in fifty thousand launches.
const EXPECTED_SHARE: f64 = 1.2;
/// Maximum lateness of the generator as a share of the bound: beyond it, the latency is mostly the generator's.
const LATE_SHARE: f64 = 0.1;

/// Queries that a percentile for the bound needs.
fn needed() -> f64 {
    VALUES_BEYOND / (1.0 - BOUND_PERCENTILE)
}

/// The lowest rate [queries/s] at which a launch of this length [ns] has enough queries for its latency bound.
#[must_use]
pub fn lowest_judged_qps(duration_ns: u64) -> f64 {
    EXPECTED_SHARE * needed() * 1e9 / duration_ns.max(1) as f64
}

impl LoadRecord {
    /// Judges queries by their scenario.
    #[must_use]
    pub fn new(scenario: Scenario, queries: Vec<Query>) -> Self {
        let mut record = Self { scenario, queries, valid: None, remark: None };
        if let Scenario::Server { latency_bound_ns, .. } = scenario {
            record.remark = record.objection(latency_bound_ns);
            record.valid = Some(record.remark.is_none());
        }
        record
    }

    /// Why a server launch is not valid.
    fn objection(&self, bound_ns: u64) -> Option<String> {
        let needed = needed();
        if (self.queries.len() as f64) < needed {
            return Some(format!(
                "{} queries are too few for a p99, which needs {needed:.0}: give a longer --time",
                self.queries.len()
            ));
        }
        let mut latencies = self.latencies();
        latencies.sort_unstable_by(f64::total_cmp);
        let p99 = quantile(&latencies, BOUND_PERCENTILE)?;
        let bound = bound_ns as f64;
        if p99 > bound {
            return Some(format!(
                "the p99 latency is {}, above the bound of {}",
                crate::units::duration(p99),
                crate::units::duration(bound)
            ));
        }
        let late = self.schedule_error()?;
        (late > LATE_SHARE * bound).then(|| {
            format!(
                "queries were sent up to {} late (p99): the requested load was not reached",
                crate::units::duration(late)
            )
        })
    }

    /// Latency of each query, from its scheduled arrival [ns].
    #[must_use]
    pub fn latencies(&self) -> Vec<f64> {
        self.queries.iter().map(|query| query.end_ns.saturating_sub(query.scheduled_ns) as f64).collect()
    }

    /// How late queries were sent although no other query was being served: p99 [ns].
    #[must_use]
    pub fn schedule_error(&self) -> Option<f64> {
        let mut free_at = 0;
        let mut late: Vec<f64> = Vec::new();
        for query in &self.queries {
            if free_at <= query.scheduled_ns {
                late.push(query.start_ns.saturating_sub(query.scheduled_ns) as f64);
            }
            free_at = query.end_ns;
        }
        late.sort_unstable_by(f64::total_cmp);
        quantile(&late, 0.99)
    }

    /// Samples answered per second, from the first arrival to the last answer.
    #[must_use]
    pub fn samples_per_second(&self) -> Option<f64> {
        let (first, last) = (self.queries.first()?, self.queries.last()?);
        let elapsed = last.end_ns.saturating_sub(first.scheduled_ns);
        let samples = self.queries.iter().map(|query| query.samples as f64).sum::<f64>();
        (elapsed > 0).then(|| samples * 1e9 / elapsed as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Queries every `gap`, each served in `service`, one after the other.
    fn served(count: u64, gap: u64, service: u64) -> Vec<Query> {
        let mut free_at = 0;
        (0..count)
            .map(|number| {
                let scheduled_ns = number * gap;
                let start_ns = free_at.max(scheduled_ns);
                free_at = start_ns + service;
                Query { scheduled_ns, start_ns, end_ns: free_at, samples: 1 }
            })
            .collect()
    }

    const SERVER: Scenario = Scenario::Server { target_qps: Some(1.0), latency_bound_ns: 1_000 };

    #[test]
    fn latency_counts_from_the_schedule() {
        let calm = LoadRecord::new(SERVER, served(1_000, 1_000, 500));
        assert_eq!((calm.valid, calm.remark.as_ref(), calm.schedule_error()), (Some(true), None, Some(0.0)));
        // More arrives than can be served: each service takes as long as before, the waiting grows.
        let flooded = LoadRecord::new(SERVER, served(1_000, 400, 500));
        assert_eq!(flooded.valid, Some(false));
        assert!(flooded.remark.is_some_and(|why| why.contains("the p99 latency is")));
    }

    #[test]
    fn too_few_queries_and_a_late_generator_are_no_valid_run() {
        let few = LoadRecord::new(SERVER, served(100, 1_000, 500));
        assert!(few.remark.is_some_and(|why| why.contains("100 queries are too few")));
        let mut late = served(1_000, 1_000, 300);
        late.iter_mut().for_each(|query| {
            query.start_ns += 200;
            query.end_ns += 200;
        });
        assert!(LoadRecord::new(SERVER, late).remark.is_some_and(|why| why.contains("late")));
    }

    #[test]
    fn throughput_is_samples_over_the_whole_time() {
        let record = LoadRecord::new(Scenario::Offline, served(1, 0, 2_000_000_000));
        assert_eq!((record.samples_per_second(), record.valid), (Some(0.5), None));
    }
}
