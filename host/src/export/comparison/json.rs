//! A comparison as a `dyno.comparison` document.

use dyno_core::model::Comparison;

use crate::export::WriteError;

/// Everything that the comparison holds. A number that JSON does not have is `null`.
///
/// # Errors
/// When it cannot be serialised.
pub(in crate::export) fn json(comparison: &Comparison) -> Result<String, WriteError> {
    let mut text = serde_json::to_string_pretty(comparison).map_err(WriteError)?;
    text.push('\n');
    Ok(dyno_core::text::json(&text))
}
