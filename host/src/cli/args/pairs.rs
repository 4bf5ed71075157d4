//! What comparisons by pairs share, `ab` and `aa`: how the pairs are launched, and when a case is decided.

use clap::Args;

use super::{ProcessorArgs, values};
use crate::cli::Failure;

/// Smallest change that matters: about the smallest that twenty pairs of quiet launches can show.
const THRESHOLD: f64 = 0.005;
/// Chance of a false alarm, over all cases of a comparison.
const ALPHA: f64 = 0.01;

#[derive(Debug, Args)]
pub(in crate::cli) struct PairLaunchArgs {
    #[command(flatten)]
    pub(in crate::cli) processors: ProcessorArgs,
    /// Seed for the inputs of every pair and for their order, e.g. `7` [default: a new seed for each pair]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,
}

/// When a case is decided.
#[derive(Debug, Args)]
pub(in crate::cli) struct DecisionArgs {
    /// Smallest relative change that matters; may be above `100%` [default: 0.5%]
    #[arg(long, value_name = "SHARE")]
    threshold: Option<String>,
    /// Chance of a false alarm, over all cases together [default: 1%]
    #[arg(long, value_name = "SHARE")]
    alpha: Option<String>,
}

impl DecisionArgs {
    /// Smallest relative change that matters.
    pub(in crate::cli) fn threshold(&self) -> Result<f64, Failure> {
        values::change("--threshold", self.threshold.as_deref(), THRESHOLD)
    }

    /// Chance of a false alarm. Above 0.5 nothing would be judged, and Student's t has no quantile at 0.
    pub(in crate::cli) fn alpha(&self) -> Result<f64, Failure> {
        let alpha = values::share("--alpha", self.alpha.as_deref(), ALPHA)?;
        if (1e-9..=0.5).contains(&alpha) {
            return Ok(alpha);
        }
        Err(Failure::Usage(format!(
            "--alpha: {alpha} is out of range; give a chance of a false alarm from 0.000000001 to 0.5, like 1%"
        )))
    }
}
