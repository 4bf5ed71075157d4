//! Queries instead of plain samples, as MLPerf's LoadGen defines them.

use clap::{Args, ValueEnum};
use dyno_core::model::Scenario;

use super::values;
use crate::cli::Failure;

#[derive(Debug, Args)]
pub(in crate::cli) struct ScenarioArgs {
    /// Measure queries instead of plain samples; how they arrive is defined as in MLPerf LoadGen
    #[arg(long, value_enum)]
    scenario: Option<ScenarioName>,
    /// Samples per query in the `multi-stream` scenario
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    streams: u64,
    /// Queries per second in the `server` scenario
    #[arg(long, value_name = "RATE")]
    target_qps: Option<f64>,
    /// Maximum p99 latency for the `server` scenario, e.g. `10ms`
    #[arg(long, value_name = "DURATION")]
    latency_bound: Option<String>,
    /// Find the highest rate that meets the latency bound of the `server` scenario, by bisection
    #[arg(long, conflicts_with = "target_qps")]
    find_peak: bool,
}

/// `--scenario`: how queries arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ScenarioName {
    /// Each query has one sample and is sent when the previous one is answered
    SingleStream,
    /// The same, with `--streams` samples per query
    MultiStream,
    /// Queries arrive at random (Poisson) at `--target-qps`
    Server,
    /// All samples are available at once
    Offline,
}

impl ScenarioArgs {
    /// The scenario that the flags describe, if any.
    pub(in crate::cli) fn read(&self) -> Result<Option<Scenario>, Failure> {
        if self.scenario != Some(ScenarioName::Server)
            && (self.target_qps.is_some() || self.latency_bound.is_some() || self.find_peak)
        {
            return Err(usage("--target-qps, --latency-bound and --find-peak belong to `--scenario server`"));
        }
        Ok(match self.scenario {
            None => None,
            Some(ScenarioName::SingleStream) => Some(Scenario::SingleStream),
            Some(ScenarioName::MultiStream) => Some(Scenario::MultiStream { streams: self.streams }),
            Some(ScenarioName::Offline) => Some(Scenario::Offline),
            Some(ScenarioName::Server) => Some(self.server()?),
        })
    }

    fn server(&self) -> Result<Scenario, Failure> {
        let Some(bound) = &self.latency_bound else {
            return Err(usage("`--scenario server` needs a --latency-bound, like `--latency-bound 10ms`"));
        };
        let latency_bound_ns = values::duration("--latency-bound", bound)?;
        let target_qps = match self.target_qps {
            Some(rate) if rate.is_finite() && rate > 0.0 && rate <= 1e7 => Some(rate),
            Some(rate) => {
                return Err(Failure::Usage(format!(
                    "--target-qps: `{rate}` is not a rate; give a number above 0 and up to 10 million"
                )));
            }
            None if self.find_peak => None,
            None => return Err(usage("`--scenario server` needs a --target-qps, or --find-peak")),
        };
        Ok(Scenario::Server { target_qps, latency_bound_ns })
    }
}

fn usage(message: &str) -> Failure {
    Failure::Usage(message.to_owned())
}
