//! How runs ended, with durations of a monotonic clock: the difference of two timestamps is wrong, even negative, if the
//! time of day was set in between.

use duckdb::params;

use super::{
    Store,
    error::{StoreError, doing},
    revision::Touched,
};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunEnd {
    /// Duration of the run [s], by a monotonic clock.
    pub elapsed_s: f64,
    /// Last reported progress, from 0 to 1; absent if the run was not run by a server.
    pub progress: Option<f64>,
}

impl Store {
    /// Stores how a run ended. If that is stored already, the larger of each two values counts.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_end(&mut self, run: &str, end: RunEnd) -> Result<(), StoreError> {
        self.statement(
            "storing how a run ended",
            Touched::NoList,
            "INSERT INTO run_ends VALUES (?, ?, ?)",
            params![run, end.elapsed_s, end.progress],
        )
    }

    /// How a run ended; `None` if it has not ended, or its host was killed before it could store this.
    ///
    /// # Errors
    /// When the database fails.
    pub fn run_end(&self, run: &str) -> Result<Option<RunEnd>, StoreError> {
        let rows: Vec<(Option<f64>, Option<f64>)> = self
            .rows(
                "SELECT max(elapsed_s), max(progress) FROM run_ends WHERE run_id = ?",
                params![run],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(doing("reading how a run ended"))?;
        let found = rows.into_iter().next();
        Ok(found.and_then(|(elapsed_s, progress)| Some(RunEnd { elapsed_s: elapsed_s?, progress })))
    }
}
