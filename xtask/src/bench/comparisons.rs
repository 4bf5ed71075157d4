//! Ten thousand stored cases compared, ten thousand points searched for changes.

use std::process::Command;

use serde_json::{Map, Value};

use super::{
    Bench, Needs,
    host::Host,
    table::{row, table, time},
};
use crate::{
    failure::{Failure, Outcome},
    process,
};

pub(super) const BENCH: Bench =
    Bench { name: "comparisons", title: "Verdicts on what is stored", needs: Needs::Nothing, run };

/// The example that measures.
const EXAMPLE: &str = "verdict_speed";

fn run(host: &Host) -> Outcome<String> {
    let text = process::output(&mut Command::new(host.example(EXAMPLE)?))?;
    let figures: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("the example `{EXAMPLE}` printed no JSON: {error}")))?;
    let mut rows = vec![row(["what", "time", "aim"])];
    for (key, what) in [
        ("compare_10000_cases_of_5_metrics", "10,000 cases of 5 metrics and 5 launches compared"),
        ("change_points_in_10000_with_steps", "10,000 points with nine steps searched for changes"),
        ("change_points_in_10000_flat", "10,000 points without any"),
    ] {
        let milliseconds = figures[key].as_f64().unwrap_or(f64::NAN);
        rows.push(row([what, &time(milliseconds * 1e6), "≤ 50 ms"]));
    }
    Ok(table(&rows))
}
