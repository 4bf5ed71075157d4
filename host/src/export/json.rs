//! The result file: `dyno.result` version 1, described by `docs/schemas/result.json`.

use std::io;

use dyno_core::model::{RESULT_SCHEMA, RESULT_VERSION, RunRecord};
use serde_json::Value;

use super::readable::write_readable;

/// A record that cannot be serialised.
#[derive(Debug, thiserror::Error)]
#[error("this cannot be written as JSON: {0}")]
pub struct WriteError(#[source] pub(super) serde_json::Error);

/// Why a text is not a result file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It ends too early.
    #[error("the file is cut short in line {line}; write it again with `dyno report --format json`")]
    CutShort {
        /// Number of its last line.
        line: usize,
    },
    /// It is not JSON.
    #[error("the file is not JSON: {0}")]
    Json(serde_json::Error),
    /// It is JSON, but not a result.
    #[error("the file is not a result of dyno: its `schema` is {found}, expected `{RESULT_SCHEMA}`")]
    Schema {
        /// Its `schema`.
        found: String,
    },
    /// It was written by a newer dyno.
    #[error(
        "the result has version {found}, this dyno reads versions up to {RESULT_VERSION}; use a newer dyno"
    )]
    Newer {
        /// Version of the document.
        found: u64,
    },
    /// A field is missing or wrong.
    #[error("the result is damaged: {0}")]
    Damaged(serde_json::Error),
}

/// A run as a result file. Infinity and NaN are absent from it, because JSON has neither and the file could not be read
/// back: see [`RunRecord::finite`].
///
/// # Errors
/// When it cannot be serialised.
pub fn json(record: &RunRecord) -> Result<String, WriteError> {
    let mut text = Vec::new();
    write_json(record, &mut text)?;
    String::from_utf8(text).map_err(|error| WriteError(serde_json::Error::io(io::Error::other(error))))
}

/// Writes a run as [`json`] renders it, but never holds the whole text, which is large for a run with many cases or samples.
///
/// # Errors
/// When it cannot be serialised, or `out` fails.
pub fn write_json(record: &RunRecord, out: &mut dyn io::Write) -> Result<(), WriteError> {
    write_readable(&record.finite(), out).map_err(WriteError)
}

/// Reads a result file.
///
/// # Errors
/// When the text is not a result file that this dyno can read.
pub fn read(text: &str) -> Result<RunRecord, ReadError> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        if error.is_eof() { ReadError::CutShort { line: error.line() } } else { ReadError::Json(error) }
    })?;
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
