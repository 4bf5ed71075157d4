//! The gate before every commit of this process. A backup closes it while it copies the files, so that nothing writes to them.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The gate of a database, shared by all its connections. Readers of the database do not pass it.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<RwLock<()>>);

impl Gate {
    /// Waits until the gate is open, and keeps it open for a transaction or checkpoint.
    pub(super) fn pass(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody writes, and lets nobody write meanwhile.
    pub(super) fn close(&self) -> RwLockWriteGuard<'_, ()> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
