//! Lists whose parameters vary from question to question, so that no kept answer helps: on a quiet server, and while a run
//! writes.

use super::{
    load::{Load, post},
    served::Server,
};
use crate::{bench::table::row, failure::Outcome};

/// A path for each number, of thousands of different ones.
type Paths = fn(u64) -> String;

/// Rates and latencies.
pub(super) fn rows(server: &Server) -> Outcome<Vec<Vec<String>>> {
    let lists: [(&str, Paths); 2] = [("/api/benchmark/query", results), ("/api/runs", runs)];
    let mut rows = Vec::new();
    let mut measure = |when: &str, connections, aim| -> Outcome<()> {
        for (name, paths) in lists {
            let load = Load::on(&server.address, &paths, connections)?;
            let what =
                format!("`GET {name}?limit=100` with parameters that vary, {connections} connections{when}");
            rows.push(row([&what, &load.shown(), aim]));
        }
        Ok(())
    };
    for connections in [1, 8, 16] {
        measure("", connections, if connections == 1 { "" } else { "≥ 2,000/s, p99 ≤ 10 ms" })?;
    }
    let run = begin(server)?;
    measure(", while a run writes", 8, "≥ 1,000/s, p99 ≤ 20 ms")?;
    post(&server.address, &format!("/api/runs/{run}/cancel"), "{}")?;
    Ok(rows)
}

/// Starts a run of many short cases, each of which is written when it ends. Returns its identifier.
fn begin(server: &Server) -> Outcome<String> {
    let sizes: Vec<String> = (1..=2_000).map(|size: u32| size.to_string()).collect();
    let body = format!(
        r#"{{"benchmarks": ["sum"], "params": {{"n": [{}]}}, "stop": {{"rule": "samples", "launches": 1, "per_launch": 5}}}}"#,
        sizes.join(",")
    );
    Ok(post(&server.address, "/api/runs", &body)?["id"].as_str().unwrap_or_default().to_owned())
}

fn results(number: u64) -> String {
    let number = scattered(number);
    let mut path = format!("/api/benchmark/query?limit={}", 80 + number % 41);
    for (bit, parameter) in [
        (8, format!("&model=kernel_{}", number % 10)),
        (9, format!("&batch_size={}", 1 << (number % 6))),
        (10, "&hardware=cpu".to_owned()),
    ] {
        if number >> bit & 1 == 1 {
            path.push_str(&parameter);
        }
    }
    path
}

fn runs(number: u64) -> String {
    let number = scattered(number);
    let filter = ["", "&status=completed", "&tag=nightly", "&benchmark=kernel_7"][(number >> 8 & 3) as usize];
    let order = ["newest", "oldest"][(number >> 10 & 1) as usize];
    format!("/api/runs?limit={}&offset={}&order={order}{filter}", 80 + number % 41, number % 50)
}

/// Another number, so that neighbours ask for different things.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn questions_vary() {
        for paths in [results, runs] {
            let different: HashSet<String> = (0..10_000).map(paths).collect();
            // A server keeps 512 answers.
            assert!(different.len() > 2_000, "{}", different.len());
        }
    }
}
