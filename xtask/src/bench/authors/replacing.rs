//! A plugin that is replaced under a server that watches: how long its new version takes to be served, and what a thousand of them
//! leave behind.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::{
    bench::{
        host::Host,
        measure::median,
        server::{load::Connection, served::Server},
        table::{row, time},
    },
    failure::{Failure, Outcome},
    project::{make_folder, read},
};

const REPLACEMENTS: u32 = 1_000;
/// How long one version may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Threads for requests end by themselves after 10 s.
const REST: Duration = Duration::from_secs(12);

pub(super) fn rows(host: &Host, scratch: &Path) -> Outcome<Vec<Vec<String>>> {
    let _ = fs::remove_dir_all(scratch);
    let (plugins, cache) = (scratch.join("plugins"), scratch.join("cache"));
    make_folder(&plugins)?;
    let file = plugins.join("hello.so");
    let build = read(&host.project.plugins().join("hello-rust.so"))?;
    replace(&file, &build, 0)?;
    let mut command = host.bare_dyno(&["serve", "--watch", "--port", "0", "--log-level", "error"]);
    command.arg("--plugins").arg(&plugins).env("DYNO_CACHE", &cache);
    command.arg("--db-path").arg(scratch.join("authors.duckdb"));
    command.arg("--output").arg(scratch.join("results"));
    let server = Server::of(command)?;
    let mut connection = Connection::open(&server.address)?;
    let mut served = hash(&mut connection)?;
    // The first ones wait for what a server does only once.
    for number in 1..3 {
        served = replaced(&mut connection, &file, &build, number, &served)?.1;
    }
    let before = Held::by(&server, &cache);
    let mut times = Vec::new();
    for number in 3..3 + REPLACEMENTS {
        let (took, now) = replaced(&mut connection, &file, &build, number, &served)?;
        served = now;
        times.push(took);
    }
    times.sort_by(f64::total_cmp);
    let p99 = times[times.len() * 99 / 100];
    drop(connection);
    thread::sleep(REST);
    let after = Held::by(&server, &cache);
    let what = format!(
        "a native plugin is replaced under `dyno serve --watch`: from the rename to the new version in `/api/plugins`, {REPLACEMENTS} times"
    );
    let grown = |what: &str, one: usize, other: usize| format!("{what} {one} → {other}");
    Ok(vec![
        row([&format!("{what}, p50"), &time(median(&mut times)), "≤ 100 ms"]),
        row(["the same, p99", &time(p99), "≤ 250 ms"]),
        row([
            &format!("{REPLACEMENTS} replacements later"),
            &[
                grown("descriptors", before.descriptors, after.descriptors),
                grown("threads", before.threads, after.threads),
                grown("versions kept on the disk (up to `cache-limit`)", before.versions, after.versions),
            ]
            .join(", "),
            "no more descriptors and threads",
        ]),
    ])
}

/// Another version: bytes behind the end of a library, which no loader reads.
fn replace(file: &Path, build: &[u8], number: u32) -> Outcome<()> {
    let partial = file.with_extension("partial");
    fs::write(&partial, [build, &number.to_le_bytes()].concat())
        .map_err(|error| Failure::file("write", &partial, &error))?;
    fs::rename(&partial, file).map_err(|error| Failure::file("rename", &partial, &error))
}

/// Replaces the file, and waits until another hash than the last is served: the time that took [ns], and the hash.
fn replaced(
    connection: &mut Connection,
    file: &Path,
    build: &[u8],
    number: u32,
    last: &str,
) -> Outcome<(f64, String)> {
    replace(file, build, number)?;
    let begin = Instant::now();
    loop {
        let now = hash(connection)?;
        if now != last {
            return Ok((begin.elapsed().as_secs_f64() * 1e9, now));
        }
        if begin.elapsed() > PATIENCE {
            return Err(Failure::new(format!("version {number} of `{}` is not served", file.display())));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The hash of the served version.
fn hash(connection: &mut Connection) -> Outcome<String> {
    let (status, body) = connection.ask("GET", "/api/plugins", "")?;
    let list: serde_json::Value = serde_json::from_slice(&body)
        .map_err(|error| Failure::new(format!("`/api/plugins` was answered with {status}: {error}")))?;
    Ok(list["plugins"][0]["sha256"].as_str().unwrap_or_default().to_owned())
}

/// What a server holds.
struct Held {
    descriptors: usize,
    threads: usize,
    versions: usize,
}

impl Held {
    fn by(server: &Server, cache: &Path) -> Self {
        let count = |folder: PathBuf| fs::read_dir(folder).map_or(0, Iterator::count);
        let process = PathBuf::from(format!("/proc/{}", server.child.id()));
        Self {
            descriptors: count(process.join("fd")),
            threads: count(process.join("task")),
            versions: count(cache.join("plugins")),
        }
    }
}
