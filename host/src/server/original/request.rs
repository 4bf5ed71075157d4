//! What a run may be asked for with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::server::{problem::Problem, runs::RunRequest};

/// What a run may be asked for with: the words of the original suite, or those of dyno.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Asked {
    /// The words of dyno.
    Ours(Box<RunRequest>),
    /// The words of the original suite.
    Theirs(Original),
}

/// A run in the words of the original suite.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Original {
    /// Which benchmarks: `critical`, `high` or `medium` (those with a tag of that word, and those of the words before it;
    /// a benchmark without such a tag counts as high), or `all`. Also how urgent the run is.
    #[serde(default = "high")]
    pub(super) priority: String,
    /// Devices.
    #[serde(default = "cpu")]
    pub(super) hardware: Vec<String>,
    /// Only these models or benchmarks.
    #[serde(default)]
    pub(super) models: Option<Vec<String>>,
    /// Values of the parameter `batch_size`, where a benchmark has one.
    #[serde(default = "batch_sizes")]
    pub(super) batch_sizes: Vec<i64>,
    /// Value of the parameter `precision` or `dtype`, where a benchmark has one.
    #[serde(default = "fp32")]
    pub(super) precision: String,
    /// Smaller batches first, over all models.
    #[serde(default = "yes")]
    pub(super) progressive_mode: bool,
    /// Skip what there are results of: of the same plugin file, parameters and device.
    #[serde(default = "yes")]
    pub(super) incremental: bool,
    /// Always refused: which folders hold plugins, the operator says.
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

/// Which of the two it is: what names benchmarks, requests or a spec is ours.
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
