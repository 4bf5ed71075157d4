//! How a finding is written: what was found, and what to do about it.

use dyno_core::model::{Finding, Severity};

/// A finding that nothing needs to be done about.
pub(super) fn said(topic: &str, severity: Severity, text: impl Into<String>) -> Finding {
    Finding { topic: topic.to_owned(), severity, text: text.into(), command: None, advice: None }
}

/// Adds what to do.
pub(super) trait Improve {
    fn by(self, command: impl Into<String>) -> Self;
    fn or(self, advice: impl Into<String>) -> Self;
}

impl Improve for Finding {
    fn by(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    fn or(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 9.95 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}
