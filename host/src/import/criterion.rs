//! Criterion.rs: the files of one benchmark below `target/criterion`. It measures in one process, which is one launch.

use dyno_core::{
    model::{Better, CaseKey, MeasuredCase, MeasuredMetric},
    stats::median,
};
use serde_json::Value;

use super::{ImportError, json};

const TOOL: &str = "Criterion";

/// Reads one benchmark: its name, its `estimates.json`, and its `sample.json` where there is one.
///
/// # Errors
/// A sentence, where neither file has a median.
pub fn criterion(name: &str, estimates: &str, sample: Option<&str>) -> Result<MeasuredCase, ImportError> {
    let estimates = json::parse(estimates)?;
    let estimate = &estimates["median"]["point_estimate"];
    let time = match json::number(estimate) {
        Some(time) => time,
        None => {
            sample.map(json::parse).transpose()?.and_then(|sample| of_sample(&sample)).ok_or_else(|| {
                ImportError::damaged(
                    TOOL,
                    "`median.point_estimate`",
                    estimate,
                    "a finite number of nanoseconds",
                )
            })?
        }
    };
    let metric = MeasuredMetric {
        name: "time".to_owned(),
        unit: "ns".to_owned(),
        better: Better::Lower,
        launches: vec![time],
        trend: None,
    };
    Ok(MeasuredCase::foreign(CaseKey::named(name), vec![metric]))
}

/// The name of a benchmark as its author wrote it, from its `benchmark.json`.
#[must_use]
pub fn criterion_name(benchmark: &str) -> Option<String> {
    let benchmark = json::parse(benchmark).ok()?;
    benchmark["full_id"].as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The median time of one iteration: what the estimate is made of.
fn of_sample(sample: &Value) -> Option<f64> {
    let (iterations, times) = (sample["iters"].as_array()?, sample["times"].as_array()?);
    let each = iterations.iter().zip(times).filter_map(|(iterations, time)| {
        Some(json::number(time)? / json::number(iterations).filter(|count| *count > 0.0)?)
    });
    median(&each.filter(|time| time.is_finite()).collect::<Vec<_>>())
}
