//! An application that keeps the database open for as long as it lives: a server's. Only here there is a queue.

use std::{path::Path, sync::Arc};

use super::{
    backend::{Backend, Local},
    database::Database,
    error::AppError,
    root::App,
};
use crate::{config::Resolved, store::Store};

/// The application of a server.
#[derive(Debug)]
pub struct Serving {
    app: App,
    pub(super) database: Arc<Database>,
}

impl Serving {
    /// Opens the database, and confines it to itself and to `scratch`: what it is asked may come from strangers.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub fn open(settings: Resolved, scratch: &Path) -> Result<Self, AppError> {
        let store = Store::open(&settings.db_path.value)?;
        store.confine(scratch)?;
        let database = Arc::new(Database::new(store)?);
        let backend = Backend::Local(Local::Held(Arc::clone(&database)));
        Ok(Self { app: App::with_backend(settings, backend), database })
    }

    /// What the command line can ask for, too.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Counts what was committed: an answer from before is no longer right.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.database.revision().get()
    }

    pub(super) fn store(&self) -> Result<Store, AppError> {
        Ok(self.database.connect()?)
    }
}
