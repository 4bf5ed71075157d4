//! `cargo xtask demo`: from nothing to results, on one command.

use std::time::Instant;

use crate::{
    plugins, setup,
    shell::{self, say},
};

pub(crate) fn run(bundled: bool) -> Result<(), String> {
    let begin = Instant::now();
    let tools = setup::run(bundled)?;
    build_host(bundled)?;
    let plugins = plugins::run(&tools)?;
    let results = shell::root().join("dyno-results");
    say("running examples/suites/quick.toml: every benchmark, native and WASM");
    shell::run(
        shell::command(shell::release().join("dyno"))
            .args(["run", "--suite", "examples/suites/quick.toml", "--engine", "all", "--plugins"])
            .arg(&plugins)
            .arg("--output")
            .arg(&results)
            .arg("--db-path")
            .arg(results.join("dyno.duckdb"))
            .stdin(std::process::Stdio::inherit()),
    )?;
    say(&format!(
        "done in {:.0} s; the binary is {}",
        begin.elapsed().as_secs_f64(),
        shell::release().join("dyno").display()
    ));
    Ok(())
}

/// `dyno`, and `dyno-worker` beside it.
pub(crate) fn build_host(bundled: bool) -> Result<(), String> {
    say("building the host and its worker (the first time takes some minutes)");
    let features: &[&str] = if bundled { &["--features", "dyno-host/bundled"] } else { &[] };
    shell::run(
        shell::cargo()
            .args(["build", "--release", "--locked", "--package", "dyno-host", "--package", "dyno-worker"])
            .args(features),
    )
}
