//! What removing outdated results did, or would do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::store::Outdated;

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vacuumed {
    /// What is older than it is kept.
    #[serde(flatten)]
    pub outdated: Outdated,
    /// Whether all of it was removed. A server does only so much in one call.
    pub is_complete: bool,
    /// Size of the database before [bytes].
    pub bytes_before: u64,
    /// Size of the database after [bytes].
    pub bytes_after: u64,
    /// Whether the file was written anew. A server does not do that: it reuses the space.
    pub is_shrunk: bool,
}
