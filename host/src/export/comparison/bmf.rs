//! A comparison in Bencher Metric Format: the change of every metric as a measure of its own. The format has no word for
//! what was not judged: it is absent.

use dyno_core::model::Comparison;
use serde_json::{Map, Value};

use crate::export::{
    bmf::{measure, measure_name},
    escape,
    names::Names,
};

/// Relative changes with their intervals; a metric without a change is left out.
pub(in crate::export) fn bmf(comparison: &Comparison) -> String {
    let mut benchmarks = Map::new();
    for (case, name) in comparison.cases.iter().zip(comparison.series()) {
        let (mut measures, mut own) = (Map::new(), Names::default());
        for metric in &case.metrics {
            let Some(measure) = metric.effect.and_then(|effect| measure(effect, metric.interval)) else {
                continue;
            };
            measures.insert(own.unique(format!("change-of-{}", measure_name(&metric.name))), measure);
        }
        if !measures.is_empty() {
            benchmarks.insert(name, Value::Object(measures));
        }
    }
    escape::json(&Value::Object(benchmarks))
}
