//! `dyno devices` as a whole process, with and without what is known of the drivers, and a lease that nobody else wants.

use std::process::Command;

use serde_json::{Map, Value};

use super::{
    Bench, Needs,
    host::Host,
    measure::program,
    table::{row, table, time},
};
use crate::{
    failure::{Failure, Outcome},
    process,
    project::make_folder,
};

pub(super) const BENCH: Bench =
    Bench { name: "devices", title: "Devices and leases", needs: Needs::Nothing, run };

/// The example that measures.
const EXAMPLE: &str = "lease_speed";

fn run(host: &Host) -> Outcome<String> {
    let scratch = host.scratch().join("devices");
    make_folder(&scratch)?;
    let dyno = |arguments: &[&str]| {
        let mut command = host.bare_dyno(arguments);
        command.env("DYNO_CACHE", scratch.join("cache")).env("DYNO_LEASES", scratch.join("leases"));
        command
    };
    let mut rows = vec![row(["what", "median", "aim"])];
    let warm = program(40, || dyno(&["devices"]))?;
    rows.push(row(["`dyno devices`, drivers known", &time(warm), "≤ 50 ms"]));
    let cold = program(10, || dyno(&["devices", "--refresh"]))?;
    rows.push(row(["`dyno devices --refresh`, every driver asked", &time(cold), ""]));
    let floor = program(40, || host.bare_dyno(&["--version"]))?;
    rows.push(row(["floor: `dyno --version`", &time(floor), ""]));
    for (name, milliseconds) in leases(host)? {
        let figure = milliseconds.as_f64().map_or_else(String::new, |ms| time(ms * 1e6));
        rows.push(row([&format!("lease that nobody else wants: {name}"), &figure, "≤ 1 ms"]));
    }
    let found = process::output(&mut dyno(&["devices", "--json"]))?;
    let found: Value = serde_json::from_str(&found)
        .map_err(|error| Failure::new(format!("`dyno devices` printed no JSON: {error}")))?;
    let names: Vec<&str> = found["devices"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|device| device["unavailable"].is_null())
        .filter_map(|device| device["name"].as_str())
        .collect();
    Ok(format!("{}\nAvailable on this machine: {}.\n", table(&rows), names.join(", ")))
}

fn leases(host: &Host) -> Outcome<Map<String, Value>> {
    let folder = host.scratch().join("devices").join("leases");
    let text = process::output(Command::new(host.example(EXAMPLE)?).arg(folder))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("the example `{EXAMPLE}` printed no JSON: {error}")))
}
