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
pub(super) struct Database(Mutex<Store>);

impl Database {
    /// A connection of its own for whoever asks.
    fn connect(&self) -> Result<Store, StoreError> {
        self.alone().another()
    }

    /// The one connection that numbers runs: two that did so at once would find the same number.
    pub(super) fn alone(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        Ok(Self { database: Some(Database(Mutex::new(store))), ..Self::new(settings) })
    }

    /// The same application for reading only, confined to its database, for one who asks with words of his own.
    ///
    /// # Errors
    /// When there is no database, or it cannot be opened.
    pub fn confined(&self) -> Result<Self, AppError> {
        let store = self.read_store()?;
        // Nothing is written for it: an empty list of folders.
        store.confine(Path::new("/nonexistent"))?;
        Ok(Self { database: Some(Database(Mutex::new(store))), ..Self::new(self.settings.clone()) })
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
        match Store::open_read_only(path) {
            // What an earlier dyno wrote is brought up to date, which reading alone cannot do.
            Err(StoreError::Older { .. }) => {
                drop(Store::open(path)?);
                Ok(Store::open_read_only(path)?)
            }
            other => Ok(other?),
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
        let mut told = false;
        loop {
            match Store::open(&self.settings.db_path.value) {
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
}
