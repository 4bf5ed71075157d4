//! The WASM engine: its settings, and what it says when it refuses something.

use std::io;

use wasmtime::{Config, OptLevel};

use crate::instance::Failure;

/// No fuel and no epochs: both would be inside the number being measured. A guest that runs away is killed with its
/// worker.
pub(super) fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true).wasm_simd(true).cranelift_opt_level(OptLevel::Speed);
    config
}

/// A failure of the engine that no plugin caused.
pub(super) fn fault(doing: &str, error: &wasmtime::Error) -> Failure {
    let code = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>()?.raw_os_error());
    Failure::Host { doing: doing.to_owned(), code, said: words(error) }
}

/// The causes of an engine error on one line, without its backtrace.
pub(super) fn words(error: &wasmtime::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let line = cause.to_string().lines().next().unwrap_or_default().trim().to_owned();
        if !line.is_empty() && !line.starts_with("error while executing at") && parts.last() != Some(&line) {
            parts.push(line);
        }
    }
    parts.join(": ")
}
