//! Building the two programs of the product: `dyno` and the worker beside it.

use std::path::PathBuf;

use crate::{
    failure::Outcome,
    plugins,
    process::{self, say},
    project::Project,
    setup::DuckDb,
};

/// Builds `dyno` and `dyno-worker`; and what encodes components along with them, because it shares their dependencies
/// only where Cargo sees all of them at once. Returns the path of `dyno`.
pub(crate) fn build(project: &Project, duckdb: &DuckDb) -> Outcome<PathBuf> {
    say("building the host and its worker (the first time takes minutes)");
    let mut command = project.cargo("build");
    command.args(["--release", "--locked", "-p", "dyno-host", "-p", "dyno-worker", "-p", plugins::ENCODER]);
    duckdb.tell(&mut command);
    process::run(&mut command)?;
    Ok(project.release().join("dyno"))
}
