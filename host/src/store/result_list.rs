//! Entries of a list of results, in the columns of the original suite, and what selects them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Selects results; an absent field selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PerformanceFilter {
    /// The parameter `model` of a case, or else its benchmark.
    pub model: Option<String>,
    /// Kind of device, like `cpu`.
    pub hardware: Option<String>,
    /// The parameter `batch_size` of a case.
    pub batch_size: Option<i64>,
    /// Maximum number of results.
    pub limit: u32,
}

/// The result of one case, in the columns of the original suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the columns of the original suite")]
pub struct PerformanceRow {
    pub model_name: String,
    pub model_family: String,
    pub hardware_type: String,
    pub device_name: String,
    pub test_case: String,
    pub batch_size: Option<i64>,
    pub precision: Option<String>,
    pub throughput_items_per_second: Option<f64>,
    pub average_latency_ms: f64,
    pub memory_peak_mb: Option<f64>,
    /// Always `false`: dyno measures or skips, and never simulates.
    pub simulation_mode: bool,
    pub created_at: String,
}

/// The result of a case and its place in the list.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) run_no: i32,
    pub(super) case_no: u32,
    pub(super) row: Arc<PerformanceRow>,
    /// Whether the case has a time. A result without one counts towards the limit of a list, but is not in it.
    pub(super) is_timed: bool,
}
