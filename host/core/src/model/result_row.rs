//! A row of a table of results over many runs: one metric of one case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Better, Interval, Params};

/// One metric of one completed case, with what is needed to find it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResultRow {
    /// Identifier of the run.
    pub run: String,
    /// Index of the case in the run, from 0.
    pub case: u32,
    /// When the run was accepted (RFC 3339, UTC).
    pub created_at: String,
    /// Identifier of the plugin.
    pub plugin: String,
    /// Version of the plugin.
    pub version: String,
    /// SHA-256 of the plugin file, in hexadecimal.
    pub sha256: String,
    /// `native` or `wasm`.
    pub kind: String,
    /// Name of the benchmark.
    pub benchmark: String,
    /// Category of the benchmark.
    pub category: String,
    /// All parameters by name.
    pub params: Params,
    /// Name of the device. // eg: "cuda:0"
    pub device: String,
    /// Name of the metric.
    pub metric: String,
    /// Unit of the values.
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
    /// Median over launches.
    pub median: f64,
    /// Confidence interval of the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Mean over all samples.
    pub mean: f64,
    /// Number of launches with a value.
    pub launches: u32,
    /// Number of samples with a value.
    pub samples: u32,
}
