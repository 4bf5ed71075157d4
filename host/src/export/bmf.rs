//! Bencher Metric Format: an object of benchmarks, each an object of measures with value and bounds.

use dyno_core::model::RunRecord;
use serde_json::{Map, Value, json};

/// A run's medians with their intervals. Names of measures are those that Bencher knows, where it knows one.
#[must_use]
pub fn bmf(record: &RunRecord) -> String {
    let mut benchmarks = Map::new();
    for (case, name) in record.cases.iter().zip(record.series()) {
        let mut measures = Map::new();
        for metric in &case.metrics {
            let mut measure = json!({"value": metric.median});
            if let Some(interval) = metric.interval {
                measure["lower_value"] = interval.low.into();
                measure["upper_value"] = interval.high.into();
            }
            insert(&mut measures, measure_name(&metric.name), measure);
        }
        if !measures.is_empty() {
            benchmarks.insert(name, Value::Object(measures));
        }
    }
    let mut text = Value::Object(benchmarks).to_string();
    text.push('\n');
    text
}

/// Adds a measure; two metrics that come to one name there are numbered, so that none is lost.
pub(super) fn insert(measures: &mut Map<String, Value>, name: String, measure: Value) {
    let names = std::iter::once(name.clone()).chain((2u32..).map(|number| format!("{name}-{number}")));
    if let Some(free) = names.into_iter().find(|name| !measures.contains_key(name)) {
        measures.insert(free, measure);
    }
}

/// Bencher's name for a metric, where it has one.
pub(super) fn measure_name(metric: &str) -> String {
    match metric {
        "time" => "latency",
        // What Bencher calls latency is the time above.
        "latency" => "query-latency",
        other => other,
    }
    .replace('_', "-")
}
