//! Why a stage of a benchmark did not succeed: the value that an author returns, and the text that the host gets.

use std::{error::Error, fmt};

/// A stage that failed, or a case that cannot run here.
///
/// `?` makes one of any error and of any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Error,
    Skipped,
}

impl Failure {
    /// The stage failed: the case fails with this sentence.
    pub fn error(message: impl Into<String>) -> Self {
        Self { kind: Kind::Error, message: message.into() }
    }

    /// This case cannot run here, which is not a failure: the case is skipped with this sentence.
    pub fn skipped(message: impl Into<String>) -> Self {
        Self { kind: Kind::Skipped, message: message.into() }
    }

    /// The sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the case is to be skipped rather than failed.
    #[must_use]
    pub fn is_skipped(&self) -> bool {
        self.kind == Kind::Skipped
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Errors, `&str` and `String` alike. The text of an error includes all its sources, because the host gets only one
/// text.
impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error: Box<dyn Error> = error.into();
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::error(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bad table")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn question_mark_takes_errors_and_texts() {
        fn number(text: &str) -> Result<u8, Failure> {
            Ok(text.parse()?)
        }
        fn text() -> Result<(), Failure> {
            Err("no")?
        }
        fn owned() -> Result<(), Failure> {
            Err(format!("no {}", 1))?
        }
        assert_eq!(number("x").unwrap_err().message(), "invalid digit found in string");
        assert_eq!(text().unwrap_err(), Failure::error("no"));
        assert_eq!(owned().unwrap_err().to_string(), "no 1");
    }

    #[test]
    fn an_error_is_told_with_its_sources() {
        let failure = Failure::from(Outer("".parse::<u8>().unwrap_err()));
        assert_eq!(failure.message(), "bad table: cannot parse integer from empty string");
        assert!(!failure.is_skipped());
        assert!(Failure::skipped("no GPU").is_skipped());
    }
}
