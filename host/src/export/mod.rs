//! Runs and comparisons as text: one format, one file, chosen by [`Format`] and [`ComparisonFormat`]. Pure: the caller
//! writes. All untrusted text (names, parameters, reasons, output) passes [`dyno_core::text`] or `escape` on its way
//! out, and no format contains infinity or NaN.

mod bmf;
mod comparison;
mod conformance;
mod csv;
mod escape;
mod format;
mod gbench;
mod github;
mod github_benchmark;
mod html;
mod html_charts;
mod json;
mod junit;
mod markdown;
mod models;
mod names;
mod number;
mod openmetrics;
mod outcome;
mod readable;
mod results_csv;

pub use comparison::effect;
pub use conformance::check_junit;
pub use escape::name as markdown_name;
pub use format::{ComparisonFormat, Format, Rendered};
pub use html::{STYLE as HTML_STYLE, html_table};
pub use html_charts::html_with_charts;
pub use json::{ReadError, WriteError, json, read, write_json};
pub(crate) use readable::write_readable;
pub use results_csv::results_csv;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod schema_check;
#[cfg(test)]
mod tests;
