//! Tells by its content which tool wrote a document, because file names say little.

use dyno_core::model::{Measured, RESULT_SCHEMA};
use serde_json::Value;

use super::{ImportError, gbench, hyperfine, json, original};

/// The kind of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// A result file of dyno, whole or not: `export` reads it.
    Ours,
    /// Results of another tool, whose name is their `source`.
    Theirs(Measured),
}

/// Reads a document of any tool that is known.
///
/// # Errors
/// A sentence that says what is wrong with the text, or which documents dyno reads if it recognises none.
pub fn detect(text: &str) -> Result<Found, ImportError> {
    let document = match json::parse(text) {
        Ok(document) => document,
        // A truncated result of dyno is left to its own reader, whose error explains how to write it again.
        Err(_) if text.contains(RESULT_SCHEMA) => return Ok(Found::Ours),
        Err(error) => return Err(error),
    };
    if document["schema"].as_str() == Some(RESULT_SCHEMA) {
        return Ok(Found::Ours);
    }
    if gbench::is_one(&document) {
        gbench::measured(&document).map(Found::Theirs)
    } else if hyperfine::is_one(&document) {
        hyperfine::measured(&document).map(Found::Theirs)
    } else if original::is_one(&document) {
        original::measured(&document).map(Found::Theirs)
    } else {
        Err(ImportError::Unknown { found: outline(&document) })
    }
}

/// What a document is at the top, for people.
fn outline(document: &Value) -> String {
    match document {
        Value::Object(fields) if fields.is_empty() => "an object without fields".to_owned(),
        // The schema says more than any other field.
        Value::Object(fields) if fields.contains_key("schema") => {
            let schema: String = fields["schema"].to_string().chars().take(60).collect();
            format!("an object whose `schema` is {schema}")
        }
        Value::Object(fields) => {
            let name = |name: &String| format!("`{}`", name.chars().take(30).collect::<String>());
            let names: Vec<String> = fields.keys().take(5).map(name).collect();
            format!("an object with {}", names.join(", "))
        }
        Value::Array(items) => format!("a list of {} entries", items.len()),
        Value::Null => "null".to_owned(),
        _ => "a single value".to_owned(),
    }
}
