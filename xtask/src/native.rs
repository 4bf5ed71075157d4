//! The one native build: host, worker, plugins and the encoder of components, in a single call of Cargo.

use std::path::PathBuf;

use crate::{
    failure::Outcome,
    process::{self, say},
    project::Project,
    setup::DuckDb,
};

/// What that build leaves behind, all beside each other.
#[derive(Debug)]
pub(crate) struct Native {
    /// The folder.
    pub(crate) folder: PathBuf,
}

impl Native {
    /// The host.
    pub(crate) fn dyno(&self) -> PathBuf {
        self.folder.join("dyno")
    }

    /// Its worker, which it looks for beside itself.
    pub(crate) fn worker(&self) -> PathBuf {
        self.folder.join("dyno-worker")
    }

    /// What asks drivers, which it looks for there as well.
    pub(crate) fn probe(&self) -> PathBuf {
        self.folder.join("dyno-probe")
    }

    /// What makes components of core modules.
    pub(crate) fn encoder(&self) -> PathBuf {
        self.folder.join("xtask-componentize")
    }
}

/// Builds everything native.
///
/// Cargo chooses the features of a crate by what is built together, so a build of the host alone and a test of the
/// whole workspace would each compile wasmtime and arrow for themselves. This builds the whole workspace, and the one
/// test target makes Cargo count the dependencies of tests in: `cargo test --workspace` finds everything compiled.
pub(crate) fn build(project: &Project, duckdb: &DuckDb) -> Outcome<Native> {
    say("building host, worker and native plugins (the first time takes minutes)");
    let mut command = project.cargo("build");
    command.args(["--release", "--locked", "--workspace", "--lib", "--bins", "--test", "boundaries"]);
    duckdb.tell(&mut command);
    process::run(&mut command)?;
    Ok(Native { folder: project.metadata.target.join("release") })
}
