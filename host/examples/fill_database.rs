//! Makes a database as a server has it after a long time, for `cargo xtask bench server`.
//!
//! `cargo run --release -p dyno-host --example fill_database -- FILE RUNS [CASES [SAMPLES [NOISE]]]`, with so many cases of
//! each run (100) and samples of each case (10), whose times vary by so many nanoseconds at random (1: not at all).

use std::{error::Error, path::Path};

use dyno_core::model::RunRecord;
use dyno_host::store::Store;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(runs)) = (arguments.next(), arguments.next()) else {
        return Err("usage: fill_database FILE RUNS".into());
    };
    let mut number = |usual: u32| arguments.next().map_or(Ok(usual), |text| text.parse());
    let (runs, cases, samples, noise): (u32, u32, u32, u32) =
        (runs.parse()?, number(100)?, number(10)?, number(1)?);
    // The tables are made by those who know them.
    drop(Store::open(Path::new(&path))?);
    let record: RunRecord = serde_json::from_str(include_str!("../src/export/testdata/record.json"))?;
    let mut launch = record.cases[0].launches[0].clone();
    launch.samples.clear();
    let environment = std::mem::take(&mut launch.environment);
    let quoted = |text: String| format!("'{}'", text.replace('\'', "''"));
    let sql = include_str!("fill_database.sql")
        .replace("RUNS", &runs.to_string())
        .replace("CASES", &cases.to_string())
        .replace("SAMPLES", &samples.to_string())
        .replace("NOISE", &noise.to_string())
        .replace("SPEC", &quoted(serde_json::to_string(&record.spec)?))
        .replace("MACHINE", &quoted(serde_json::to_string(&record.machine)?))
        .replace("ENVIRONMENT", &quoted(serde_json::to_string(&environment)?))
        .replace("LAUNCH", &quoted(serde_json::to_string(&launch)?));
    dyno_duckdb::open()?;
    #[expect(clippy::disallowed_methods, reason = "the library is open")]
    let connection = duckdb::Connection::open(&path)?;
    connection.execute_batch(&sql)?;
    Ok(())
}
