//! Google Benchmark's JSON, version 1: a repetition per launch, then the aggregates.

use dyno_core::{
    model::{CaseRecord, MetricSummary, RunRecord},
    stats::median,
};
use serde_json::{Value, json};

use super::{number::json_number, outcome::Outcome};

/// A run as the library would have written it. It never writes `NaN` or `Infinity`, which JSON does not have.
pub(super) fn gbench(record: &RunRecord) -> String {
    let machine = &record.machine;
    let cases = record.cases.iter().zip(record.series());
    let benchmarks: Vec<Value> = cases.flat_map(|(one, name)| case(one, &name)).collect();
    let document = json!({
        "context": {
            "date": record.created_at,
            "host_name": machine.hostname,
            "executable": "dyno",
            "num_cpus": machine.cpu.threads,
            "mhz_per_cpu": machine.cpu.max_clock_hz.map_or(0, |clock| clock / 1_000_000),
            "cpu_scaling_enabled": machine.cpu.governor.as_deref().is_some_and(|it| it != "performance"),
            "caches": [],
            "load_avg": [],
            "library_version": format!("dyno {}", record.dyno_version),
            "library_build_type": "release",
            "json_schema_version": 1,
        },
        "benchmarks": benchmarks,
    });
    dyno_core::text::json(&format!("{document:#}\n"))
}

fn case(case: &CaseRecord, name: &str) -> Vec<Value> {
    let outcome = Outcome::of(&case.status);
    // A failed case may have launches that completed; their times are not a result.
    let failed = matches!(outcome, Outcome::Failed(_));
    let Some(time) = case.metric("time").filter(|time| time.median.is_finite() && !failed) else {
        let why = outcome.sentence().unwrap_or_else(|| "the case has no metric `time`".to_owned());
        return vec![json!({
            "name": name, "run_name": name, "run_type": "iteration", "error_occurred": true, "error_message": why,
        })];
    };
    let launches: Vec<Vec<f64>> = case
        .launches
        .iter()
        .map(|launch| launch.samples.iter().map(dyno_core::model::Sample::ns_per_iteration).collect())
        .filter(|samples: &Vec<f64>| !samples.is_empty())
        .collect();
    let times: Vec<f64> = launches.iter().filter_map(|samples| median(samples)).collect();
    let repetitions = times.len().max(1);
    let iterations = case.launches.iter().find_map(|launch| Some(launch.plan?.iterations)).unwrap_or(1);
    let entry = |value: f64| {
        let mut entry = json!({
            "name": name, "run_name": name, "repetitions": repetitions, "threads": 1, "iterations": iterations,
            "real_time": value, "cpu_time": value, "time_unit": "ns",
        });
        for rate in ["items_per_second", "bytes_per_second"] {
            if let Some(value) = case.metric(rate).and_then(|metric| json_number(metric.median)) {
                entry[rate] = value;
            }
        }
        entry
    };
    let mut out: Vec<Value> = Vec::new();
    let single = if times.is_empty() { vec![time.median] } else { times };
    for (number, value) in single.into_iter().enumerate() {
        let mut repetition = entry(value);
        repetition["run_type"] = "iteration".into();
        repetition["repetition_index"] = number.into();
        out.push(repetition);
    }
    for (aggregate, value) in aggregates(time) {
        let mut summary = entry(value);
        summary["name"] = format!("{name}_{aggregate}").into();
        summary["run_type"] = "aggregate".into();
        summary["aggregate_name"] = aggregate.into();
        summary["aggregate_unit"] = "time".into();
        out.push(summary);
    }
    out
}

fn aggregates(time: &MetricSummary) -> Vec<(&'static str, f64)> {
    let mut out = vec![("mean", time.mean), ("median", time.median)];
    out.extend(time.std_dev.map(|std_dev| ("stddev", std_dev)));
    out.retain(|(_, value)| value.is_finite());
    out
}
