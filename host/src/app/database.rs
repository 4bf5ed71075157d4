//! A database that a server keeps open.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{Revision, Store, StoreError};

/// A database that this process keeps open.
#[derive(Debug)]
pub(super) struct Database {
    /// Only ever cloned, so that readers do not wait for a writer.
    source: Mutex<Store>,
    /// The only connection that numbers runs: two at once would choose the same number.
    numbering: Mutex<Store>,
    revision: Revision,
}

impl Database {
    pub(super) fn new(store: Store) -> Result<Self, StoreError> {
        Ok(Self {
            numbering: Mutex::new(store.another()?),
            revision: store.revision(),
            source: Mutex::new(store),
        })
    }

    /// A new connection, for one use case.
    pub(super) fn connect(&self) -> Result<Store, StoreError> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner).another()
    }

    /// The connection that numbers runs, locked.
    pub(super) fn numbering(&self) -> MutexGuard<'_, Store> {
        self.numbering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counter of commits.
    pub(super) fn revision(&self) -> &Revision {
        &self.revision
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;

    #[test]
    fn who_reads_does_not_wait_for_who_writes() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(Store::open(&folder.path().join("d.duckdb")).unwrap()).unwrap();
        let _writes = database.numbering();
        thread::scope(|scope| {
            let (said, hears) = mpsc::channel();
            let database = &database;
            scope.spawn(move || said.send(database.connect().and_then(|store| store.queued()).is_ok()));
            // A lock that both need would hold it until this test has ended.
            assert_eq!(hears.recv_timeout(Duration::from_secs(20)), Ok(true));
        });
    }
}
