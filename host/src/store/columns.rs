//! The parts of a record that have a column of their own, so that SQL can filter by them. The rest is stored as JSON.

use dyno_core::model::{
    Better, CaseStatus, Environment, Interval, LaunchRecord, MetricSummary, ParamValue, Params,
};
use serde_json::{Map, Value};

/// The parameter `batch_size`, if it is a whole number.
pub(super) fn batch_size(params: &Params) -> Option<i64> {
    match params.get("batch_size")? {
        ParamValue::Integer(value) => Some(*value),
        _ => None,
    }
}

/// The parameter `precision`, or else `dtype`, as the original suite spells it (`fp32`, not `f32`).
pub(super) fn precision(params: &Params) -> Option<String> {
    let given = params.get("precision").or_else(|| params.get("dtype"))?.to_string();
    Some(match given.as_str() {
        "f16" | "f32" | "f64" => given.replacen('f', "fp", 1),
        _ => given,
    })
}

/// The same word as in JSON.
pub(super) fn better(better: Better) -> &'static str {
    match better {
        Better::Lower => "lower",
        Better::Higher => "higher",
    }
}

/// The direction of that word.
pub(super) fn better_of(word: &str) -> Better {
    if word == "higher" { Better::Higher } else { Better::Lower }
}

/// The interval of the columns `low` and `high`.
pub(super) fn interval(low: Option<f64>, high: Option<f64>) -> Option<Interval> {
    low.zip(high).map(|(low, high)| Interval { low, high, confidence: 0.95 })
}

/// The stage in which a case failed, and the reason why it did not complete.
pub(super) fn outcome(status: &CaseStatus) -> (Option<String>, Option<String>) {
    match status {
        CaseStatus::Failed { stage, reason } => (Some(stage.to_string()), Some(reason.message.clone())),
        CaseStatus::TimedOut { stage, limit_s, .. } => {
            (Some(stage.to_string()), Some(format!("the stage took longer than {limit_s} s")))
        }
        CaseStatus::Skipped { reason, .. } => (None, Some(reason.clone())),
        CaseStatus::Queued | CaseStatus::Running | CaseStatus::Completed | CaseStatus::Cancelled => {
            (None, None)
        }
    }
}

/// The median of each metric, as a JSON object.
pub(super) fn medians(metrics: &[MetricSummary]) -> String {
    let medians: Map<String, Value> =
        metrics.iter().map(|metric| (metric.name.clone(), metric.median.into())).collect();
    Value::Object(medians).to_string()
}

/// A launch without the parts that are stored in other tables. Every field is listed, so that a new one cannot be forgotten.
pub(super) fn bare(launch: &LaunchRecord) -> LaunchRecord {
    LaunchRecord {
        index: launch.index,
        started_at: launch.started_at.clone(),
        status: launch.status.clone(),
        plan: launch.plan,
        samples: Vec::new(),
        samples_taken: None,
        load: launch.load.clone(),
        retaken: launch.retaken,
        custom: launch.custom.clone(),
        peak_memory_bytes: launch.peak_memory_bytes,
        huge_bytes: launch.huge_bytes,
        base_memory_bytes: launch.base_memory_bytes,
        engine: launch.engine.clone(),
        device: launch.device.clone(),
        isolation: launch.isolation.clone(),
        store_bypass: launch.store_bypass,
        pinned_cpu: launch.pinned_cpu,
        pinned_cpus: launch.pinned_cpus.clone(),
        counters: launch.counters.clone(),
        energy_j: launch.energy_j,
        missing: launch.missing.clone(),
        stages: launch.stages.clone(),
        environment: Environment::default(),
        output: launch.output.clone(),
        output_dropped: launch.output_dropped,
        seed: launch.seed,
        side_effects: launch.side_effects,
        granted: launch.granted.clone(),
        refused_calls: launch.refused_calls.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(name: &str, value: &str) -> Params {
        Params::from([(name.to_owned(), ParamValue::Text(value.to_owned()))])
    }

    #[test]
    fn only_what_is_given_is_told() {
        for (given, expected) in [("f32", "fp32"), ("f64", "fp64"), ("bf16", "bf16"), ("int8", "int8")] {
            assert_eq!(precision(&params("dtype", given)).as_deref(), Some(expected));
        }
        assert_eq!(precision(&params("n", "f32")), None);
        assert_eq!(batch_size(&params("batch_size", "many")), None);
    }
}
