//! `cargo xtask demo`: from a fresh checkout to results in a database, with every plugin, native and WASM.

use std::process::Command;

use crate::{
    failure::{Failure, Outcome},
    native,
    options::Options,
    plugins,
    process::{self, say},
    project::Project,
    setup,
};

/// The suite that is run.
const SUITE: &str = "examples/suites/quick.toml";

/// Where results go, from the root of the checkout.
const RESULTS: &str = "dyno-results";

/// `cargo xtask demo`. Further arguments go to `dyno run`.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let project = Project::open()?;
    let duckdb = setup::host(&project, options)?;
    let tools = setup::tools(&project);
    let native = native::build(&project, &duckdb)?;
    plugins::build(&project, &tools, &native)?;

    let results = project.root.join(RESULTS);
    let database = results.join("dyno.duckdb");
    let report = results.join("report.md");
    // The same folders for every call, so that whatever the user has configured does not get in the way.
    let dyno = |arguments: &[&str]| {
        let mut command = Command::new(native.dyno());
        command.args(arguments).current_dir(&project.root);
        command.arg("--plugins").arg(project.plugins());
        command.arg("--db-path").arg(&database).arg("--output").arg(&results);
        command
    };
    say(&format!("running {SUITE} over native and WASM plugins"));
    let ran = process::run(dyno(&["run", "--suite", SUITE, "--engine", "all"]).args(&options.rest));
    say("writing the report");
    process::run(&mut dyno(&[
        "report",
        "last",
        "--format",
        "markdown",
        &format!("--file={}", report.display()),
    ]))?;

    println!();
    println!("  report    {}", report.display());
    println!("  results   {}", results.display());
    println!("  database  {}", database.display());
    println!("  plugins   {}", project.plugins().display());
    println!("  next      {} --help", native.dyno().display());
    ran.map_err(|_| {
        Failure::new("not every benchmark of the demo completed").next("the table above says which, and why")
    })
}
