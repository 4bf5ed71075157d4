//! What could not be analysed, and where: each is a sentence, and the rest is still analysed.

use serde::Serialize;

/// What kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The file or folder could not be read.
    Unreadable,
    /// A link leads back to a folder around it.
    Loop,
    /// A link leads out of the root.
    Outside,
    /// A named pipe, socket or device.
    Special,
    /// The file is not text.
    Binary,
    /// The file is larger than the limit.
    TooLarge,
    /// It has more benchmarks than are looked for.
    TooMany,
    /// Reading its structure took too long.
    TimedOut,
    /// The text is not in UTF-8; it was converted and analysed.
    Encoding,
    /// The grammar could not read a place; the rest of the file was analysed.
    Syntax,
}

/// A file or folder that was not analysed, or not completely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The path, relative to the root.
    pub file: String,
    /// Line, from 1, if a place is known.
    pub line: Option<u32>,
    /// Column, from 1 [bytes].
    pub column: Option<u32>,
    /// What kind.
    pub kind: ProblemKind,
    /// The sentence.
    pub reason: String,
}

impl Problem {
    /// A problem without a place.
    pub(crate) fn new(file: impl Into<String>, kind: ProblemKind, reason: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, column: None, kind, reason: reason.into() }
    }
}
