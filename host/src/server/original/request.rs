//! The body of a run request: in the fields of the original suite, or in dyno's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::server::{problem::Problem, runs::RunRequest};

/// A request for a run.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Asked {
    /// In dyno's fields.
    Ours(Box<RunRequest>),
    /// In the fields of the original suite.
    Theirs(Original),
}

/// A request in the fields of the original suite.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Original {
    /// Selects benchmarks by tag, and sets the run's priority in the queue: `critical`, `high`, `medium` or `all`. Each level
    /// includes the previous ones; a benchmark without such a tag counts as `high`. Of a benchmark that describes its models,
    /// selects those models by their tags.
    #[serde(default = "high")]
    pub(super) priority: String,
    /// Devices to run on, by kind or name.
    #[serde(default = "cpu")]
    pub(super) hardware: Vec<String>,
    /// Names of models or benchmarks; overrides `priority` as a selection.
    #[serde(default)]
    pub(super) models: Option<Vec<String>>,
    /// Values of the parameter `batch_size`, for benchmarks that have it.
    #[serde(default = "batch_sizes")]
    pub(super) batch_sizes: Vec<i64>,
    /// Value of the parameter `precision` or `dtype`, for benchmarks that have it.
    #[serde(default = "fp32")]
    pub(super) precision: String,
    /// Run smaller batches of all models first.
    #[serde(default = "yes")]
    pub(super) progressive_mode: bool,
    /// Skip cases that already have a result with the same plugin file, parameters and device.
    #[serde(default = "yes")]
    pub(super) incremental: bool,
    /// Not accepted: the operator sets plugin folders with `--plugins`.
    #[serde(default)]
    pub(super) skillset_dir: Option<String>,
}

fn high() -> String {
    "high".to_owned()
}
fn cpu() -> Vec<String> {
    vec!["cpu".to_owned()]
}
fn batch_sizes() -> Vec<i64> {
    vec![1, 8]
}
fn fp32() -> String {
    "fp32".to_owned()
}
fn yes() -> bool {
    true
}

/// Parses a body: one with `benchmarks`, `requests` or `spec` has dyno's fields.
pub(super) fn request(asked: Value) -> Result<Asked, Problem> {
    let bad = |error: serde_json::Error| Problem::bad(error.to_string());
    let Some(object) = asked.as_object() else {
        return Err(Problem::bad("the body must be a JSON object"));
    };
    if ["benchmarks", "requests", "spec"].iter().any(|word| object.contains_key(*word)) {
        return serde_json::from_value(asked).map(|ours| Asked::Ours(Box::new(ours))).map_err(bad);
    }
    serde_json::from_value(asked).map(Asked::Theirs).map_err(bad)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_words_are_understood() {
        assert!(matches!(request(json!({})), Ok(Asked::Theirs(_))));
        assert!(matches!(request(json!({"benchmarks": ["gemm"]})), Ok(Asked::Ours(_))));
        assert!(request(json!({"hardware": "cpu"})).is_err(), "a list is wanted");
        assert!(request(json!({"modles": []})).is_err(), "a misspelt word is no default");
        assert!(request(json!([])).is_err());
    }
}
