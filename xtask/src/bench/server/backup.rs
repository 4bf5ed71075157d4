//! A backup through a server while a run writes: how long it takes, how long the run is held up, and whether anything is lost.

use std::{
    fs::{self, File},
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    load::{Connection, get, post},
    served::{Server, Size, filled_with_noise},
};
use crate::{
    bench::{
        Bench, Needs,
        host::Host,
        measure::{exponent, median},
        table::{table, time},
    },
    failure::{Failure, Outcome},
    project::make_folder,
};

pub(super) const BENCH: Bench =
    Bench { name: "backup", title: "A backup while a run writes", needs: Needs::Nothing, run };

/// Samples of each of 1,000 cases.
const SIZES: [u32; 3] = [100, 1_000, 10_000];
/// Backups of each database.
const TIMES: usize = 5;

/// Differences of the times of samples [ns]. With these, a sample takes as much space as one that was measured.
const NOISE: u32 = 50_000_000;
/// Pause of the client between two commits, below the server's rate limit.
const PAUSE: Duration = Duration::from_millis(22);

/// What the backups of one database took.
struct Figures {
    samples: f64,
    megabytes: f64,
    /// Median [ns].
    whole: f64,
    /// The longest of all, by the server [ns].
    held: f64,
    /// The longest commit of the client while backups were made [ns].
    slowest: f64,
    /// Commits of the client that were acknowledged while backups were made.
    meanwhile: u64,
    /// Commits that were acknowledged before a backup, and are not in it. All backups together.
    lost: u64,
}

fn run(host: &Host) -> Outcome<String> {
    let scratch = host.scratch().join("backup");
    make_folder(&scratch)?;
    let all = SIZES.iter().map(|samples| measured(host, &scratch, *samples)).collect::<Outcome<Vec<_>>>()?;
    let mut rows = vec![vec!["samples".to_owned()]];
    rows[0].extend(all.iter().map(|it| format!("{:.0}", it.samples)));
    rows[0].push("exponent".to_owned());
    let mut row =
        |what: &str, value: &dyn Fn(&Figures) -> f64, shown: &dyn Fn(f64) -> String, grows: bool| {
            let mut row = vec![what.to_owned()];
            row.extend(all.iter().map(|it| shown(value(it))));
            let (first, last) = (&all[0], &all[all.len() - 1]);
            let power = exponent(value(first), value(last), last.samples / first.samples);
            row.push(if grows { format!("{power:.2}") } else { String::new() });
            rows.push(row);
        };
    let count = |value: f64| format!("{value:.0}");
    row("size of the backup", &|it| it.megabytes, &|value| format!("{value:.1} MB"), true);
    row("`dyno backup`, from start to end: median", &|it| it.whole, &time, true);
    row("nothing could be committed: longest", &|it| it.held, &time, true);
    row("slowest commit of the client meanwhile, with its call", &|it| it.slowest, &time, true);
    row("commits of the client meanwhile", &|it| it.meanwhile as f64, &count, false);
    row("commits before a backup that are missing in it", &|it| it.lost as f64, &count, false);
    Ok(format!(
        "{TIMES} backups of each database through a server that measures `sum`, while a client commits 40 times per second. A backup is \
         copied, sent, written, compared with its hash, and read to its last block. Aim: ≤ 10 s for 10,000,000 samples, without \
         loss. The exponent is that of a power of the size through the first and the last column.\n\n{}",
        table(&rows)
    ))
}

fn measured(host: &Host, scratch: &Path, samples: u32) -> Outcome<Figures> {
    let database = filled_with_noise(host, scratch, Size { runs: 100, cases: 10, samples }, NOISE)?;
    let (log, copy) = (scratch.join("log"), scratch.join("copy.duckdb"));
    let file = |path: &Path| File::create(path).map_err(|error| Failure::file("write", path, &error));
    let mut command = host.bare_dyno(&["serve", "--port", "0", "--log-format", "json", "--plugins"]);
    command.arg(host.project.plugins()).arg("--db-path").arg(&database);
    command.arg("--output").arg(scratch.join("results")).stderr(file(&log)?);
    let server = Server::of(command)?;
    let body = r#"{"benchmarks": ["sum"], "params": {"n": 1000}, "stop": {"rule": "samples", "launches": 10000, "per_launch": 100}}"#;
    let accepted = post(&server.address, "/api/runs", body)?;
    let id = accepted["id"].as_str().unwrap_or_default().to_owned();
    let deadline = Instant::now() + Duration::from_secs(60);
    while get(&server.address, &format!("/api/runs/{id}"))?["cases"][0]["launches"][0].is_null() {
        if Instant::now() > deadline {
            return Err(Failure::new("the run beside the backups does not begin"));
        }
        thread::sleep(Duration::from_millis(50));
    }
    let (committed, ends) = (AtomicU64::new(0), AtomicBool::new(false));
    let (slowest, figures) = thread::scope(|scope| {
        let writer = scope.spawn(|| write(&server.address, &id, &committed, &ends));
        let figures = backups(host, &database, &copy, &committed);
        ends.store(true, Ordering::Relaxed);
        let slowest = writer.join().unwrap_or_else(|_| Err(Failure::new("the client panicked")));
        (slowest, figures)
    });
    let figures = Figures { slowest: slowest?, samples: f64::from(samples) * 1_000.0, ..figures? };
    drop(server);
    let text = fs::read_to_string(&log).map_err(|error| Failure::file("read", &log, &error))?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let held = lines.filter_map(|line| line["held_ms"].as_f64()).fold(f64::NAN, f64::max) * 1e6;
    for file in [&database, &copy] {
        // The largest takes a hundred megabytes.
        let _ = fs::remove_file(file);
    }
    Ok(Figures { held, ..figures })
}

/// Saves the run under one name after the other until it is to end; the longest time of a call [ns].
fn write(address: &str, run: &str, committed: &AtomicU64, ends: &AtomicBool) -> Outcome<f64> {
    let body = format!(r#"{{"run_id": "{run}"}}"#);
    let mut connection = Connection::open(address)?;
    let mut slowest: f64 = 0.0;
    while !ends.load(Ordering::Relaxed) {
        let begin = Instant::now();
        let path = format!("/api/baselines/w{}", committed.load(Ordering::Relaxed));
        let (status, body) = connection.ask("PUT", &path, &body)?;
        slowest = slowest.max(begin.elapsed().as_secs_f64() * 1e9);
        if !(200..300).contains(&status) {
            let said = String::from_utf8_lossy(&body);
            return Err(Failure::new(format!("`PUT {path}` was answered with {status}: {said}")));
        }
        committed.fetch_add(1, Ordering::Relaxed);
        thread::sleep(PAUSE);
    }
    Ok(slowest)
}

fn backups(host: &Host, database: &Path, copy: &Path, committed: &AtomicU64) -> Outcome<Figures> {
    let (mut whole, mut lost, mut meanwhile, mut bytes) = (Vec::new(), 0, 0, 0.0);
    for _ in 0..TIMES {
        let before = committed.load(Ordering::Relaxed);
        let begin = Instant::now();
        let saved = json(host, &["backup", &copy.to_string_lossy(), "--force"], database)?;
        whole.push(begin.elapsed().as_secs_f64() * 1e9);
        meanwhile += committed.load(Ordering::Relaxed) - before;
        bytes = saved["bytes"].as_f64().unwrap_or(f64::NAN);
        let found = json(host, &["sql", "SELECT count(DISTINCT name) FROM baselines"], copy)?;
        lost += before.saturating_sub(found["rows"][0][0].as_u64().unwrap_or(0));
    }
    Ok(Figures {
        samples: f64::NAN,
        megabytes: bytes / 1e6,
        whole: median(&mut whole),
        held: f64::NAN,
        slowest: f64::NAN,
        meanwhile,
        lost,
    })
}

/// What a command says in JSON.
fn json(host: &Host, arguments: &[&str], database: &Path) -> Outcome<Value> {
    let mut command = host.bare_dyno(arguments);
    command.arg("--json").arg("--db-path").arg(database).stdin(Stdio::null()).stderr(Stdio::piped());
    let said =
        command.output().map_err(|error| Failure::new(format!("`dyno` cannot be started: {error}")))?;
    serde_json::from_slice(&said.stdout).map_err(|_| {
        let why = String::from_utf8_lossy(&said.stderr);
        Failure::new(format!("`dyno {}` failed: {}", arguments.join(" "), why.trim()))
    })
}
