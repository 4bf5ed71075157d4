//! The program of workers, and what the plugins in them may do.

use std::path::PathBuf;

use super::Rights;

/// The program of workers, and what the plugins in them may do.
#[derive(Debug, Clone)]
pub struct Workers {
    /// The `dyno-worker` binary.
    pub program: PathBuf,
    /// What plugins may do.
    pub rights: Rights,
}
