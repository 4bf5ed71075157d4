//! From the launches of a case to one summary per metric.

use dyno_plugin_api::descriptor::MetricInfo;
use indexmap::IndexSet;

use super::{LaunchTrend, SummaryOptions, summarise, trend};
use crate::model::{Better, CaseStatus, LaunchRecord, LoadRecord, MetricSummary, Sample};

/// Summarises a case: `time` first, then throughput where work was reported, device time, peak memory, and the
/// metrics that the descriptor declares. Only launches that completed count.
#[must_use]
pub fn summarise_case(
    launches: &[LaunchRecord],
    declared: &[MetricInfo],
    options: &SummaryOptions,
) -> Vec<MetricSummary> {
    let case = Completed {
        launches: launches.iter().filter(|launch| launch.status == CaseStatus::Completed).collect(),
        options,
    };
    let custom = declared.iter().map(|metric| {
        case.once(&metric.name, &metric.unit, metric.better, |launch| {
            launch.custom.get(&metric.name).copied()
        })
    });
    [case.time()]
        .into_iter()
        .chain(case.rates())
        .chain(case.resources())
        .chain(case.scenario())
        .chain(case.counters())
        .chain([case.once("energy", "J", Better::Lower, |launch| launch.energy_j)])
        .chain(custom)
        .flatten()
        .collect()
}

/// The launches of a case that completed. A metric without values has no summary.
struct Completed<'a> {
    launches: Vec<&'a LaunchRecord>,
    options: &'a SummaryOptions,
}

impl Completed<'_> {
    /// Summarises a metric, of which each launch has any number of values.
    fn summary(
        &self,
        name: &str,
        unit: &str,
        better: Better,
        values: impl Fn(&LaunchRecord) -> Vec<f64>,
    ) -> Option<MetricSummary> {
        let values: Vec<Vec<f64>> = self.launches.iter().map(|launch| values(launch)).collect();
        summarise(name, unit, better, &values, self.options)
    }

    /// A metric with a value per sample.
    fn sampled(
        &self,
        name: &str,
        unit: &str,
        better: Better,
        value: impl Fn(&Sample) -> Option<f64>,
    ) -> Option<MetricSummary> {
        self.summary(name, unit, better, |launch| launch.samples.iter().filter_map(&value).collect())
    }

    /// A metric with one value per launch.
    fn once(
        &self,
        name: &str,
        unit: &str,
        better: Better,
        value: impl Fn(&LaunchRecord) -> Option<f64>,
    ) -> Option<MetricSummary> {
        self.summary(name, unit, better, |launch| value(launch).into_iter().collect())
    }

    fn time(&self) -> Option<MetricSummary> {
        let mut time = self.sampled("time", "ns", Better::Lower, |sample| Some(sample.ns_per_iteration()))?;
        let of_launch = |launch: &&LaunchRecord| {
            LaunchTrend::of(&launch.samples.iter().map(Sample::ns_per_iteration).collect::<Vec<_>>())
        };
        time.trend = trend(&self.launches.iter().filter_map(of_launch).collect::<Vec<_>>());
        Some(time)
    }

    fn rates(&self) -> [Option<MetricSummary>; 3] {
        let higher = Better::Higher;
        [
            self.sampled("items_per_second", "items/s", higher, |sample| {
                sample.per_second(sample.work.items)
            }),
            self.sampled("bytes_per_second", "bytes/s", higher, |sample| {
                sample.per_second(sample.work.bytes)
            }),
            self.sampled("flop_per_second", "FLOP/s", higher, |sample| sample.per_second(sample.work.flop)),
        ]
    }

    fn resources(&self) -> [Option<MetricSummary>; 2] {
        [
            self.sampled("device_time", "ns", Better::Lower, Sample::device_ns_per_iteration),
            self.once("peak_memory", "bytes", Better::Lower, |launch| {
                launch.peak_memory_bytes.map(|bytes| bytes as f64)
            }),
        ]
    }

    fn scenario(&self) -> [Option<MetricSummary>; 3] {
        let of = |value: fn(&LoadRecord) -> Option<f64>| {
            move |launch: &LaunchRecord| launch.load.as_ref().and_then(value)
        };
        [
            self.summary("latency", "ns", Better::Lower, |launch| {
                launch.load.as_ref().map(LoadRecord::latencies).unwrap_or_default()
            }),
            self.once("samples_per_second", "samples/s", Better::Higher, of(LoadRecord::samples_per_second)),
            self.once("schedule_error", "ns", Better::Lower, of(LoadRecord::schedule_error)),
        ]
    }

    fn counters(&self) -> Vec<Option<MetricSummary>> {
        let names: IndexSet<&String> =
            self.launches.iter().flat_map(|launch| launch.counters.keys()).collect();
        let counted = |name: &String| {
            self.summary(name, counted_unit(name), Better::Lower, |launch| {
                launch.counters.get(name).cloned().unwrap_or_default()
            })
        };
        names.into_iter().map(counted).collect()
    }
}

/// What a counter counts, in the plural.
fn counted_unit(name: &str) -> &str {
    name.rsplit('_').next().unwrap_or(name)
}
