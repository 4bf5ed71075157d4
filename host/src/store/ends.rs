//! How runs ended, by a clock that nobody sets: the times of a run go back when somebody sets that of the machine.

use duckdb::params;

use super::{
    Store,
    error::{StoreError, doing},
    statement::execute,
};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunEnd {
    /// How long it ran [s].
    pub elapsed_s: f64,
    /// How far it had come when its server last said so, 0 to 1; absent where no server ran it.
    pub progress: Option<f64>,
}

impl Store {
    /// Stores how a run ended. What is known of it already stays: the larger value counts.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_end(&self, run: &str, end: RunEnd) -> Result<(), StoreError> {
        execute(
            &self.connection,
            "storing how a run ended",
            "INSERT INTO run_ends VALUES (?, ?, ?)",
            params![run, end.elapsed_s, end.progress],
        )
    }

    /// How a run ended; `None` where its host died before it could say so.
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
