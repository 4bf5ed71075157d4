//! What a command costs before it does anything; what a launch costs before the plugin's own code runs, from spawning the worker
//! to a loaded plugin; and how much of a comparison's time is spent measuring.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::{
    Bench, Needs,
    host::{Host, make_another_file, stage},
    measure::{median, program},
    table::{row, table, time},
};
use crate::{
    failure::{Failure, Outcome},
    process,
    project::make_folder,
};

pub(super) const BENCH: Bench =
    Bench { name: "startup", title: "Start of dyno and of a worker", needs: Needs::Nothing, run };

/// Launches per form: enough for a median that does not jump.
const LAUNCHES: &str = "40";
/// Comparisons of equal builds.
const COMPARISONS: usize = 9;

fn run(host: &Host) -> Outcome<String> {
    // The first run of a component compiles it; what counts is every later one.
    let arguments = ["hello-rust/sum", "--engine", "all", "--samples", "1", "--launches"];
    host.cases(&[&arguments[..], &["2"]].concat())?;
    let cases = host.cases(&[&arguments[..], &[LAUNCHES]].concat())?;
    let mut rows = vec![row(["what", "median", "aim"])];
    for case in &cases {
        let native = case["plugin"]["kind"] == "native";
        let (form, aim) =
            if native { ("native plugin", "≤ 1.5 ms") } else { ("cached WASM component", "≤ 1.5 ms") };
        let mut spawn = stage(case, "spawn");
        let mut both: Vec<f64> =
            spawn.iter().zip(stage(case, "load")).map(|(spawn, load)| spawn + load).collect();
        rows.push(row([&format!("{form}: spawn to plugin loaded"), &time(median(&mut both)), aim]));
        rows.push(row([&format!("{form}: of that, spawn and handshake"), &time(median(&mut spawn)), ""]));
    }
    let version = program(200, || host.dyno(&["--version"]))?;
    rows.push(row(["start and end of `dyno --version`", &time(version), "≤ 3 ms"]));
    let floor = program(200, || Command::new("true"))?;
    let (mut measured, mut called): (Vec<f64>, Vec<f64>) = measuring(host)?.into_iter().unzip();
    let share = |of: &mut Vec<f64>| format!("{:.0} %", 100.0 * median(of));
    rows.push(row([
        "`dyno ab` of equal builds: share of its pairs' time inside timed calls",
        &share(&mut measured),
        "≥ 75 %",
    ]));
    rows.push(row([
        "the same, with the calls that find the number of iterations and warm up; the rest is starting and ending launches",
        &share(&mut called),
        "",
    ]));
    rows.push(row(["floor: start and end of `true`", &time(floor), ""]));
    let links_duckdb = |program: &Path| {
        let libraries = process::output_if_any(Command::new("ldd").arg(program)).unwrap_or_default();
        if libraries.contains("duckdb") { "links DuckDB: it must not" } else { "does not link DuckDB" }
    };
    let (dyno, worker) = (links_duckdb(&host.native.dyno()), links_duckdb(&host.native.worker()));
    Ok(format!("{}\n`dyno` {dyno}. The worker {worker}.\n", table(&rows)))
}

/// Shares of time that comparisons of two equal builds of a small plugin spend inside timed calls, and inside all calls.
fn measuring(host: &Host) -> Outcome<Vec<(f64, f64)>> {
    let folder = host.scratch().join("startup");
    make_folder(&folder)?;
    let builds = ["baseline.so", "candidate.so"].map(|name| folder.join(name));
    let plugin = host.project.plugins().join("hello-rust.so");
    for build in &builds {
        fs::copy(&plugin, build).map_err(|error| Failure::file("write", build, &error))?;
    }
    make_another_file(&builds[1])?;
    let share = |_| {
        let mut command = host.dyno(&["ab", "--budget", "3s", "--json"]);
        let output = command.args(&builds).output();
        let output = output.map_err(|error| Failure::new(format!("`dyno ab` cannot be started: {error}")))?;
        let comparison: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::new(format!("`dyno ab` printed no comparison: {error}")))?;
        let pairs = &comparison["cases"][0]["pairs"];
        let time = |name: &str| pairs[name].as_f64();
        match (time("measured_ns"), time("warm_up_ns"), time("elapsed_ns")) {
            (Some(measured), Some(warm_up), Some(elapsed)) => {
                Ok((measured / elapsed, (measured + warm_up) / elapsed))
            }
            _ => Err(Failure::new("`dyno ab` compared nothing")),
        }
    };
    (0..COMPARISONS).map(share).collect()
}
