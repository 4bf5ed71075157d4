//! Use cases: building a folder of sources, and putting what it makes where plugins are found.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dyno_core::model::PluginKind;

use super::{error::AppError, root::App};
use crate::{
    build::{BuildError, Project, Wish},
    catalog::{self, Entry, Problem},
    fault::{HostFault, Place},
    user_file,
};

/// Building plugins.
#[derive(Debug, Clone, Copy)]
pub struct Builds<'a>(&'a App);

impl App {
    /// The use cases of building.
    #[must_use]
    pub fn builds(&self) -> Builds<'_> {
        Builds(self)
    }
}

impl Builds<'_> {
    /// Builds a folder, and reads the plugins that were made. None of their code runs.
    ///
    /// # Errors
    /// When a tool is missing or fails, or what it made is no plugin that this dyno can run.
    pub fn build(&self, project: &Project, wish: &Wish<'_>) -> Result<Vec<Entry>, BuildError> {
        let files = project.build(wish)?;
        let trust = &self.0.settings.trust.value;
        files.iter().map(|file| described(catalog::read_file(file, trust), file)).collect()
    }

    /// Copies plugin files into the folder where the next command finds them, under their identifiers. Gives their places. A
    /// process that reads the folder meanwhile sees the file before or the new one, never half of it.
    ///
    /// # Errors
    /// When there is no such folder, or it cannot be written to.
    pub fn publish(&self, entries: &[Entry]) -> Result<Vec<PathBuf>, AppError> {
        let folder = self.0.settings.folder_for_plugins()?;
        let refused = |doing: String, error| HostFault::new(doing, &error, Place::Named);
        fs::create_dir_all(&folder)
            .map_err(|error| refused(format!("cannot make the folder `{}`", folder.display()), error))?;
        let mut places = Vec::new();
        for entry in entries {
            let ending = match entry.kind {
                PluginKind::Native => std::env::consts::DLL_EXTENSION,
                PluginKind::Wasm => "wasm",
            };
            let place = folder.join(format!("{}.{ending}", entry.descriptor.plugin.id));
            let bytes = fs::read(&entry.path)
                .map_err(|error| refused(format!("cannot read `{}`", entry.path.display()), error))?;
            user_file::write_whole(&place, &bytes, Place::Named)?;
            places.push(place);
        }
        Ok(places)
    }
}

/// The plugin in a file that is a copy of the built one, or that one itself, if this dyno can run it.
pub(super) fn described(found: Result<Entry, Problem>, built: &Path) -> Result<Entry, BuildError> {
    let refused = |why: String| BuildError::NotAPlugin { file: built.to_owned(), why };
    let entry = found.map_err(|problem| refused(problem.message))?;
    match &entry.incompatible {
        None => Ok(entry),
        Some(why) => Err(refused(why.clone())),
    }
}
