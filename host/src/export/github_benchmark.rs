//! The list that github-action-benchmark reads: name, value, unit, range.

use dyno_core::model::{Better, RunRecord};
use serde_json::{Value, json};

use super::{
    escape,
    names::Names,
    number::{json_number, number},
};

/// A run's medians; half the width of the interval as the range. The list has no word for a case without a result: such
/// cases are absent. That action has one direction for a whole file (`customSmallerIsBetter`), so metrics for which
/// higher is better are left out.
pub(super) fn github_benchmark(record: &RunRecord) -> String {
    let (mut rows, mut names): (Vec<Value>, _) = (Vec::new(), Names::default());
    // The samples of a failed case are not its result.
    let cases = record.cases.iter().zip(record.series());
    for (case, name) in cases.filter(|(case, _)| !case.status.is_failure()) {
        for metric in case.metrics.iter().filter(|metric| metric.better == Better::Lower) {
            let Some(value) = json_number(metric.median) else { continue };
            let mut row = json!({
                "name": names.unique(format!("{name} {}", metric.name)),
                "value": value,
                "unit": metric.unit,
                "extra": format!("{} launches, {} samples", metric.launches, metric.samples),
            });
            if let Some(range) = metric.interval.and_then(|interval| number(interval.half_width())) {
                row["range"] = format!("± {range}").into();
            }
            rows.push(row);
        }
    }
    escape::json(&Value::Array(rows))
}
