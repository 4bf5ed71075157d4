//! Records as text: one format, one file. Pure: the caller writes.

mod comparison;
mod csv;
mod escape;
mod json;
mod markdown;

pub use comparison::{comparison_markdown, comparison_text, effect, github, junit};
pub use csv::{csv, samples_csv};
pub use json::{ReadError, WriteError, json, read};
pub use markdown::markdown;

#[cfg(test)]
mod schema_check;
#[cfg(test)]
mod tests;
