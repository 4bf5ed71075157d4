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
    let launches: Vec<&LaunchRecord> =
        launches.iter().filter(|launch| launch.status == CaseStatus::Completed).collect();
    let sampled = |name: &str, unit: &str, better: Better, value: &dyn Fn(&Sample) -> Option<f64>| {
        let values: Vec<Vec<f64>> =
            launches.iter().map(|launch| launch.samples.iter().filter_map(value).collect()).collect();
        summarise(name, unit, better, &values, options)
    };
    let once = |name: &str, unit: &str, better: Better, value: &dyn Fn(&LaunchRecord) -> Option<f64>| {
        let values: Vec<Vec<f64>> =
            launches.iter().map(|launch| value(launch).into_iter().collect()).collect();
        summarise(name, unit, better, &values, options)
    };
    let rate = |work: f64, sample: &Sample| {
        (work > 0.0 && sample.wall_ns > 0).then(|| work * 1e9 / sample.wall_ns as f64)
    };
    let fixed = [
        sampled("time", "ns", Better::Lower, &|sample| Some(sample.ns_per_iteration())),
        sampled("items_per_second", "items/s", Better::Higher, &|sample| rate(sample.work.items, sample)),
        sampled("bytes_per_second", "bytes/s", Better::Higher, &|sample| rate(sample.work.bytes, sample)),
        sampled("flop_per_second", "FLOP/s", Better::Higher, &|sample| rate(sample.work.flop, sample)),
        sampled("device_time", "ns", Better::Lower, &|sample| {
            (sample.device_ns > 0.0).then(|| sample.device_ns / sample.iterations.max(1) as f64)
        }),
        once("peak_memory", "bytes", Better::Lower, &|launch| {
            launch.peak_memory_bytes.map(|bytes| bytes as f64)
        }),
    ];
    let names: IndexSet<&String> = launches.iter().flat_map(|launch| launch.counters.keys()).collect();
    let counted = names.into_iter().map(|name| {
        let values: Vec<Vec<f64>> =
            launches.iter().map(|launch| launch.counters.get(name).cloned().unwrap_or_default()).collect();
        summarise(name, counted_unit(name), Better::Lower, &values, options)
    });
    let energy = once("energy", "J", Better::Lower, &|launch| launch.energy_j);
    let loads = || launches.iter().map(|launch| launch.load.as_ref());
    let latencies: Vec<Vec<f64>> =
        loads().map(|load| load.map(LoadRecord::latencies).unwrap_or_default()).collect();
    let per_load = |name: &str, unit: &str, better: Better, value: &dyn Fn(&LoadRecord) -> Option<f64>| {
        let values: Vec<Vec<f64>> = loads().map(|load| load.and_then(value).into_iter().collect()).collect();
        summarise(name, unit, better, &values, options)
    };
    let scenario = [
        summarise("latency", "ns", Better::Lower, &latencies, options),
        per_load("samples_per_second", "samples/s", Better::Higher, &LoadRecord::samples_per_second),
        per_load("schedule_error", "ns", Better::Lower, &LoadRecord::schedule_error),
    ];
    let custom = declared.iter().map(|metric| {
        once(&metric.name, &metric.unit, metric.better, &|launch| launch.custom.get(&metric.name).copied())
    });
    let mut fixed = fixed;
    if let Some(time) = &mut fixed[0] {
        let of_launch = |launch: &&LaunchRecord| {
            LaunchTrend::of(&launch.samples.iter().map(Sample::ns_per_iteration).collect::<Vec<_>>())
        };
        time.trend = trend(&launches.iter().filter_map(of_launch).collect::<Vec<_>>());
    }
    fixed.into_iter().chain(scenario).chain(counted).chain([energy]).chain(custom).flatten().collect()
}

/// What a counter counts, in the plural.
fn counted_unit(name: &str) -> &str {
    name.rsplit('_').next().unwrap_or(name)
}
