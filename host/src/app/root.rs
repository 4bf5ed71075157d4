//! The composition root: settings, where results lie, and the user's wish to stop. The use cases hang on it, topic by topic.

use std::{path::PathBuf, sync::OnceLock};

use super::{
    backend::{Backend, Local},
    error::AppError,
    remote::Client,
};
use crate::{catalog::Catalog, config::Resolved, runner::Cancel};

/// The application with its settings.
#[derive(Debug)]
pub struct App {
    pub(super) settings: Resolved,
    /// Where results lie.
    pub(super) backend: Backend,
    /// The plugin files that were named, in place of the plugin folders.
    pub(super) files: Option<Catalog>,
    /// What a command found in the plugin folders: it looks once, however often it asks.
    pub(super) scanned: OnceLock<Catalog>,
    /// The user's wish to stop: every wait of this application looks at it.
    pub(super) cancel: Cancel,
}

impl App {
    /// An application that opens the database for each use case, and nothing yet.
    #[must_use]
    pub fn new(settings: Resolved) -> Self {
        let file = settings.db_path.value.clone();
        Self::with_backend(settings, Backend::Local(Local::File(file)))
    }

    /// An application that works through a server: the one that was named, else the one that has the database open. Where
    /// there is neither, as [`App::new`].
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
        Self { settings, backend, files: None, scanned: OnceLock::new(), cancel: Cancel::default() }
    }

    /// The same application with plugin files in place of the plugin folders; with these where none is given.
    ///
    /// # Errors
    /// When a file is not a plugin, or a server would have to run it.
    pub fn with_files(mut self, files: &[PathBuf]) -> Result<Self, AppError> {
        if let Some(file) = files.first() {
            if let Some(server) = self.server_url() {
                return Err(AppError::NotThere { file: file.clone(), server: server.to_owned() });
            }
            self.files = Some(Catalog::of_files(files).map_err(AppError::File)?);
        }
        Ok(self)
    }

    /// The user's wish to stop, which every wait looks at.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Resolved {
        &self.settings
    }

    /// The server that is asked, where one is.
    #[must_use]
    pub fn server_url(&self) -> Option<&str> {
        match &self.backend {
            Backend::Local(_) => None,
            Backend::Remote(server) => Some(server.url()),
        }
    }

    /// The server that the user named. One that was only found beside the database has the same plugins and devices.
    pub(super) fn named_server(&self) -> Option<&Client> {
        match &self.backend {
            Backend::Remote(server) if self.settings.server.value.is_some() => Some(server),
            Backend::Remote(_) | Backend::Local(_) => None,
        }
    }
}
