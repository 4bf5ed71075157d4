//! From a core module, as the compiler writes it, to a component with its descriptor.

use std::path::Path;

use wit_component::ComponentEncoder;

use crate::{
    failure::{Failure, Outcome},
    project,
};

/// Name of the custom section that holds the descriptor; the contract is in `plugin-api/src/section.rs`.
const DESCRIPTOR: &[u8] = b"dyno-descriptor";

/// Makes a component of a core module.
pub(crate) fn encode(module: &Path) -> Outcome<Vec<u8>> {
    let bytes = project::read(module)?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| {
            Failure::new(format!("`{}` cannot be made a component: {error:#}", module.display()))
        })?;
    if !component.windows(DESCRIPTOR.len()).any(|window| window == DESCRIPTOR) {
        let what = format!("`{}` carries no descriptor", module.display());
        return Err(Failure::new(what).next("does its source have an `export_plugin!` line?"));
    }
    Ok(component)
}
