//! A comparison in Bencher Metric Format: the change of every metric as a measure of its own.

use dyno_core::model::Comparison;
use serde_json::{Map, Value, json};

use crate::export::bmf::{insert, measure_name};

/// Relative changes with their intervals; a metric without a change is left out.
#[must_use]
pub fn comparison_bmf(comparison: &Comparison) -> String {
    let mut benchmarks = Map::new();
    for (case, name) in comparison.cases.iter().zip(comparison.series()) {
        let mut measures = Map::new();
        for metric in &case.metrics {
            let Some(effect) = metric.effect else { continue };
            let mut measure = json!({"value": effect});
            if let Some(interval) = metric.interval {
                measure["lower_value"] = interval.low.into();
                measure["upper_value"] = interval.high.into();
            }
            insert(&mut measures, format!("change-of-{}", measure_name(&metric.name)), measure);
        }
        if !measures.is_empty() {
            benchmarks.insert(name, Value::Object(measures));
        }
    }
    format!("{}\n", Value::Object(benchmarks))
}
