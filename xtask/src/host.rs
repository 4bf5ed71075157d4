//! Building the two programs of the product: `dyno` and the worker beside it.

use std::path::PathBuf;

use crate::{
    failure::Outcome,
    process::{self, say},
    project::Project,
    setup::DuckDb,
};

/// Builds `dyno` and `dyno-worker`. Returns the path of `dyno`.
pub(crate) fn build(project: &Project, duckdb: &DuckDb) -> Outcome<PathBuf> {
    say("building the host and its worker (the first time takes minutes)");
    let mut command = project.cargo("build");
    command.args(["--release", "-p", "dyno-host", "-p", "dyno-worker"]);
    duckdb.tell(&mut command);
    process::run(&mut command)?;
    Ok(project.release().join("dyno"))
}
