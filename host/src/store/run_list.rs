//! Entries of a list of runs, and what selects them.

use dyno_core::model::RunStatus;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Selects runs; an absent field selects all.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Maximum number of runs.
    pub limit: u32,
    /// Number of runs to skip, in the order of the list.
    pub offset: u32,
    /// Otherwise, the newest run is first.
    pub oldest_first: bool,
    /// A tag that the runs have.
    pub tag: Option<String>,
    /// The current status of the runs.
    pub status: Option<RunStatus>,
    /// A benchmark of which the runs have a case.
    pub benchmark: Option<String>,
}

/// A run in a list, without its cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunSummary {
    /// Identifier: a UUID that sorts by time.
    pub id: String,
    /// Time at which the run was accepted (RFC 3339, UTC).
    pub created_at: String,
    /// Current status, which is final once the run has ended.
    pub status: RunStatus,
    /// Number of cases.
    pub cases: u32,
    /// Number of cases that failed or timed out.
    pub failed: u32,
    /// Number of cases with a result, including results that an incremental run took from an earlier run. 0 if the server
    /// has an older version, which does not report it.
    #[serde(default)]
    pub with_result: u32,
    /// Name of the suite; absent if the run did not come from one.
    pub suite: Option<String>,
    /// Words to find the run by.
    pub tags: Vec<String>,
}

/// A run of the list, with what the list can be filtered by.
#[derive(Debug)]
pub(super) struct Listed {
    /// Key of the run in the tables.
    pub(super) run_no: i32,
    pub(super) summary: RunSummary,
    /// The benchmarks of its cases, each once, in order of their names.
    pub(super) benchmarks: Vec<String>,
}
