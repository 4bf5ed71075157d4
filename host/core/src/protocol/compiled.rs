//! How files with compiled code of components are named: the worker writes them, the host sees whether one is there.

/// Version of the WASM engine, as in `Cargo.toml`: part of every result, and of the name of compiled code.
pub const WASM_ENGINE_VERSION: &str = "48";

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
