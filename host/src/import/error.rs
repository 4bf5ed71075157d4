//! Why a text cannot be read as results, a sentence each.

use serde_json::Value;

/// Why a text is not a document of results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is not JSON, nor the near-JSON that some tools write.
    #[error("the file is not JSON: {0}")]
    Json(serde_json::Error),
    /// It is JSON, but not results.
    #[error(
        "the file is not a result that dyno can read: it is {found}. dyno reads results of dyno (`schema` is \
         `dyno.result`), of Google Benchmark (`context` and a list `benchmarks`), of hyperfine (a list `results` whose \
         entries have a `command`) and of the Python suite (an object `benchmarks`, or a list whose entries have a \
         `model_name`); it reads a folder as Criterion's"
    )]
    Unknown {
        /// What its top level looks like.
        found: String,
    },
    /// Its format is newer than this dyno.
    #[error(
        "the {tool} document has version {found}, this dyno reads versions up to {known}; use a newer dyno"
    )]
    Newer {
        /// The tool that wrote it.
        tool: &'static str,
        /// Version of the document.
        found: u64,
        /// Highest version that this dyno reads.
        known: u64,
    },
    /// A field is missing or wrong.
    #[error("the {tool} document is damaged: {place} is {found}, expected {expected}; write it again")]
    Damaged {
        /// The tool that wrote it.
        tool: &'static str,
        /// The field.
        place: String,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
}

impl ImportError {
    /// A field that does not hold what it should.
    pub(super) fn damaged(
        tool: &'static str,
        place: impl Into<String>,
        found: &Value,
        expected: &'static str,
    ) -> Self {
        let found = match found {
            Value::Null => "missing".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            // A value may be as long as the file: its beginning says what it is.
            other => format!("`{}`", other.to_string().chars().take(60).collect::<String>()),
        };
        Self::Damaged { tool, place: place.into(), found, expected }
    }
}
