//! A request for a run as a server takes it in: what to run, who asks for it in which words, and what is done beyond running.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{RunSpec, Source};

/// How urgent a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// When nothing else waits.
    Low,
    /// Where nobody says.
    #[default]
    Medium,
    /// Before those.
    High,
    /// Before everything.
    Critical,
}

impl Priority {
    /// The word for it, as it is stored.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The priority of a word. A word that is none is the default: what is stored was checked when it came.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        [Self::Low, Self::High, Self::Critical].into_iter().find(|it| it.word() == word).unwrap_or_default()
    }
}

/// A run that somebody asks a server for. What is decided later is decided by these fields, never by the words of the
/// request, which are kept to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// What to run, and how.
    pub spec: RunSpec,
    /// Which commit it measures, where whoever asks says.
    pub source: Option<Source>,
    /// Who asks, and how.
    pub origin: Origin,
    /// How urgent it is.
    pub priority: Priority,
    /// The baseline that it is compared with when it has ended.
    pub baseline: Option<String>,
    /// Whether cases are skipped that have a result already, of the same plugin file, parameters and device.
    pub incremental: bool,
}

/// Where a submission comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// Name of the token, or `local`.
    pub owner: String,
    /// In which words.
    pub request: Request,
}

/// How a run was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// By a body of JSON: this one, as it was posted.
    Posted(Value),
    /// As another run once more.
    Repeats(String),
    /// As what another run lacks.
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
