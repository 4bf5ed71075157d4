//! From what a WASM compiler makes to a component with a descriptor.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dyno_core::binary;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

use super::{error::BuildError, output as place};
use crate::{
    fault::{HostFault, Place},
    packages, user_file,
};

/// How a core module begins; a component has another number in the second half.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The plugin file that a built file becomes: itself, unless it is a core module or lacks its descriptor.
pub(super) fn finished(
    file: PathBuf,
    output: &Path,
    descriptor: Option<&Path>,
) -> Result<PathBuf, BuildError> {
    if file.extension().is_none_or(|ending| ending != "wasm") {
        return Ok(file);
    }
    let refused = |why: String| BuildError::NotAPlugin { file: file.clone(), why };
    let bytes = fs::read(&file)
        .map_err(|error| HostFault::new(format!("cannot read `{}`", file.display()), &error, Place::Named))?;
    let mut plugin =
        if bytes.starts_with(MODULE) { encoded(&bytes).map_err(refused)? } else { bytes.clone() };
    if let Some(descriptor) = descriptor.filter(|_| binary::describe(&plugin).is_err()) {
        let read = packages::read_descriptor(descriptor)?;
        plugin = binary::with_descriptor(&plugin, &read)
            .map_err(|why| refused(format!("it takes no descriptor: {why}")))?;
    }
    if plugin == bytes {
        return Ok(file);
    }
    place::make(output)?;
    let finished = output.join(file.file_name().unwrap_or_default());
    user_file::write_whole(&finished, &plugin, Place::Named)?;
    Ok(finished)
}

fn encoded(module: &[u8]) -> Result<Vec<u8>, String> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        // What a C library or a run time calls of the WASI before components, in terms of that of components.
        .and_then(|encoder| {
            encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)
        })
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| no_component(&error))
}

fn no_component(error: &dyn std::fmt::Display) -> String {
    format!(
        "it cannot be made a component of the world `dyno:plugin/benchmark`: {error:#}; does the source have an \
         `export_plugin!` line, or bindings made from dyno's WIT?"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_of_another_world_is_refused_with_a_next_step() {
        assert!(encoded(b"hello").unwrap_err().contains("dyno:plugin/benchmark"));
    }
}
