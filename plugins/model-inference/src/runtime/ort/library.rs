//! Finds and opens ONNX Runtime, and finds its libraries for other devices. A worker has no environment that could say where they are, so the
//! usual folders are tried.

use std::{path::PathBuf, sync::OnceLock};

use dyno_sdk::prelude::*;
use ort::environment::Environment;

use usual_folders::beginning;

use super::told::told;

/// What to do where it is not found.
const NEXT: &str = "install `onnxruntime` of PyPI for this user or the system (`pip install --user onnxruntime`), or \
                    put its library where the system's loader looks; `cargo xtask setup` fetches it in a checkout of dyno";

/// The one environment of the process, with the library behind it.
pub(super) fn environment() -> Result<&'static Environment, Failure> {
    // Never closed, since threads of the library may still run after its last user has ended.
    static ENVIRONMENT: OnceLock<Result<Environment, Failure>> = OnceLock::new();
    ENVIRONMENT.get_or_init(open).as_ref().map_err(Clone::clone)
}

/// Sets an environment variable that ONNX Runtime or one of its plugins reads.
#[allow(unsafe_code, reason = "the environment of the process is how this library is told what it may do")]
pub(super) fn switch_on(variable: &str) {
    // SAFETY: a worker loads one plugin and calls it on one thread; no other thread reads or writes variables.
    unsafe { std::env::set_var(variable, "1") };
}

fn open() -> Result<Environment, Failure> {
    // Since version 1.32, the library starts its telemetry as soon as it has an environment, before `with_telemetry` has any effect.
    switch_on("ORT_DISABLE_TELEMETRY");
    let files = folders("", "onnxruntime").into_iter().flat_map(|it| beginning(&it, "libonnxruntime.so"));
    let by_loader = ["libonnxruntime.so.1", "libonnxruntime.so"].map(PathBuf::from);
    let mut refused = Vec::new();
    for file in files.chain(by_loader) {
        match ort::init_from(&file) {
            Ok(builder) => {
                return builder.with_name("dyno").with_telemetry(false).build().map_err(told);
            }
            // What is simply not there needs no words.
            Err(error) if file.is_absolute() => refused.push(error.to_string()),
            Err(_) => {}
        }
    }
    if refused.is_empty() {
        return Err(Failure::skipped(format!("ONNX Runtime is not found; {NEXT}")));
    }
    Err(Failure::skipped(format!("ONNX Runtime cannot be opened: {}; {NEXT}", refused.join("; "))))
}

/// Where a library may be: in what dyno's own setup fetched (`fetched` is a folder in it), then in a package of Python.
pub(super) fn folders(fetched: &str, package: &str) -> Vec<PathBuf> {
    let home = usual_folders::home();
    let own = home.map(|home| home.join(".cache/dyno/tools/onnxruntime").join(fetched));
    let mut folders: Vec<PathBuf> = own.into_iter().collect();
    folders.extend(usual_folders::of_python(&format!("{package}/capi")));
    folders.extend(usual_folders::of_python(package));
    folders
}
