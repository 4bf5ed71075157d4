//! Where results are stored: in a file opened for each use case, in a database that this process keeps open, or on a server.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use dyno_core::model::Event;

use super::{archive::Archive, database::Database, error::AppError, remote::Client};
use crate::{
    runner::Cancel,
    store::{Store, StoreError},
};

/// Interval of attempts to open a database that another process has open.
const POLL: Duration = Duration::from_millis(200);

/// Where results are stored.
#[derive(Debug)]
pub(super) enum Backend {
    /// In a database that this process opens.
    Local(Local),
    /// On a server, which answers instead of the database.
    Remote(Client),
}

/// A database that this process opens.
#[derive(Debug)]
pub(super) enum Local {
    /// Opened for each use case, so that other processes can use the file in between.
    File(PathBuf),
    /// Kept open.
    Held(Arc<Database>),
}

impl Backend {
    /// Opens the results for reading. If another process has the database open for writing, that is an error.
    pub(super) fn reading(&self) -> Result<Box<dyn Archive + '_>, AppError> {
        Ok(match self {
            Self::Local(local) => Box::new(local.store_to_read()?),
            Self::Remote(server) => Box::new(server),
        })
    }

    /// Opens the results for reading, waiting until no other process writes. `announce` gets an event if it has to wait.
    pub(super) fn reading_when_free(
        &self,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<Box<dyn Archive + '_>, AppError> {
        match self {
            Self::Local(local) => Ok(Box::new(when_free(&|| local.store_to_read(), cancel, announce)?)),
            Self::Remote(_) => self.reading(),
        }
    }

    /// Opens the results for writing, waiting until no other process uses them. `announce` gets an event if it has to wait.
    pub(super) fn writing(
        &self,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<Box<dyn Archive + '_>, AppError> {
        Ok(match self {
            Self::Local(local) => Box::new(local.store(cancel, announce)?),
            Self::Remote(server) => Box::new(server),
        })
    }
}

impl Local {
    /// Opens the database for writing, waiting until no other process uses it. `announce` gets an event that names the holder.
    pub(super) fn store(&self, cancel: &Cancel, announce: &mut dyn FnMut(&Event)) -> Result<Store, AppError> {
        match self {
            Self::File(path) => when_free(&|| Ok(Store::open(path)?), cancel, announce),
            Self::Held(database) => Ok(database.connect()?),
        }
    }

    /// The same without bringing it up to date: it is only to be copied.
    pub(super) fn store_as_it_is(
        &self,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<Store, AppError> {
        match self {
            Self::File(path) => when_free(&|| Ok(Store::open_as_it_is(path)?), cancel, announce),
            Self::Held(database) => Ok(database.connect()?),
        }
    }

    /// Opens the database for reading.
    pub(super) fn store_to_read(&self) -> Result<Store, AppError> {
        match self {
            Self::File(path) => open_existing(path),
            Self::Held(database) => Ok(database.connect()?),
        }
    }

    /// Opens the database for SQL from users: cut off from files, network and settings.
    pub(super) fn store_for_strangers(&self) -> Result<Store, AppError> {
        let store = self.store_to_read()?;
        if let Self::File(_) = self {
            // A held database was confined when it was opened. There is no scratch folder, since nothing is written here.
            store.confine(Path::new("/nonexistent"))?;
        }
        Ok(store)
    }
}

fn open_existing(path: &Path) -> Result<Store, AppError> {
    if !path.exists() {
        return Err(AppError::NoDatabase(path.to_owned()));
    }
    match Store::open_read_only(path) {
        // A database of an earlier version is migrated, which needs opening for writing.
        Err(StoreError::Older { .. }) => {
            drop(Store::open(path)?);
            Ok(Store::open_read_only(path)?)
        }
        other => Ok(other?),
    }
}

/// Opens a database, waiting until no other process uses it. Announces the holder once.
fn when_free(
    open: &dyn Fn() -> Result<Store, AppError>,
    cancel: &Cancel,
    announce: &mut dyn FnMut(&Event),
) -> Result<Store, AppError> {
    let mut told = false;
    loop {
        match open() {
            Err(AppError::Store(StoreError::Locked { path, holder })) => {
                if !told {
                    told = true;
                    announce(&Event::WaitingForDatabase { path: path.display().to_string(), holder });
                }
            }
            other => return other,
        }
        if cancel.is_set() {
            return Err(AppError::Cancelled);
        }
        thread::sleep(POLL);
    }
}
