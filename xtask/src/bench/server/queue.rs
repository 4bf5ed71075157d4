//! A long queue: the start of a server over what a killed one left.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{
    load::{Connection, get},
    served::{Server, filled},
};
use crate::{
    bench::{
        host::Host,
        table::{row, time},
    },
    failure::{Failure, Outcome},
};

/// As many as a server takes.
const WAITING: u32 = 990;
/// How long one run may be turned away for.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn rows(host: &Host, scratch: &Path) -> Outcome<Vec<Vec<String>>> {
    let database = filled(host, scratch, 1)?;
    let server = Server::start(host, scratch, &database)?;
    let submit = |body: &str| -> Outcome<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // A refusal may end its connection.
            match Connection::open(&server.address)?.ask("POST", "/api/runs", body)? {
                (201, _) => return Ok(()),
                // Faster than one caller may be.
                (429, _) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
                (status, _) => return Err(Failure::new(format!("a run was answered with {status}"))),
            }
        }
    };
    submit(
        r#"{"benchmarks": ["sum"], "params": {"n": 1000}, "stop": {"rule": "time", "launches": 5, "budget_ns": 600000000000}}"#,
    )?;
    for _ in 0..WAITING {
        submit(r#"{"benchmarks": ["noop"]}"#)?;
    }
    // As after a power failure: nothing is folded into the file.
    drop(server);
    let begin = Instant::now();
    let server = Server::start(host, scratch, &database)?;
    get(&server.address, "/readyz")?;
    let ready = begin.elapsed().as_secs_f64() * 1e9;
    let waiting = get(&server.address, "/api/queue")?["waiting"].as_array().map_or(0, Vec::len);
    if waiting < WAITING as usize - 10 {
        return Err(Failure::new(format!("{waiting} of {WAITING} runs are left after a restart")));
    }
    Ok(vec![row([
        &format!("killed with {WAITING} waiting runs: from exec to the first answer of `/readyz`"),
        &time(ready),
        "≤ 300 ms",
    ])])
}
