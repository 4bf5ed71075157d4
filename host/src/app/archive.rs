//! The interface to stored results, implemented by the database and by a server that owns one.

use std::path::Path;

use dyno_core::{
    model::{Comparison, KnownDrift, RunRecord, Series},
    stats::ChangeOptions,
};

use super::error::AppError;
use crate::store::{Noise, RunFilter, RunSummary};

/// Stored results.
pub(super) trait Archive {
    /// A run, by identifier, an unambiguous prefix of it, `last`, `last~N`, `commit:HASH`, or
    /// `branch:NAME`.
    fn run(&self, selector: &str, with_samples: bool) -> Result<RunRecord, AppError>;

    /// Runs, newest first.
    fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, AppError>;

    /// Writes the samples of a run as a Parquet file.
    fn write_parquet(&self, selector: &str, path: &Path) -> Result<(), AppError>;

    /// The run that a baseline names.
    fn baseline(&self, name: &str) -> Result<String, AppError>;

    /// Names a run as a baseline.
    fn save_baseline(&mut self, name: &str, run: &RunRecord) -> Result<(), AppError>;

    /// The history of a benchmark over all runs.
    fn history(
        &self,
        benchmark: &str,
        metric: &str,
        options: &ChangeOptions,
    ) -> Result<Vec<Series>, AppError>;

    /// Accepts the change of level that starts with a run; returns the run's identifier.
    fn accept_change(&mut self, benchmark: &str, run: &str, note: &str) -> Result<String, AppError>;

    /// How much pairs of equal builds differ on a machine.
    fn noise(&self, machine: &str) -> Result<Vec<Noise>, AppError>;

    /// How much runs of equal builds differ on a machine.
    fn drift(&self, machine: &str) -> Result<Vec<KnownDrift>, AppError>;

    /// Stores the noise that an A/A comparison measured on a machine.
    fn record_noise(&mut self, machine: &str, found: &[Noise]) -> Result<(), AppError>;

    /// Stores a comparison.
    fn record_comparison(&mut self, comparison: &Comparison) -> Result<(), AppError>;
}
