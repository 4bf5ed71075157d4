//! What went wrong and what to do next: the one error of all commands.

use std::{fmt, path::Path};

/// What a step comes to.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// A failure that a person reads.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    next: Option<String>,
}

impl Failure {
    /// A failure that names the thing and what was wrong with it.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), next: None }
    }

    /// A file or folder that the system refused.
    pub(crate) fn file(what: &str, path: &Path, error: &impl fmt::Display) -> Self {
        Self::new(format!("cannot {what} `{}`: {error}", path.display()))
    }

    /// With the next step for whoever reads it.
    pub(crate) fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "xtask: {}", self.what)?;
        self.next.iter().try_for_each(|next| write!(f, "\n{next}"))
    }
}
