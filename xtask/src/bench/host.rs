//! `dyno` itself as the thing that is measured: built, with its plugins, and asked in JSON.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    failure::{Failure, Outcome},
    native::{self, Native},
    options::Options,
    plugins, process,
    project::{Project, make_folder, read},
    setup::{self, DuckDb, Tools},
};

/// A built host with all plugins.
#[derive(Debug)]
pub(super) struct Host {
    /// The checkout.
    pub(super) project: Project,
    /// What builds peers in C.
    pub(super) tools: Tools,
    /// How the host gets DuckDB.
    pub(super) duckdb: DuckDb,
    /// What was built.
    pub(super) native: Native,
    scratch: PathBuf,
}

impl Host {
    /// Builds an example, which measures from inside: a whole process would measure its own start.
    pub(super) fn example(&self, name: &str) -> Outcome<PathBuf> {
        let mut command = self.project.cargo("build");
        // The same features as everything else, for the reason given in `native`.
        command.args(["--release", "--locked", "--workspace", "--test", "boundaries", "--example", name]);
        self.duckdb.tell(&mut command);
        process::run(&mut command)?;
        Ok(self.native.folder.join("examples").join(name))
    }

    /// Builds everything.
    pub(super) fn build(options: &Options) -> Outcome<Self> {
        let project = Project::open()?;
        let duckdb = setup::host(&project, options)?;
        let tools = setup::tools(&project);
        let native = native::build(&project, &duckdb)?;
        plugins::build(&project, &tools, &native)?;
        let scratch = project.metadata.target.join("bench");
        make_folder(&scratch)?;
        Ok(Self { project, tools, duckdb, native, scratch })
    }

    /// A folder for what benches build and write.
    pub(super) fn scratch(&self) -> &PathBuf {
        &self.scratch
    }

    /// A `dyno` command as it is.
    pub(super) fn bare_dyno(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.native.dyno());
        command.args(arguments);
        command
    }

    /// A `dyno` command that sees our plugins and a database of its own.
    pub(super) fn dyno(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare_dyno(arguments);
        command.arg("--plugins").arg(self.project.plugins());
        command.arg("--db-path").arg(self.scratch.join("bench.duckdb"));
        command.arg("--output").arg(self.scratch.join("results"));
        command
    }

    /// Runs benchmarks and returns the cases of the result.
    pub(super) fn cases(&self, arguments: &[&str]) -> Outcome<Vec<Value>> {
        // The database would grow from bench to bench, and its size is part of nothing that is measured here.
        for ending in ["duckdb", "duckdb.wal"] {
            let _ = fs::remove_file(self.scratch.join("bench").with_extension(ending));
        }
        let mut command = self.dyno(&["run"]);
        command.args(arguments).arg("--json").stdin(Stdio::null()).stderr(Stdio::null());
        let asked = arguments.join(" ");
        let output = command.output().map_err(|error| {
            Failure::new(format!("`{}` cannot be started: {error}", self.native.dyno().display()))
        })?;
        let mut record: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::new(format!("`dyno run {asked}` printed no result: {error}")))?;
        let Value::Array(cases) = record["cases"].take() else {
            return Err(Failure::new(format!("the result of `dyno run {asked}` has no cases")));
        };
        for case in &cases {
            if case["status"]["state"] != "completed" {
                let what = format!("`dyno run {asked}`: {} ended as {}", case["benchmark"], case["status"]);
                return Err(Failure::new(what));
            }
        }
        Ok(cases)
    }
}

/// Makes a build differ from its copies by a byte behind its end, which nobody reads: between two sides that are the same file,
/// dyno withdraws every alarm.
pub(super) fn make_another_file(build: &Path) -> Outcome<()> {
    let mut bytes = read(build)?;
    bytes.push(0);
    fs::write(build, bytes).map_err(|error| Failure::file("write", build, &error))
}

/// The length of a stage in every launch of a case [ns].
pub(super) fn stage(case: &Value, name: &str) -> Vec<f64> {
    let launches = case["launches"].as_array().into_iter().flatten();
    launches
        .filter_map(|launch| {
            let stages = launch["stages"].as_array()?;
            stages.iter().find(|stage| stage[0] == name)?[1].as_f64()
        })
        .collect()
}

/// The median of a case's time [ns].
pub(super) fn median_time(case: &Value) -> Outcome<f64> {
    median_metric(case, "time")
}

/// The median of a metric of a case, in the metric's unit.
pub(super) fn median_metric(case: &Value, name: &str) -> Outcome<f64> {
    let metrics = case["metrics"].as_array().into_iter().flatten();
    metrics
        .filter(|metric| metric["name"] == name)
        .find_map(|metric| metric["median"].as_f64())
        .ok_or_else(|| Failure::new(format!("{} has no {name} in the result", case["benchmark"])))
}
