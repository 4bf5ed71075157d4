//! Use cases: finding plugins and reading their metadata. No plugin code runs.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use dyno_core::model::{EngineChoice, PluginKind, RunSpec};

use super::{
    backend::{Backend, Local},
    error::AppError,
    root::App,
};
use crate::catalog::{self, Catalog, Entry, Libraries, Problem, is_plugin_path};

/// The available plugins.
#[derive(Debug, Clone, Copy)]
pub struct Plugins<'a>(&'a App);

impl App {
    /// The use cases of plugins.
    #[must_use]
    pub fn plugins(&self) -> Plugins<'_> {
        Plugins(self)
    }
}

impl Plugins<'_> {
    /// What these use cases work on.
    pub(super) fn app(&self) -> &App {
        self.0
    }

    /// The plugins in the named files, or else in the plugin folders.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        let app = self.0;
        if let Some(named) = &app.files {
            return Arc::clone(named);
        }
        if let Some(watching) = &app.watching {
            return watching.catalog();
        }
        let scan = || {
            let settings = &app.settings;
            let cache = settings.cache.value.as_deref();
            Arc::new(Catalog::scan(&settings.plugin_folders(), cache, &settings.trust.value))
        };
        match app.backend {
            // A server lives for months, while plugins come and go. One that does not watch looks when it is asked.
            Backend::Local(Local::Held(_)) => scan(),
            Backend::Local(Local::File(_)) | Backend::Remote(_) => Arc::clone(app.scanned.get_or_init(scan)),
        }
    }

    /// The plugins after another look into the folders.
    #[must_use]
    pub fn rescanned(&self) -> Arc<Catalog> {
        if let Some(watching) = &self.0.watching {
            watching.look_now();
        }
        self.catalog()
    }

    /// The libraries that a plugin needs, apart from those of the system. Of a server's plugins, none are known.
    ///
    /// # Errors
    /// When a library cannot be used.
    pub fn libraries(&self, entry: &Entry) -> Result<Libraries, Problem> {
        // A component needs none, and a server's file is on its machine.
        if self.0.named_server().is_some() || entry.kind == PluginKind::Wasm {
            return Ok(Libraries::default());
        }
        Libraries::of(&entry.path, &catalog::read_bytes_of(&entry.path)?, &[])
    }

    /// The names of what a component imports; none of a native plugin, and none with a server: it has the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn imports(&self, entry: &Entry) -> Result<Vec<String>, Problem> {
        if self.0.named_server().is_some() || entry.kind != PluginKind::Wasm {
            return Ok(Vec::new());
        }
        catalog::imports_of(&entry.path)
    }

    /// The plugins that runs use: the server's if one was named.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn listed(&self) -> Result<Arc<Catalog>, AppError> {
        match self.0.named_server() {
            Some(server) if self.0.files.is_none() => server.catalog().map(Arc::new),
            _ => Ok(self.catalog()),
        }
    }

    /// Warnings about the plugins that a request names, for their authors.
    ///
    /// # Errors
    /// When a server refuses to list its plugins.
    pub fn warnings(&self, spec: &RunSpec) -> Result<Vec<String>, AppError> {
        let catalog = self.listed()?;
        let found = spec.requests.iter().flat_map(|request| {
            // An unknown name is reported when the request is carried out.
            catalog.resolve(&request.benchmark, request.engine).unwrap_or_default()
        });
        let sentences: BTreeSet<String> = found
            .flat_map(|one| {
                one.entry.warnings.iter().map(|warning| format!("{}: {warning}", one.entry.path.display()))
            })
            .collect();
        Ok(sentences.into_iter().collect())
    }

    /// The metadata of one plugin file, whether or not the trust store admits it.
    ///
    /// # Errors
    /// When the file is not a plugin.
    pub fn file(&self, path: &Path) -> Result<Entry, Problem> {
        catalog::read_file(path, &self.0.settings.trust.value)
    }

    /// A build of a plugin: a file, or `plugin` or `plugin@version` from the plugin folders.
    ///
    /// # Errors
    /// When there is no such build.
    pub fn build(&self, side: &str, engine: EngineChoice) -> Result<Entry, AppError> {
        let path = Path::new(side);
        if path.is_file() || is_plugin_path(side) {
            let found = catalog::admitted_file(path, &self.0.settings.trust.value);
            return found.map_err(|problem| AppError::Side(problem.to_string()));
        }
        let catalog = self.catalog();
        match catalog.resolve(&format!("{side}/*"), engine) {
            Ok(found) => found
                .first()
                .map(|found| found.entry.clone())
                .ok_or_else(|| AppError::Side(format!("the plugin `{side}` has no benchmark"))),
            Err(error) => {
                Err(AppError::Side(format!("`{side}` is neither a plugin file nor a plugin: {error}")))
            }
        }
    }
}
