//! What plugin files are, read from their bytes: the catalog lists by it, the worker checks by it before it loads.
//! Pure functions over hostile bytes: they return an answer or a sentence, and never panic.

mod elf;
mod imports;
mod not_a_plugin;
mod target;
mod wasm;

pub use elf::{Linkage, check_elf, linkage, loaded_parts};
pub use imports::{Import, imports, unknown_imports, withheld_imports};
pub use not_a_plugin::NotAPlugin;
pub use target::Target;
pub use wasm::with_descriptor;

use dyno_plugin_api::descriptor::{Descriptor, Kind, UnknownKey};

/// What kind of plugin the bytes are, and what they say about themselves.
///
/// # Errors
/// When they are not a plugin.
pub fn describe(bytes: &[u8]) -> Result<(Kind, Descriptor), NotAPlugin> {
    if !is_wasm(bytes) {
        elf::check_machine(bytes).map_err(NotAPlugin::Broken)?;
    }
    describe_for(bytes).map(|(_, kind, descriptor)| (kind, descriptor))
}

/// As [`describe`], also of a plugin for another machine: which one is returned as well.
///
/// # Errors
/// When they are not a plugin.
pub fn describe_for(bytes: &[u8]) -> Result<(Target, Kind, Descriptor), NotAPlugin> {
    let target = target(bytes).map_err(NotAPlugin::Broken)?;
    let (kind, section) = section(bytes)?;
    let mut descriptor =
        Descriptor::from_json(section).map_err(|error| NotAPlugin::Broken(error.to_string()))?;
    if kind == Kind::Native {
        // The compiler knows this better than an author who wrote the descriptor by hand.
        descriptor.build = elf::build(bytes).or(descriptor.build);
    }
    if descriptor.abi.kind == kind {
        Ok((target, kind, descriptor))
    } else {
        Err(NotAPlugin::Broken(format!(
            "the descriptor says that the plugin is {}, the file is {kind}; build the descriptor for this file",
            descriptor.abi.kind
        )))
    }
}

/// Refuses a file that is broken, or was built for another contract.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let (_, descriptor) = describe(bytes).map_err(|error| error.to_string())?;
    descriptor.abi.mismatch().map_or(Ok(()), Err)
}

/// The unknown keys in the descriptor of a plugin; none if the bytes are not a plugin.
#[must_use]
pub fn unknown_keys(bytes: &[u8]) -> Vec<UnknownKey> {
    section(bytes).map(|(_, section)| Descriptor::unknown_keys(section)).unwrap_or_default()
}

/// Which machine the bytes are for: a whole library, or WASM.
///
/// # Errors
/// A sentence that says what they are instead.
pub fn target(bytes: &[u8]) -> Result<Target, String> {
    if is_wasm(bytes) { Ok(Target::any()) } else { elf::whole(bytes).map(Target::linux) }
}

/// How a WASM file begins, module or component.
const WASM_MAGIC: &[u8] = b"\0asm";

fn is_wasm(bytes: &[u8]) -> bool {
    bytes.starts_with(WASM_MAGIC)
}

fn section(bytes: &[u8]) -> Result<(Kind, &[u8]), NotAPlugin> {
    Ok(if is_wasm(bytes) {
        (Kind::Wasm, wasm::descriptor_section(bytes)?)
    } else {
        (Kind::Native, elf::descriptor_section(bytes)?)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(
            head in prop_oneof![
                Just(b"\0asm\x0d\0\x01\0".to_vec()), Just(b"\0asm\x01\0\0\0".to_vec()), Just(b"\x7fELF\x02\x01\x01\0".to_vec()),
                Just(Vec::new()),
            ],
            tail in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let bytes = [head, tail].concat();
            prop_assert!(describe(&bytes).is_err());
            // An answer or a sentence, whichever.
            let _ = imports(&bytes);
        }
    }
}
