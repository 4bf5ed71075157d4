//! Whether a launch compiles its component, which takes seconds and is kept: the first of these bytes by this engine.

use std::{fs, path::Path, time::Duration};

use dyno_core::{model::PluginKind, protocol::compiled_prefix};

use super::Planned;

/// Longest time for compiling a component: a run time of some script language takes ten seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// Whether nothing compiled of the case's component is in the cache.
pub(super) fn will_compile(code_cache: &Path, case: &Planned) -> bool {
    if case.plugin.kind != PluginKind::Wasm {
        return false;
    }
    let prefix = compiled_prefix(&case.plugin.sha256);
    let is_there = fs::read_dir(code_cache).is_ok_and(|files| {
        files.flatten().any(|file| file.file_name().to_string_lossy().starts_with(&prefix))
    });
    !is_there
}
