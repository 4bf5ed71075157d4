//! A million samples into the database, and the last run out of it again.

use std::process::Command;

use serde_json::{Map, Value};

use super::{
    Bench, Needs,
    host::Host,
    table::{table, time},
};
use crate::{
    failure::{Failure, Outcome},
    process,
};

pub(super) const BENCH: Bench =
    Bench { name: "store", title: "A million samples in the store", needs: Needs::Nothing, run };

/// The example that measures.
const EXAMPLE: &str = "store_speed";

fn run(host: &Host) -> Outcome<String> {
    let text = process::output(Command::new(host.example(EXAMPLE)?).arg(host.scratch()))?;
    let figures: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("the example `{EXAMPLE}` printed no JSON: {error}")))?;
    Ok(format!(
        "A million samples, in so many launches, each launch a transaction. Aims: committed in ≤ 2 s; the last run read \
         in ≤ 100 ms, opening the database included.\n\n{}",
        table(&rows(&figures))
    ))
}

/// A row per figure, a column per way of sharing the samples out.
fn rows(figures: &Map<String, Value>) -> Vec<Vec<String>> {
    let head = std::iter::once("what").chain(figures.keys().map(String::as_str)).map(str::to_owned);
    let mut rows = vec![head.collect::<Vec<_>>()];
    let names = figures.values().next().and_then(Value::as_object).into_iter().flat_map(Map::keys);
    for name in names {
        let cells = figures.values().map(|column| match column[name].as_f64() {
            Some(megabytes) if name.ends_with("_mb") => format!("{megabytes:.1} MB"),
            Some(milliseconds) => time(milliseconds * 1e6),
            None => String::new(),
        });
        rows.push(std::iter::once(name.clone()).chain(cells).collect());
    }
    rows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_become_rows_with_units() {
        let figures = json!({"1 launch": {"commit": 1200.0, "file_mb": 20.5}, "10 launches": {"commit": 900.0, "file_mb": 21.0}});
        let rows = rows(figures.as_object().unwrap());
        assert_eq!(rows[0], ["what", "1 launch", "10 launches"]);
        assert_eq!(rows[1], ["commit", "1.200 s", "900.0 ms"]);
        assert_eq!(rows[2], ["file_mb", "20.5 MB", "21.0 MB"]);
    }
}
