//! The newest runs and results in memory, for a server: planning a query takes DuckDB longer than finding a hundred rows. The
//! tables remain the only truth. What is in memory was read from them, and what a commit has touched since is read anew before
//! the next answer.

mod held;
mod refresh;

use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use self::{held::Held, refresh::Stale};
use super::{Store, error::StoreError};

/// How much is held in memory; older runs and results are read from the tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Maximum number of runs.
    pub(super) runs: usize,
    /// Maximum number of results.
    pub(super) results: usize,
}

/// About 10 MB.
impl Default for Bounds {
    fn default() -> Self {
        Self { runs: 10_000, results: 20_000 }
    }
}

/// The newest runs and results.
#[derive(Debug, Default)]
pub(super) struct Recent {
    bounds: Bounds,
    held: RwLock<Held>,
    /// Held while reading anew: one question does it for all that wait.
    refreshing: Mutex<()>,
}

impl Recent {
    /// Holds less or more than usual.
    #[cfg(test)]
    pub(super) fn within(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// What is held, after reading anew what changed before this call.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn current(&self, store: &Store) -> Result<RwLockReadGuard<'_, Held>, StoreError> {
        let changes = store.revision.changes_so_far();
        let held = self.held();
        if held.seen() >= Some(changes) {
            return Ok(held);
        }
        drop(held);
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.held();
        if held.seen() >= Some(changes) {
            return Ok(held);
        }
        // Others go on reading what is held while this one asks the database.
        let stale = Stale::of(&held, &store.revision);
        drop(held);
        let fresh = stale.read(store, self.bounds)?;
        self.held.write().unwrap_or_else(PoisonError::into_inner).take(fresh, self.bounds);
        Ok(self.held())
    }

    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
