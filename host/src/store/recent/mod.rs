//! The newest runs and results in memory, for a server: planning a query takes DuckDB longer than finding a hundred rows. The
//! tables remain the only truth. What is in memory was read from them, and what a commit has touched since is read anew before
//! the next answer.

mod held;
mod stale;

use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

pub(super) use self::{
    held::{Bounds, Fresh, FreshWhat, Held, Part},
    stale::{ALL_CASES, ONE_BY_ONE, Stale, What},
};
use super::{error::StoreError, revision::Revision};

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

    /// What is held, after reading anew with `read` what changed before this call.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn current(
        &self,
        revision: &Revision,
        read: impl FnOnce(Stale, Bounds) -> Result<Fresh, StoreError>,
    ) -> Result<RwLockReadGuard<'_, Held>, StoreError> {
        let changes = revision.changes_so_far();
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
        let stale = Stale::of(&held, revision);
        drop(held);
        let fresh = read(stale, self.bounds)?;
        self.held.write().unwrap_or_else(PoisonError::into_inner).take(fresh, self.bounds);
        Ok(self.held())
    }

    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
