//! The result file: `dyno.result` version 1, described by `docs/schemas/result.json`.

use dyno_core::model::{RESULT_SCHEMA, RESULT_VERSION, RunRecord};
use serde_json::Value;

/// Why a text is no result file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is no JSON, or cut short.
    #[error("the file is not JSON, or is cut short: {0}")]
    Json(#[source] serde_json::Error),
    /// It is JSON of something else.
    #[error("the file is no result of dyno: its `schema` is {found}, expected `{RESULT_SCHEMA}`")]
    Schema {
        /// What it says it is.
        found: String,
    },
    /// It was written by a newer dyno.
    #[error(
        "the result has version {found}, this dyno reads versions up to {RESULT_VERSION}; use a newer dyno"
    )]
    Newer {
        /// Its version.
        found: u64,
    },
    /// A field is missing or wrong.
    #[error("the result is damaged: {0}")]
    Damaged(#[source] serde_json::Error),
}

/// A run as a result file.
///
/// # Errors
/// When a number in it is not finite, which the model rules out.
pub fn json(record: &RunRecord) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(record)?;
    text.push('\n');
    Ok(text)
}

/// Reads a result file.
///
/// # Errors
/// A sentence that says what the text is instead.
pub fn read(text: &str) -> Result<RunRecord, ReadError> {
    let value: Value = serde_json::from_str(text).map_err(ReadError::Json)?;
    let schema = value.get("schema").unwrap_or(&Value::Null);
    if schema.as_str() != Some(RESULT_SCHEMA) {
        return Err(ReadError::Schema { found: schema.to_string() });
    }
    if let Some(found) =
        value.get("version").and_then(Value::as_u64).filter(|found| *found > u64::from(RESULT_VERSION))
    {
        return Err(ReadError::Newer { found });
    }
    serde_json::from_value(value).map_err(ReadError::Damaged)
}
