//! Lists of runs and results: from memory where a server holds what is asked for, else from the tables.

use std::sync::{Arc, RwLockReadGuard};

use super::{
    Store,
    error::StoreError,
    recent::Held,
    result_list::{PerformanceFilter, PerformanceRow},
    run_list::{RunFilter, RunSummary},
};

impl Store {
    /// The selected runs, newest first unless the filter says otherwise.
    ///
    /// # Errors
    /// When the database fails.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        match self.held()?.and_then(|held| held.runs(filter)) {
            Some(found) => Ok(found),
            None => self.read_runs(filter),
        }
    }

    /// The selected results, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn performance(&self, filter: &PerformanceFilter) -> Result<Vec<Arc<PerformanceRow>>, StoreError> {
        match self.held()?.and_then(|held| held.performance(filter)) {
            Some(found) => Ok(found),
            None => self.read_performance(filter),
        }
    }

    /// What is in memory, after reading anew what changed; `None` if this process keeps nothing there.
    pub(super) fn held(&self) -> Result<Option<RwLockReadGuard<'_, Held>>, StoreError> {
        let Some(recent) = &self.recent else { return Ok(None) };
        recent.current(&self.revision, |stale, bounds| self.fresh(stale, bounds)).map(Some)
    }
}
