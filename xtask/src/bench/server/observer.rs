//! What watching does to what is measured.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    load::{get, post},
    served::Server,
};
use crate::{
    bench::measure::median,
    failure::{Failure, Outcome},
};

/// Pairs of runs. The third and the third last shift are then an interval of 96 % for their median, by the binomial distribution.
const PAIRS: usize = 12;

/// How much the median of a benchmark moves while somebody watches, whom `watch` lets begin and end: runs with and without take
/// turns.
pub(super) fn observer_effect(
    server: &Server,
    watch: &mut dyn FnMut(bool) -> Outcome<()>,
) -> Outcome<String> {
    let mut measured = |watched: bool| -> Outcome<f64> {
        watch(watched)?;
        let body = r#"{"benchmarks": ["sum"], "params": {"n": 100000}, "stop": {"rule": "time", "launches": 3, "budget_ns": 900000000}}"#;
        let accepted = post(&server.address, "/api/runs", body)?;
        let id = accepted["id"].as_str().unwrap_or_default().to_owned();
        let path = format!("/api/runs/{id}");
        let deadline = Instant::now() + Duration::from_secs(120);
        while Instant::now() < deadline {
            thread::sleep(Duration::from_millis(500));
            let record = get(&server.address, &path)?;
            if record["status"] == "completed" {
                let median = record["cases"][0]["metrics"][0]["median"].as_f64();
                return median
                    .ok_or_else(|| Failure::new(format!("run {id} has no time: {}", record["cases"])));
            }
        }
        Err(Failure::new(format!("run {id} did not end")))
    };
    let mut shifts = Vec::new();
    for pair in 0..PAIRS {
        // By turns in either order: a machine that drifts would favour one.
        let first = pair % 2 == 0;
        let (one, other) = (measured(first)?, measured(!first)?);
        let (with, without) = if first { (one, other) } else { (other, one) };
        shifts.push(100.0 * (with / without - 1.0));
    }
    let middle = median(&mut shifts);
    Ok(format!(
        "{middle:+.2} % (median of {PAIRS} pairs; 96 % interval {:+.2} to {:+.2} %)",
        shifts[2],
        shifts[PAIRS - 3]
    ))
}
