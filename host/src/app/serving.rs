//! The application of a server: it keeps the database open, and is the only one with a queue.

use std::{path::Path, sync::Arc};

use super::{
    backend::{Backend, Local},
    database::Database,
    error::AppError,
    root::App,
    watching::Watching,
};
use crate::{
    config::{Resolved, Watch},
    pool,
    store::Store,
};

/// What the allocators are told, which ask when a program begins. C's would have a heap for each of up to eight threads per
/// processor, and DuckDB's would keep what was freed for ten seconds of its own activity. A fifth of a second takes a tenth of
/// the speed of what DuckDB answers; none at all would take a third.
const ALLOCATORS: [(&str, &str); 2] =
    [("MALLOC_ARENA_MAX", "2"), ("DUCKDB_JE_MALLOC_CONF", "narenas:1,dirty_decay_ms:200,muzzy_decay_ms:0")];

/// The application of a server.
#[derive(Debug)]
pub struct Serving {
    app: App,
    pub(super) database: Arc<Database>,
}

impl Serving {
    /// Makes this process one that gives freed memory back to the system, by beginning it again; the variables of the
    /// allocators that a user set have precedence. Call it before anything else.
    pub fn begin_frugally() {
        pool::begin_again_with(&ALLOCATORS);
    }

    /// Opens the database and cuts it off from every file except those in `scratch`, since queries may come from strangers.
    ///
    /// # Errors
    /// When the database cannot be opened, or the plugin folders are to be watched and the host lacks what that needs.
    pub fn open(settings: Resolved, scratch: &Path) -> Result<Self, AppError> {
        let store = Store::open(&settings.db_path.value)?.for_server();
        store.confine(scratch)?;
        let database = Arc::new(Database::new(store)?);
        let backend = Backend::Local(Local::Held(Arc::clone(&database)));
        let watches = settings.watch.value != Watch::Off;
        let mut app = App::with_backend(settings, backend);
        if watches {
            let (content, code_cache) = app.runs().ready_to_launch()?;
            app.watching = Some(Arc::new(Watching::new(&app.settings, content, code_cache)?));
        }
        Ok(Self { app, database })
    }

    /// The use cases that the command line has as well.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The watch over the plugin folders, if there is one.
    #[must_use]
    pub fn watching(&self) -> Option<&Arc<Watching>> {
        self.app.watching.as_ref()
    }

    /// The number of commits so far. An answer computed at an earlier revision may be outdated.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.database.revision().get()
    }

    pub(super) fn store(&self) -> Result<Store, AppError> {
        Ok(self.database.connect()?)
    }
}
