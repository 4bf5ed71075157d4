//! The command that checks plugins: `check`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::values;
use crate::{
    app::{CheckOptions, Depth, seed},
    cli::Failure,
    config::Flags,
};

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// Plugins to check: files, or identifiers of plugins in the plugin folders
    #[arg(value_name = "FILE|PLUGIN", required = true)]
    pub(in crate::cli) what: Vec<String>,
    /// Benchmark to check; `*` matches anything; can be repeated [default: all]
    #[arg(long = "benchmark", short = 'b', value_name = "NAME")]
    benchmark: Vec<String>,
    /// Comma-separated devices to check on [default: the first of each kind that a benchmark runs on]
    #[arg(long, value_name = "DEVICES", value_delimiter = ',')]
    hardware: Vec<String>,
    /// Time of each test
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    budget: String,
    /// Maximum memory of a worker [env: DYNO_MEMORY] [default: 4GiB]
    #[arg(long, value_name = "BYTES")]
    memory: Option<String>,
    /// Use the inputs and random parameters of an earlier check, by the seed that it printed [default: a new seed]
    #[arg(long, value_name = "SEED")]
    reproduce: Option<u64>,
    /// Fail also on what is only worth knowing
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    /// File for the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) junit: Option<PathBuf>,
}

impl CheckArgs {
    pub(super) fn over(&self, flags: Flags) -> Flags {
        Flags { memory: self.memory.clone(), ..flags }
    }

    pub(in crate::cli) fn options(&self) -> Result<CheckOptions, Failure> {
        Ok(CheckOptions {
            benchmarks: self.benchmark.clone(),
            hardware: self.hardware.clone(),
            budget: values::time_to_spend("--budget", &self.budget, "10s").map(Duration::from_nanos)?,
            seed: seed(self.reproduce).0,
            depth: Depth::Full,
        })
    }
}
