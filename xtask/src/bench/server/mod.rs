//! The server under load, and what it does to what it measures. The load generator runs beside it, on the same processors.

mod abuse;
mod backup;
mod dashboard;
mod growth;
pub(super) mod load;
mod memory;
mod observer;
mod queue;
mod reads;
pub(super) mod served;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use self::{
    load::{Load, get, ping, times},
    observer::observer_effect,
    served::{LARGE, SMALL, Server, filled},
};
use super::{
    Bench, Needs,
    host::Host,
    measure::median,
    table::{row, table, time},
};
use crate::{
    failure::{Failure, Outcome},
    project::make_folder,
};

pub(super) const ABUSE: Bench = abuse::BENCH;
pub(super) const BACKUP: Bench = backup::BENCH;
pub(super) const DASHBOARD: Bench = dashboard::BENCH;
pub(super) const GROWTH: Bench = growth::BENCH;
pub(super) const MEMORY: Bench = memory::BENCH;
pub(super) const MEMORY_HOUR: Bench = memory::HOUR;
pub(super) const BENCH: Bench = Bench { name: "server", title: "The server", needs: Needs::Nothing, run };

fn run(host: &Host) -> Outcome<String> {
    let scratch = host.scratch().join("server");
    make_folder(&scratch)?;
    let small = filled(host, &scratch, SMALL)?;
    let mut rows = vec![row(["what", "figure", "aim"])];
    let mut starts = times(0..5, |_| {
        let server = Server::start(host, &scratch, &small)?;
        get(&server.address, "/readyz")?;
        Ok(server)
    })?;
    rows.push(row(["from exec to the first answer of `/readyz`", &time(median(&mut starts)), "≤ 150 ms"]));
    let server = Server::start(host, &scratch, &small)?;
    rows.push(row(["resident memory, idle", &server.resident()?, "≤ 50 MB"]));
    rows.extend(loads(&server)?);
    rows.extend(reads::rows(&server)?);
    let mut first =
        times(101..301, |limit| get(&server.address, &format!("/api/benchmark/query?limit={limit}")))?;
    let what = "`GET /api/benchmark/query`, a question that nothing is kept of, with its connection: median";
    rows.push(row([what, &time(median(&mut first)), ""]));
    let mut pings = ping(&server.address, "/api/events/ws", 2_000)?;
    let middle = median(&mut pings);
    rows.push(row(["WebSocket ping and answer, median", &time(middle), "≤ 0.1 ms"]));
    rows.push(row(["resident memory, after all that", &server.resident()?, ""]));
    let shift = served_effect(&server)?;
    rows.push(row([
        "median of `sum` (n = 100,000) while 50 requests/s are served, against none",
        &shift,
        "< 1 %",
    ]));
    drop(server);
    rows.extend(queue::rows(host, &scratch)?);

    let large = filled(host, &scratch, LARGE)?;
    let questions = questions(&Server::start(host, &scratch, &large)?)?;
    Ok(format!(
        "{}\nWith {} stored results; the load generator runs beside the server on the same two processors. Answers are kept until \
         something is written, which is what the first rates show; where parameters vary, there are \
         many times as many different questions as answers are kept.\n\n{}",
        table(&rows),
        SMALL * 100,
        table(&questions)
    ))
}

/// Rates and latencies of the paths that a dashboard asks for.
fn loads(server: &Server) -> Outcome<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for (path, connections, aim) in [
        ("/api/benchmark/query?limit=100", 8, ""),
        ("/api/benchmark/query?model=kernel_3&hardware=cpu&batch_size=8", 8, ""),
        ("/api/benchmark/hardware", 8, "≥ 20,000/s"),
        ("/api/benchmark/models", 8, ""),
        ("/api/runs?limit=50", 8, ""),
        ("/healthz", 8, "the floor"),
    ] {
        let load = Load::on(&server.address, &|_| path.to_owned(), connections)?;
        let name = format!("`GET {path}`, {connections} connections");
        rows.push(row([&name, &load.shown(), aim]));
    }
    Ok(rows)
}

/// What single questions take of a large database.
fn questions(server: &Server) -> Outcome<Vec<Vec<String>>> {
    let mut questions = vec![row(["with 1,000,000 results and 10,000,000 samples", "median", "p95", "aim"])];
    for (name, path) in [
        ("newest results", "/api/benchmark/query?limit=LIMIT"),
        ("of a model", "/api/benchmark/query?model=kernel_3&limit=LIMIT"),
        (
            "of model, hardware and batch size",
            "/api/benchmark/query?model=kernel_3&hardware=cpu&batch_size=8&limit=LIMIT",
        ),
        ("runs", "/api/runs?limit=LIMIT"),
        ("runs with a tag", "/api/runs?tag=nightly&limit=LIMIT"),
        ("runs with a benchmark", "/api/runs?benchmark=kernel_3&limit=LIMIT"),
        ("a run", "/api/runs/last~LIMIT"),
        ("samples of a case", "/api/runs/last~LIMIT/cases/7/samples"),
        ("distribution of a case", "/api/runs/last~LIMIT/cases/7/distribution"),
        ("newest result of every case", "/api/series?recent=LIMIT"),
        ("a hundred rows of results", "/api/results?limit=100&offset=LIMIT"),
        ("the queue", "/api/queue?LIMIT"),
        ("baselines", "/api/baselines?LIMIT"),
    ] {
        // Another question every time: what is kept would answer in no time.
        let mut times =
            times(50..90, |limit| get(&server.address, &path.replace("LIMIT", &limit.to_string())))?;
        times.sort_by(f64::total_cmp);
        let p95 = times[times.len() * 95 / 100];
        questions.push(row([name, &time(median(&mut times)), &time(p95), "≤ 100 ms"]));
    }
    Ok(questions)
}

/// How much the median of a benchmark moves while requests are served.
fn served_effect(server: &Server) -> Outcome<String> {
    let asking = AtomicBool::new(false);
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let client = scope.spawn(|| -> Outcome<()> {
            while !ended.load(Ordering::Relaxed) {
                if asking.load(Ordering::Relaxed) {
                    get(&server.address, "/api/benchmark/query?limit=100")?;
                }
                thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        });
        let shift = observer_effect(server, &mut |watched| {
            asking.store(watched, Ordering::Relaxed);
            Ok(())
        });
        ended.store(true, Ordering::Relaxed);
        client.join().unwrap_or_else(|_| Err(Failure::new("the client panicked")))?;
        shift
    })
}
