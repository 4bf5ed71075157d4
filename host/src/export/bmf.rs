//! Bencher Metric Format: an object of benchmarks, each an object of measures with value and bounds. It has no word for a
//! case without a result: such cases are absent.

use dyno_core::model::{Interval, RunRecord};
use serde_json::{Map, Value};

use super::{escape, names::Names, number::json_number};

/// A run's medians with their intervals. Names of measures are those that Bencher knows, where it knows one.
pub(super) fn bmf(record: &RunRecord) -> String {
    let mut benchmarks = Map::new();
    // The samples of a failed case are not its result.
    let cases = record.cases.iter().zip(record.series());
    for (case, name) in cases.filter(|(case, _)| !case.status.is_failure()) {
        let (mut measures, mut own) = (Map::new(), Names::default());
        for metric in &case.metrics {
            let Some(measure) = measure(metric.median, metric.interval) else { continue };
            measures.insert(own.unique(measure_name(&metric.name)), measure);
        }
        if !measures.is_empty() {
            benchmarks.insert(name, Value::Object(measures));
        }
    }
    escape::json(&Value::Object(benchmarks))
}

/// A value with the ends of its interval, as far as they are numbers.
pub(super) fn measure(value: f64, interval: Option<Interval>) -> Option<Value> {
    let mut measure = Map::from_iter([("value".to_owned(), json_number(value)?)]);
    if let Some((low, high)) =
        interval.and_then(|interval| Some((json_number(interval.low)?, json_number(interval.high)?)))
    {
        measure.insert("lower_value".to_owned(), low);
        measure.insert("upper_value".to_owned(), high);
    }
    Some(Value::Object(measure))
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
