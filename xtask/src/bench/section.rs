//! What a bench is to the document: a section.

use super::host::Host;
use crate::failure::Outcome;

/// One section of the document.
pub(super) struct Bench {
    /// What it is called on the command line and in the document.
    pub(super) name: &'static str,
    /// Heading of its section.
    pub(super) title: &'static str,
    /// Measures, and returns the section's text in Markdown, without the heading.
    pub(super) run: fn(&Host) -> Outcome<String>,
}
