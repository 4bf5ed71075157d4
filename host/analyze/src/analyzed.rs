//! A file with its facts, as the parts that look at all files see it.

use crate::facts::Facts;

/// A file with its facts.
#[derive(Debug)]
pub struct FileAnalysis {
    /// The path, relative to the root, with `/`.
    pub path: String,
    /// What is known of it.
    pub facts: Facts,
}
