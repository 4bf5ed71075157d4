//! When `dyno run` has measured a case enough.

use clap::Args;
use dyno_core::model::StopRule;

use super::values;
use crate::cli::{Failure, suite::SuiteSettings};

const DEFAULT_LAUNCHES: u32 = 5;
const MAX_LAUNCHES: u32 = 30;
const DEFAULT_BUDGET_NS: u64 = 3_000_000_000;
const DEFAULT_PRECISION: f64 = 0.01;

#[derive(Debug, Args)]
pub(in crate::cli) struct StopArgs {
    /// Number of launches (fresh worker processes) per case [default: at least 5, at most 30]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    launches: Option<u32>,
    /// Measuring time per case, e.g. `500ms` or `2s`, divided among the launches
    #[arg(long, value_name = "DURATION")]
    time: Option<String>,
    /// Samples per launch, instead of a time or a precision
    #[arg(long, value_name = "N", conflicts_with_all = ["time", "precision"],
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    samples: Option<u32>,
    /// Launch until the half-width of the median's confidence interval is below this share of the median [default: 1%]
    #[arg(long, value_name = "SHARE")]
    precision: Option<String>,
}

impl StopArgs {
    /// A scenario lasts a fixed time in each launch.
    pub(in crate::cli) fn in_scenario(&self) -> Result<StopRule, Failure> {
        if self.samples.is_some() || self.precision.is_some() {
            return Err(Failure::Usage(
                "a scenario lasts for --time; leave out --samples and --precision".to_owned(),
            ));
        }
        let budget_ns = values::duration("--time", self.time.as_deref().unwrap_or("5s"))?;
        Ok(StopRule::Time { launches: self.launches.unwrap_or(1).max(1), budget_ns })
    }

    /// Flags override the suite, even if a flag names another stop rule than the suite.
    pub(in crate::cli) fn rule(&self, suite: &SuiteSettings) -> Result<StopRule, Failure> {
        let named = self.time.is_some() || self.samples.is_some() || self.precision.is_some();
        let (time, samples, precision) = if named {
            (&self.time, self.samples, &self.precision)
        } else {
            (&suite.time, suite.samples, &suite.precision)
        };
        let launches = self.launches.or(suite.launches);
        let count = launches.unwrap_or(DEFAULT_LAUNCHES).max(1);
        let budget_ns =
            time.as_deref().map(|text| values::time_to_spend("--time", text, "500ms")).transpose()?;
        if let Some(per_launch) = samples {
            return Ok(StopRule::Samples { launches: count, per_launch });
        }
        match (precision, budget_ns) {
            (None, Some(budget_ns)) => Ok(StopRule::Time { launches: count, budget_ns }),
            (precision, budget_ns) => Ok(StopRule::Precision {
                target: values::share("--precision", precision.as_deref(), DEFAULT_PRECISION)?,
                min_launches: count,
                max_launches: launches.unwrap_or(MAX_LAUNCHES).max(count),
                budget_ns: budget_ns.unwrap_or(DEFAULT_BUDGET_NS),
            }),
        }
    }
}
