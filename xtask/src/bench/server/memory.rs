//! Memory of a server that is asked everything, for ten minutes and for an hour.

use std::time::{Duration, Instant};

use super::{
    load::{Connection, get},
    served::{SMALL, Server, filled},
};
use crate::{
    bench::{
        Bench, Needs,
        host::Host,
        table::{row, table},
    },
    failure::{Failure, Outcome},
    project::make_folder,
};

pub(super) const BENCH: Bench = Bench {
    name: "memory",
    title: "Memory of a server under mixed load",
    needs: Needs::Nothing,
    run: |host| run(host, 10),
};

pub(super) const HOUR: Bench = Bench {
    name: "memory-hour",
    title: "Memory of a server under an hour of mixed load",
    needs: Needs::Nothing,
    run: |host| run(host, 60),
};

/// Approximate number of rows of the table.
const ROWS: u64 = 10;

fn run(host: &Host, minutes: u64) -> Outcome<String> {
    let scratch = host.scratch().join("memory");
    make_folder(&scratch)?;
    let database = filled(host, &scratch, SMALL)?;
    let server = Server::start(host, &scratch, &database)?;
    let runs: Vec<String> = get(&server.address, "/api/runs?limit=100")?
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|run| run["id"].as_str().map(str::to_owned))
        .collect();
    if runs.len() < SMALL as usize {
        return Err(Failure::new(format!("{} of {SMALL} runs are listed", runs.len())));
    }
    let mut rows = vec![row(["after", "questions", "runs", "resident memory"])];
    rows.push(row(["its start", "0", "0", &server.resident()?]));
    let begin = Instant::now();
    let (mut asked, mut carried_out) = (0_u64, 0_u64);
    let mut connections = (0..8).map(|_| Connection::open(&server.address)).collect::<Outcome<Vec<_>>>()?;
    for minute in 1..=minutes {
        while begin.elapsed() < Duration::from_secs(60 * minute) {
            // All connections at once: each asks before any is answered.
            for connection in &mut connections {
                asked += 1;
                connection.tell("GET", &question(asked, &runs), "")?;
            }
            for connection in &mut connections {
                let status = connection.answer()?.0;
                if status != 200 {
                    return Err(Failure::new(format!("a question was answered with {status}")));
                }
            }
            if asked % 4_000 == 0 {
                carried_out += 1;
                let body = r#"{"benchmarks": ["sum"], "stop": {"rule": "samples", "launches": 2, "per_launch": 50}}"#;
                Connection::open(&server.address)?.ask("POST", "/api/runs", body)?;
            }
        }
        if minute > 1 && minute % (minutes / ROWS) != 0 {
            continue;
        }
        let name = if minute == 1 { "a minute".to_owned() } else { format!("{minute} minutes") };
        rows.push(row([&name, &asked.to_string(), &carried_out.to_string(), &server.resident()?]));
    }
    Ok(format!(
        "{}\nGoals: at most 200 MB, and flat; idle at most 50 MB. {} results are stored at the start. Eight connections ask for \
         lists, runs with and without samples, the queue, the hardware, histories and metrics, most questions other than the \
         last ones; runs are carried out meanwhile.\n",
        table(&rows),
        SMALL * 100
    ))
}

/// One of many questions, also about these runs of a hundred cases.
fn question(number: u64, runs: &[String]) -> String {
    let some = number / 10;
    let run = &runs[some as usize % runs.len()];
    match number % 10 {
        0 => format!("/api/benchmark/query?limit={}", 50 + some % 50),
        1 => format!("/api/runs?limit=50&offset={}", some % 50),
        2 => format!("/api/runs/{run}"),
        3 => format!("/api/runs/{run}?samples=true"),
        4 => format!("/api/runs/{run}/cases/{}/samples", some % 100),
        5 => "/api/queue".to_owned(),
        6 => format!("/api/benchmark/query?model=kernel_{}&limit={}", some % 10, 1 + some % 100),
        7 => "/api/benchmark/hardware".to_owned(),
        8 => "/metrics".to_owned(),
        _ => format!("/api/history/kernel_{}", some % 10),
    }
}
