//! A request for a run, as a server accepts it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{RunSpec, Source};

/// Priority of a run in the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// After all others.
    Low,
    /// The default.
    #[default]
    Medium,
    /// Before `medium`.
    High,
    /// Before all others.
    Critical,
}

impl Priority {
    /// The same word as in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The priority with this word. An unknown word means the default: stored words were checked on submission.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        [Self::Low, Self::High, Self::Critical].into_iter().find(|it| it.word() == word).unwrap_or_default()
    }
}

/// A submitted run. The server acts on these fields alone; it keeps the original words of the request only to show them.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// What to run, and how.
    pub spec: RunSpec,
    /// The commit that is measured, if the client names it.
    pub source: Option<Source>,
    /// The client, and its request.
    pub origin: Origin,
    /// Priority in the queue.
    pub priority: Priority,
    /// Baseline to compare the completed run with.
    pub baseline: Option<String>,
    /// Whether to skip cases that already have a result with the same plugin file, parameters and device.
    pub incremental: bool,
}

/// Origin of a submission.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// Name of the token, or `local`.
    pub owner: String,
    /// The request in its original words.
    pub request: Request,
}

/// How a run was requested.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// By this JSON body.
    Posted(Value),
    /// As a repetition of this run.
    Repeats(String),
    /// As the unfinished cases of this run.
    Resumes(String),
}

impl Request {
    /// The request as it is stored and shown. // eg: `{"resumes": "01997f3e-…"}`
    #[must_use]
    pub fn document(&self) -> Value {
        match self {
            Self::Posted(body) => body.clone(),
            Self::Repeats(run) => json!({"repeats": run}),
            Self::Resumes(run) => json!({"resumes": run}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_priority_has_its_word() {
        for priority in [Priority::Low, Priority::Medium, Priority::High, Priority::Critical] {
            assert_eq!(Priority::from_word(priority.word()), priority);
            assert_eq!(json!(priority), priority.word());
        }
        assert_eq!(Priority::from_word("urgent"), Priority::Medium);
    }
}
