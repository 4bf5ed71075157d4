//! How files with compiled code of components are named: a worker compiles, the host keeps what it made.

/// Version of the WASM engine, as in `Cargo.toml`: part of every result, and of the name of compiled code.
pub const WASM_ENGINE_VERSION: &str = "48";

/// The file with code that a worker has compiled, in the folder of its launch.
pub const COMPILED_FILE: &str = "compiled";

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
