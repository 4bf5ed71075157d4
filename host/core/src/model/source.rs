//! Which code a run measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The commit that a run measured: the one checked out in the folder that it was started in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Hash of the commit.
    pub commit: String,
    /// Branch; absent if none was checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Whether files differed from the commit.
    pub dirty: bool,
}
