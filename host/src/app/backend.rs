//! Where results lie: in a file that is opened for one use case after the other, in a database that this process keeps open,
//! or with a server.

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

/// How often to try again for a database that another process has open.
const POLL: Duration = Duration::from_millis(200);

/// Where results lie.
#[derive(Debug)]
pub(super) enum Backend {
    /// In a database that this process opens.
    Local(Local),
    /// With a server, which is asked in place of the database.
    Remote(Client),
}

/// A database that this process opens.
#[derive(Debug)]
pub(super) enum Local {
    /// For one use case after the other: other processes use the file as well.
    File(PathBuf),
    /// Once, to keep it open.
    Held(Arc<Database>),
}

impl Backend {
    /// Results, to be read at once: that another process has the database open for writing is an error.
    pub(super) fn reading(&self) -> Result<Box<dyn Archive + '_>, AppError> {
        Ok(match self {
            Self::Local(local) => Box::new(local.store_to_read()?),
            Self::Remote(server) => Box::new(server),
        })
    }

    /// Results, to be read as soon as no other process writes. `announce` hears of waiting.
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

    /// Results, to be written to as soon as no other process has them. `announce` hears of waiting.
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
    /// The database for writing, as soon as no other process has it: as for a device, the holder is named.
    pub(super) fn store(&self, cancel: &Cancel, announce: &mut dyn FnMut(&Event)) -> Result<Store, AppError> {
        match self {
            Self::File(path) => when_free(&|| Ok(Store::open(path)?), cancel, announce),
            Self::Held(database) => Ok(database.connect()?),
        }
    }

    /// The database for reading.
    pub(super) fn store_to_read(&self) -> Result<Store, AppError> {
        match self {
            Self::File(path) => open_existing(path),
            Self::Held(database) => Ok(database.connect()?),
        }
    }

    /// The database for one who asks with words of his own: confined to itself.
    pub(super) fn store_for_strangers(&self) -> Result<Store, AppError> {
        let store = self.store_to_read()?;
        if let Self::File(_) = self {
            // What is held was confined when it was opened. Nothing is written here: there is no folder for it.
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
        // What an earlier dyno wrote is brought up to date, which reading alone cannot do.
        Err(StoreError::Older { .. }) => {
            drop(Store::open(path)?);
            Ok(Store::open_read_only(path)?)
        }
        other => Ok(other?),
    }
}

/// Opens a database as soon as no other process has it; says once who has.
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
