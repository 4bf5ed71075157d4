//! The database: kept open by a server, opened for one use case by everybody else.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use dyno_core::model::Event;

use super::{App, AppError, Cancel};
use crate::{
    config::Resolved,
    store::{Store, StoreError},
};

/// How often to try again for a database that another process has open.
const POLL: Duration = Duration::from_millis(200);

/// A database that stays open.
#[derive(Debug)]
pub(super) struct Database {
    /// Only ever copied, so that nobody waits for it while another writes.
    source: Mutex<Store>,
    /// The one connection that numbers runs: two that did so at once would find the same number.
    numbering: Mutex<Store>,
}

impl Database {
    fn new(store: Store) -> Result<Self, StoreError> {
        Ok(Self { numbering: Mutex::new(store.another()?), source: Mutex::new(store) })
    }

    /// A connection of its own for every use case.
    fn connect(&self) -> Result<Store, StoreError> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner).another()
    }

    /// The connection that numbers runs, for one at a time.
    pub(super) fn numbering(&self) -> MutexGuard<'_, Store> {
        self.numbering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// An application that keeps the database open for as long as it lives, confined to it and to `scratch`: what it is asked
    /// may come from strangers.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub fn serving(settings: Resolved, scratch: &Path) -> Result<Self, AppError> {
        let store = Store::open(&settings.db_path.value)?;
        store.confine(scratch)?;
        Ok(Self { database: Some(Database::new(store)?), ..Self::new(settings) })
    }

    /// The same application for reading only, confined to its database, for one who asks with words of his own.
    ///
    /// # Errors
    /// When there is no database, or it cannot be opened.
    pub fn confined(&self) -> Result<Self, AppError> {
        let store = self.read_store()?;
        // Nothing is written for it: an empty list of folders.
        store.confine(Path::new("/nonexistent"))?;
        Ok(Self { database: Some(Database::new(store)?), ..Self::new(self.settings.clone()) })
    }

    /// For reading.
    pub(super) fn read_store(&self) -> Result<Store, AppError> {
        if let Some(database) = &self.database {
            return Ok(database.connect()?);
        }
        let path = &self.settings.db_path.value;
        if !path.exists() {
            return Err(AppError::NoDatabase(path.clone()));
        }
        Ok(open_for_reading(path)?)
    }

    /// For reading; waits while another process writes.
    pub(super) fn wait_to_read(
        &self,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<Store, AppError> {
        match &self.database {
            Some(database) => Ok(database.connect()?),
            None => wait(&|| open_for_reading(&self.settings.db_path.value), cancel, announce),
        }
    }

    /// For writing; waits while another process has it: as for a device, the holder is named.
    pub(super) fn open_store(
        &self,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<Store, AppError> {
        if let Some(database) = &self.database {
            return Ok(database.connect()?);
        }
        wait(&|| Store::open(&self.settings.db_path.value), cancel, announce)
    }
}

fn open_for_reading(path: &Path) -> Result<Store, StoreError> {
    match Store::open_read_only(path) {
        // What an earlier dyno wrote is brought up to date, which reading alone cannot do.
        Err(StoreError::Older { .. }) => {
            drop(Store::open(path)?);
            Store::open_read_only(path)
        }
        other => other,
    }
}

/// Opens a database as soon as no other process has it; says once who has.
fn wait(
    open: &dyn Fn() -> Result<Store, StoreError>,
    cancel: &Cancel,
    announce: &mut dyn FnMut(&Event),
) -> Result<Store, AppError> {
    let mut told = false;
    loop {
        match open() {
            Err(StoreError::Locked { path, holder }) => {
                if !told {
                    told = true;
                    announce(&Event::WaitingForDatabase { path: path.display().to_string(), holder });
                }
            }
            other => return Ok(other?),
        }
        if cancel.is_set() {
            return Err(AppError::Cancelled);
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

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
