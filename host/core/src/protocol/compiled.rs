//! How files with compiled code of components are named: a worker compiles, the host keeps what it made.

use serde::{Deserialize, Serialize};

/// Version of the WASM engine, as in `Cargo.toml`: part of every result, and of the name of compiled code.
pub const WASM_ENGINE_VERSION: &str = "48";

/// The file with code that a worker has compiled, in the folder of its launch.
pub const COMPILED_FILE: &str = "compiled";

/// What a worker says of the compiled code of its component, with the compatibility hash of its engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompiledCode {
    /// It is in [`COMPILED_FILE`], to be kept.
    New(u64),
    /// What was kept is damaged.
    Damaged(u64),
}

/// What the names of all files with code compiled from these bytes begin with.
#[must_use]
pub fn compiled_prefix(sha256: &str) -> String {
    format!("{sha256}-{WASM_ENGINE_VERSION}-")
}

/// The name of the file with code compiled from these bytes for an engine with that compatibility hash.
#[must_use]
pub fn compiled_name(sha256: &str, compatibility: u64) -> String {
    format!("{}{compatibility:016x}.cwasm", compiled_prefix(sha256))
}
