//! How strictly to compare, and when a comparison fails.

use clap::Args;

use super::values;
use crate::{app::CompareOptions, cli::Failure};

/// How strictly to compare results that were measured at different times.
#[derive(Debug, Args)]
pub(in crate::cli) struct JudgeArgs {
    /// Smallest relative change that matters, e.g. `0.05`, `5%` or `150%` [default: 5%]
    #[arg(long, value_name = "SHARE")]
    threshold: Option<String>,
    /// Accepted share of false alarms among alarms, over all cases and metrics together [default: 0.01]
    #[arg(long, value_name = "SHARE")]
    alpha: Option<String>,
    /// Judge even if machine, governor or WASM engine differ
    #[arg(long)]
    allow_differences: bool,
    #[command(flatten)]
    pub(in crate::cli) gate: GateArgs,
}

/// Which outcomes besides a regression and a failure end with an error.
#[derive(Debug, Clone, Copy, Args)]
pub(in crate::cli) struct GateArgs {
    /// Exit with 3 if a metric is inconclusive or a case could not be compared
    #[arg(long)]
    pub(in crate::cli) fail_inconclusive: bool,
}

impl JudgeArgs {
    pub(in crate::cli) fn options(&self) -> Result<CompareOptions, Failure> {
        let default = CompareOptions::default();
        Ok(CompareOptions {
            threshold: values::change("--threshold", self.threshold.as_deref(), default.threshold)?,
            alpha: values::share("--alpha", self.alpha.as_deref(), default.alpha)?,
            allow_differences: self.allow_differences,
        })
    }
}
