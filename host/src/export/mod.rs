//! Records as text: one format, one file. Pure: the caller writes.

mod bmf;
mod comparison;
mod csv;
mod escape;
mod gbench;
mod github_benchmark;
mod html;
mod json;
mod junit;
mod markdown;
mod openmetrics;

pub use bmf::bmf;
pub use comparison::{
    comparison_bmf, comparison_csv, comparison_markdown, comparison_openmetrics, comparison_text, effect,
    github, junit,
};
pub use csv::{csv, samples_csv};
pub use gbench::gbench;
pub use github_benchmark::github_benchmark;
pub use html::html;
pub use json::{ReadError, WriteError, json, read};
pub use junit::run_junit;
pub use markdown::markdown;
pub use openmetrics::openmetrics;

#[cfg(test)]
mod schema_check;
#[cfg(test)]
mod tests;
