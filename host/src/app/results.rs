//! Use cases: stored runs, baselines, histories and SQL.

use std::path::Path;

use dyno_core::{
    model::{RunRecord, Series},
    stats::ChangeOptions,
};

use super::{backend::Backend, error::AppError, root::App};
use crate::{
    source,
    store::{RunFilter, RunSummary, SqlAnswer, SqlBrake, SqlLimits},
};

/// Stored results.
#[derive(Debug, Clone, Copy)]
pub struct Results<'a>(&'a App);

impl App {
    /// The use cases of stored results.
    #[must_use]
    pub fn results(&self) -> Results<'_> {
        Results(self)
    }
}

impl Results<'_> {
    /// A run, by identifier, an unambiguous prefix of it, `last`, `last~N`, `commit:HASH`, or
    /// `branch:NAME`.
    ///
    /// # Errors
    /// When there is no database, or no such run.
    pub fn run(&self, selector: &str, with_samples: bool) -> Result<RunRecord, AppError> {
        self.0.backend.reading()?.run(selector, with_samples)
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// When there is no database, or it cannot be read.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, AppError> {
        self.0.backend.reading()?.runs(filter)
    }

    /// Writes the samples of a run as a Parquet file.
    ///
    /// # Errors
    /// When there is no such run, or the file cannot be written.
    pub fn write_parquet(&self, selector: &str, path: &Path) -> Result<(), AppError> {
        self.0.backend.reading()?.write_parquet(selector, path)
    }

    /// The git branch checked out in the current folder, the default name of a baseline.
    #[must_use]
    pub fn branch(&self) -> Option<String> {
        source::current()?.branch
    }

    /// Names a run as a baseline.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn save_baseline(&self, name: &str, run: &RunRecord) -> Result<(), AppError> {
        self.0.backend.writing(&self.0.cancel, &mut |_| {})?.save_baseline(name, run)
    }

    /// The run that a baseline names.
    ///
    /// # Errors
    /// When there is no such baseline; the error lists the existing ones.
    pub fn baseline(&self, name: &str) -> Result<String, AppError> {
        self.0.backend.reading()?.baseline(name)
    }

    /// The history of a benchmark, `name` or `plugin/name`: one series per plugin, parameters, engine, device and machine.
    ///
    /// # Errors
    /// When there are no results of it.
    pub fn history(
        &self,
        benchmark: &str,
        metric: &str,
        options: &ChangeOptions,
    ) -> Result<Vec<Series>, AppError> {
        self.0.backend.reading()?.history(benchmark, metric, options)
    }

    /// Accepts the change of level that starts with a run; returns the run's identifier.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn accept_change(&self, benchmark: &str, run: &str, note: &str) -> Result<String, AppError> {
        self.0.backend.writing(&self.0.cancel, &mut |_| {})?.accept_change(benchmark, run, note)
    }

    /// Runs one SELECT within limits, or until `brake` is pulled. If a server has the database, the server's limits apply.
    ///
    /// # Errors
    /// When it is not a single SELECT, reaches for more than the caller may have, or goes beyond a limit.
    pub fn select(&self, sql: &str, limits: SqlLimits, brake: &SqlBrake) -> Result<SqlAnswer, AppError> {
        match &self.0.backend {
            Backend::Local(local) => Ok(local.store_for_strangers()?.select(sql, limits, brake)?),
            Backend::Remote(server) => server.select(sql, limits.rows),
        }
    }
}
