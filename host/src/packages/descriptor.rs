//! A descriptor that an author wrote as a file of its own, for a component whose tool chain writes none.

use std::path::Path;

use dyno_plugin_api::descriptor::{AbiInfo, Descriptor, Kind, SCHEMA};
use serde_json::{Value, json};

use super::PackageError;
use crate::{toml_text, user_file::read_text};

/// Reads a descriptor for a component, in JSON or TOML. `schema` and `abi` may be left out: there is one of each.
///
/// # Errors
/// When it cannot be read, is no descriptor, or has a key that nobody reads.
pub(crate) fn read_descriptor(path: &Path) -> Result<Descriptor, PackageError> {
    let refused = |why: String| PackageError::Pack(format!("the descriptor `{}` {why}", path.display()));
    let text = read_text(path).map_err(|error| refused(error.to_string()))?;
    let is_toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let mut value: Value = if is_toml {
        toml::from_str(&text)
            .map_err(|error| refused(format!("is not TOML: {}", toml_text::fault(&text, &error))))?
    } else {
        serde_json::from_str(&text).map_err(|error| refused(format!("is not JSON: {error}")))?
    };
    let Some(fields) = value.as_object_mut() else {
        return Err(refused("is not an object with the fields `plugin` and `benchmarks`".to_owned()));
    };
    fields.entry("schema").or_insert_with(|| json!(SCHEMA));
    let abi = json!({ "kind": Kind::Wasm, "version": AbiInfo::version_here(Kind::Wasm) });
    fields.entry("abi").or_insert(abi);
    let bytes = value.to_string();
    if let Some(unknown) = Descriptor::unknown_keys(bytes.as_bytes()).first() {
        let place = if unknown.place.is_empty() { String::new() } else { format!(" in `{}`", unknown.place) };
        return Err(refused(format!(
            "has the unknown key `{}`{place}; the keys known there are {}",
            unknown.key,
            unknown.known.join(", ")
        )));
    }
    let descriptor =
        Descriptor::from_json(bytes.as_bytes()).map_err(|error| refused(format!("is not good: {error}")))?;
    if descriptor.abi.kind == Kind::Wasm {
        return Ok(descriptor);
    }
    Err(refused("says that the plugin is native; only a component takes a descriptor from a file".to_owned()))
}
