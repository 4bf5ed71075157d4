//! Use cases of `dyno dev`: building what a developer edits, again and again, and comparing each build with an earlier one.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use dyno_core::model::{CaseRequest, Comparison, EngineChoice, TestOutcome};
use tempfile::TempDir;

use super::{builds::described, checks::CheckOptions, error::AppError, root::App, seed::seed};
use crate::{
    build::{BuildError, Project, Wish},
    catalog::{self, Entry},
    fault::{HostFault, Place, new_temporary_folder, temporary_folder},
    pool::Complaints,
    runner::{Cancel, CheckNews, Depth, DuelNews, DuelOptions},
};

/// Longest time of a stage of a trial launch.
const TRIAL: Duration = Duration::from_secs(30);

/// What a developer edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// Sources that dyno builds.
    Folder(PathBuf),
    /// A plugin file that something else builds.
    File(PathBuf),
}

/// A build that works, with a copy of its file that no later build touches.
#[derive(Debug, Clone)]
pub struct DevBuild {
    /// Which build of this session, from 1.
    pub number: u32,
    /// The copy.
    pub entry: Entry,
}

/// Why a version of the sources cannot be measured. The builds before it are not affected.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be built, or is no plugin.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The plugin does not work.
    #[error("`{benchmark}` does not work: {why}")]
    Broken {
        /// The benchmark.
        benchmark: String,
        /// Stage and reason.
        why: String,
    },
    /// The host could not do its part.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<HostFault> for Unusable {
    fn from(fault: HostFault) -> Self {
        Self::App(fault.into())
    }
}

/// How sources are built.
#[derive(Debug, Clone, Copy)]
pub struct Tools {
    /// Which kind of plugin.
    pub engine: EngineChoice,
    /// Longest time of each tool.
    pub patience: Duration,
}

/// The builds of one session.
#[derive(Debug)]
pub struct Workshop<'a> {
    app: &'a App,
    edited: Edited,
    tools: Tools,
    /// Where the copies are. Removed at the end.
    copies: TempDir,
    begun: u32,
}

impl App {
    /// Begins a session with a folder of sources or a plugin file.
    ///
    /// # Errors
    /// When there is no such folder or file, the folder does not say how it is built, or there is no room for copies.
    pub fn workshop(&self, what: &Path, tools: Tools) -> Result<Workshop<'_>, Unusable> {
        let edited = if what.is_dir() {
            Edited::Folder(Project::open(what)?.folder().to_owned())
        } else {
            let file = fs::canonicalize(what)
                .map_err(|source| BuildError::NoFolder { folder: what.to_owned(), source })?;
            Edited::File(file)
        };
        let copies = new_temporary_folder(&temporary_folder(), "dyno-dev-")?;
        Ok(Workshop { app: self, edited, tools, copies, begun: 0 })
    }
}

impl Workshop<'_> {
    /// What is edited.
    #[must_use]
    pub fn edited(&self) -> &Edited {
        &self.edited
    }

    /// The number that the next build has.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.begun + 1
    }

    /// Builds what is there now and copies the plugin. Messages of the tools are appended to the file.
    ///
    /// # Errors
    /// When it cannot be built, or is no plugin that this dyno can run.
    pub fn build(&mut self, messages: &File, cancelled: &dyn Fn() -> bool) -> Result<DevBuild, Unusable> {
        self.begun += 1;
        let made = match &self.edited {
            Edited::Folder(folder) => {
                let wish = Wish {
                    engine: self.tools.engine,
                    messages: Complaints::Kept(messages),
                    patience: self.tools.patience,
                    cancelled,
                };
                // One of them is measured: a native build comes first.
                let made = Project::open(folder)?.build(&wish)?.into_iter().next();
                made.ok_or_else(|| BuildError::NoToolchain(folder.clone()))?
            }
            Edited::File(file) => file.clone(),
        };
        let name = made.file_name().unwrap_or_default().to_owned();
        let copy = self.copies.path().join(self.begun.to_string());
        let refused =
            |error| HostFault::new(format!("cannot copy `{}`", made.display()), &error, Place::Temporary);
        fs::create_dir(&copy).map_err(refused)?;
        let copy = copy.join(name);
        fs::copy(&made, &copy).map_err(refused)?;
        // What is built here runs here.
        let entry = described(catalog::admitted_file(&copy, &self.app.settings.trust.value), &made)?;
        Ok(DevBuild { number: self.begun, entry })
    }

    /// Removes the copy of a build that is not needed any more.
    pub fn forget(&self, build: &DevBuild) {
        // What cannot be removed now is removed with the folder.
        let _ = fs::remove_dir_all(self.copies.path().join(build.number.to_string()));
    }

    /// Launches benchmarks of a build once, in a fresh worker each.
    ///
    /// # Errors
    /// When one does not work, or the host cannot do its part.
    pub fn try_out(
        &self,
        build: &DevBuild,
        requests: &[CaseRequest],
        cancel: &Cancel,
    ) -> Result<(), Unusable> {
        let options = CheckOptions {
            benchmarks: requests.iter().map(|request| request.benchmark.clone()).collect(),
            hardware: requests.first().map(|request| request.hardware.clone()).unwrap_or_default(),
            budget: TRIAL,
            seed: seed(None).0,
            depth: Depth::Life,
        };
        let path = build.entry.path.display().to_string();
        let report = self.app.checks().check(&[path], &options, cancel, &mut |_, _: CheckNews<'_>| {})?;
        let failed =
            report.files.into_iter().flat_map(|file| file.tests).find_map(|test| match test.outcome {
                TestOutcome::Failed { message } => Some((test.benchmark, message)),
                _ => None,
            });
        match failed {
            Some((benchmark, why)) => {
                let benchmark = benchmark.unwrap_or_else(|| build.entry.descriptor.plugin.id.clone());
                Err(Unusable::Broken { benchmark, why })
            }
            None => Ok(()),
        }
    }

    /// Compares a build with an earlier one.
    ///
    /// # Errors
    /// As [`super::Duels::ab`].
    pub fn compare(
        &self,
        (baseline, candidate): (&DevBuild, &DevBuild),
        requests: &[CaseRequest],
        options: &DuelOptions,
        cancel: &Cancel,
        told: &mut dyn FnMut(DuelNews<'_>),
    ) -> Result<Comparison, AppError> {
        self.app.duels().ab((&baseline.entry, &candidate.entry), requests, options, cancel, told)
    }
}
