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
    bench::measure::shift,
    failure::{Failure, Outcome},
};

/// Pairs of runs.
const PAIRS: usize = 12;

/// How much the median of a benchmark moves while somebody watches, whom `watch` lets begin and end: runs with and without take
/// turns.
pub(super) fn observer_effect(
    server: &Server,
    watch: &mut dyn FnMut(bool) -> Outcome<()>,
) -> Outcome<String> {
    let measured = |watched: bool| -> Outcome<f64> {
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
    shift(PAIRS, measured)
}
