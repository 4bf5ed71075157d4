//! The list that github-action-benchmark reads: name, value, unit, range.

use dyno_core::model::{Better, RunRecord};
use serde_json::{Value, json};

/// A run's medians; half the width of the interval as the range. That action knows one direction for a whole file, so
/// that metrics of which more is better are left out: it takes smaller values for better (`customSmallerIsBetter`).
#[must_use]
pub fn github_benchmark(record: &RunRecord) -> String {
    let mut rows: Vec<Value> = Vec::new();
    for (case, name) in record.cases.iter().zip(record.series()) {
        for metric in case.metrics.iter().filter(|metric| metric.better == Better::Lower) {
            let mut row = json!({
                "name": format!("{name} {}", metric.name),
                "value": metric.median,
                "unit": metric.unit,
                "extra": format!("{} launches, {} samples", metric.launches, metric.samples),
            });
            if let Some(interval) = metric.interval {
                row["range"] = format!("± {}", (interval.high - interval.low) / 2.0).into();
            }
            rows.push(row);
        }
    }
    format!("{}\n", Value::Array(rows))
}
