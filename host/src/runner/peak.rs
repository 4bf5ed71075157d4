//! The search for the highest rate at which the server scenario meets its latency bound: a launch per rate, bisection.

use dyno_core::{
    model::{Better, LaunchRecord, MetricSummary, Scenario, Settings, lowest_judged_qps},
    stats::{self, SummaryOptions},
    units,
};
use dyno_plugin_api::descriptor::MetricInfo;

/// Rates that are tried: each halves what is left of the range.
const TRIES: usize = 10;
/// Closer than this the ends of the range are the same rate.
const CLOSE: f64 = 1.02;
/// The first rate: one that almost anything can serve. Its launch tells how fast the benchmark is.
const FIRST_QPS: f64 = 500.0;

const UNIT: &str = "queries/s";

/// Where a search stands.
#[derive(Debug)]
pub(super) struct Peak {
    latency_bound_ns: u64,
    /// Highest rate that was valid, and its launch.
    valid: Option<(f64, usize)>,
    /// Lowest rate that was not, and why.
    invalid: Option<(f64, String)>,
    /// Lowest rate that a launch can judge.
    floor: f64,
    next: f64,
    tried: usize,
}

impl Peak {
    /// The search that these settings ask for, if they do, by launches of this length [ns].
    pub(super) fn of(settings: &Settings, duration_ns: u64) -> Option<Self> {
        match settings.scenario? {
            Scenario::Server { target_qps: None, latency_bound_ns } => {
                let floor = lowest_judged_qps(duration_ns);
                let next = FIRST_QPS.max(floor);
                Some(Self { latency_bound_ns, valid: None, invalid: None, floor, next, tried: 0 })
            }
            _ => None,
        }
    }

    /// Sets the rate of the next launch.
    pub(super) fn aim(&self, settings: &mut Settings) {
        settings.scenario =
            Some(Scenario::Server { target_qps: Some(self.next), latency_bound_ns: self.latency_bound_ns });
    }

    /// Learns from the latest launch; whether there is to be another.
    pub(super) fn learn(&mut self, launches: &mut [LaunchRecord]) -> bool {
        self.tried += 1;
        let place = launches.len().saturating_sub(1);
        let Some(latest) = launches.last() else { return false };
        match latest.load.as_ref().and_then(|load| load.remark.clone()) {
            None => self.valid = Some((self.next, place)),
            Some(why) => self.invalid = Some((self.next, why)),
        }
        let capacity = latest.plan.map(|plan| plan.iterations as f64 * 1e9 / plan.slice_ns.max(1) as f64);
        let (low, high) = match (self.valid, &self.invalid) {
            (Some((low, _)), Some((high, _))) => (low, *high),
            // No rate beyond what one call after the other gives can last.
            (Some((low, _)), None) => (low, capacity.unwrap_or(2.0 * low).max(1.1 * low)),
            (None, Some((high, _))) => (self.floor, *high),
            (None, None) => return false,
        };
        self.next = f64::midpoint(low, high);
        self.tried < TRIES && high > CLOSE * low
    }

    /// Why no rate was valid, if none was.
    pub(super) fn failure(&self) -> Option<String> {
        let (None, Some((rate, why))) = (self.valid, &self.invalid) else { return None };
        Some(format!(
            "no rate from {} on meets the latency bound: at {}, {why}; give a higher --latency-bound, or a \
             longer --time, which lower rates need",
            units::value(self.floor, UNIT),
            units::value(*rate, UNIT),
        ))
    }

    /// The summaries of the launch with the highest valid rate, and that rate as `peak_qps`; nothing where none was.
    pub(super) fn metrics(
        &self,
        launches: &[LaunchRecord],
        declared: &[MetricInfo],
        options: &SummaryOptions,
    ) -> Vec<MetricSummary> {
        let Some((rate, place)) = self.valid else { return Vec::new() };
        let best: Vec<LaunchRecord> = launches.get(place).cloned().into_iter().collect();
        let mut metrics = stats::summarise_case(&best, declared, options);
        metrics.extend(stats::summarise("peak_qps", UNIT, Better::Higher, &[vec![rate]], options));
        metrics
    }
}
