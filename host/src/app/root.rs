//! The composition root: settings, the place of results, and cancellation. Each topic adds its use cases to it.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use dyno_core::model::IsolationReadings;

use super::{
    backend::{Backend, Local},
    error::AppError,
    remote::Client,
    watching::Watching,
};
use crate::{catalog::Catalog, config::Resolved, runner::Cancel};

/// The application with its settings.
#[derive(Debug)]
pub struct App {
    pub(super) settings: Resolved,
    /// Where results are stored.
    pub(super) backend: Backend,
    /// The named plugin files, which replace the plugin folders.
    pub(super) files: Option<Arc<Catalog>>,
    /// The plugins found in the folders. A command scans them once.
    pub(super) scanned: OnceLock<Arc<Catalog>>,
    /// The plugins of a server that watches its folders.
    pub(super) watching: Option<Arc<Watching>>,
    /// What a worker found out about its layers. A dashboard asks again and again, beside what is measured.
    pub(super) isolation: OnceLock<IsolationReadings>,
    /// Cancellation, checked by every wait.
    pub(super) cancel: Cancel,
}

impl App {
    /// An application that opens the database for each use case. Opens nothing yet.
    #[must_use]
    pub fn new(settings: Resolved) -> Self {
        let file = settings.db_path.value.clone();
        Self::with_backend(settings, Backend::Local(Local::File(file)))
    }

    /// An application that works through a server: the named one, or else the one that has the database open. Without either, the
    /// same as [`App::new`].
    ///
    /// # Errors
    /// When a server that was named cannot be reached.
    pub fn through_server(settings: Resolved) -> Result<Self, AppError> {
        Ok(match Client::of(&settings)? {
            Some(server) => Self::with_backend(settings, Backend::Remote(server)),
            None => Self::new(settings),
        })
    }

    pub(super) fn with_backend(settings: Resolved, backend: Backend) -> Self {
        Self {
            settings,
            backend,
            files: None,
            scanned: OnceLock::new(),
            watching: None,
            isolation: OnceLock::new(),
            cancel: Cancel::default(),
        }
    }

    /// The same application with these plugin files instead of the plugin folders. An empty list changes nothing.
    ///
    /// # Errors
    /// When a file is not a plugin, or a server would have to run it.
    pub fn with_files(mut self, files: &[PathBuf]) -> Result<Self, AppError> {
        if let Some(file) = files.first() {
            if let Some(server) = self.server_url() {
                return Err(AppError::NotThere { file: file.clone(), server: server.to_owned() });
            }
            self.files =
                Some(Arc::new(Catalog::of_files(files, &self.settings.trust.value).map_err(AppError::File)?));
        }
        Ok(self)
    }

    /// The handle that cancels every use case of this application.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Resolved {
        &self.settings
    }

    /// Address of the server that answers, if there is one.
    #[must_use]
    pub fn server_url(&self) -> Option<&str> {
        match &self.backend {
            Backend::Local(_) => None,
            Backend::Remote(server) => Some(server.url()),
        }
    }

    /// The server, if the user named it. A server found beside the database uses the same plugins and devices as this process.
    pub(super) fn named_server(&self) -> Option<&Client> {
        match &self.backend {
            Backend::Remote(server) if self.settings.server.value.is_some() => Some(server),
            Backend::Remote(_) | Backend::Local(_) => None,
        }
    }
}
