//! How strictly results are compared.

/// How strict to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompareOptions {
    /// Smallest relative change that matters.
    pub threshold: f64,
    /// Accepted share of false alarms among alarms, over the suite.
    pub alpha: f64,
    /// Judge even if machine, governor or engine differ.
    pub allow_differences: bool,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { threshold: 0.05, alpha: 0.01, allow_differences: false }
    }
}
