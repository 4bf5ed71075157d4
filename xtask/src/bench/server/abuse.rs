//! The server under abuse: what hostile or careless callers do to those who only read, and to the server's memory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    load::{Connection, upgrade},
    served::{SMALL, Server, filled},
};
use crate::{
    bench::{
        Bench, Needs,
        host::Host,
        table::{row, table, time},
    },
    failure::{Failure, Outcome},
    project::make_folder,
};

pub(super) const BENCH: Bench =
    Bench { name: "abuse", title: "The server under abuse", needs: Needs::Nothing, run };

/// What a reader asks for, over and over; each time another question, so that no kept answer helps.
const READ: &str = "/api/runs?limit=";
/// Between two questions of the reader.
const PACE: Duration = Duration::from_millis(5);
const TOKEN: &str = "bench-bench-bench-bench-bench-1";

fn run(host: &Host) -> Outcome<String> {
    let scratch = host.scratch().join("abuse");
    make_folder(&scratch)?;
    let database = filled(host, &scratch, SMALL)?;
    let mut rows = vec![row([
        "abuse",
        "what came of it",
        "took",
        "`GET /api/runs`: p99, longest",
        "memory at most",
        "descriptors at most",
    ])];
    {
        let server = Server::start(host, &scratch, &database)?;
        let nothing = |_: &Server| -> Outcome<String> {
            thread::sleep(Duration::from_secs(3));
            Ok("none, for comparison".to_owned())
        };
        rows.push(witnessed(&server, "none", nothing)?);
        rows.push(witnessed(&server, "a run with 3,000 tags, and one with 8 MiB of them", tags)?);
        rows.push(witnessed(&server, "a run of 100,000 cases, then cancelled", cases)?);
        rows.push(witnessed(&server, "1,000 SQL queries whose callers leave at once", abandoned)?);
        rows.push(witnessed(&server, "SQL whose answer would have 1 GB", large_answer)?);
        rows.push(witnessed(&server, "5,000 WebSockets", websockets)?);
    }
    {
        let tokens = scratch.join("tokens.toml");
        write_private(
            &tokens,
            &format!("[[token]]\nname = \"bench\"\nscope = \"admin\"\ntoken = \"{TOKEN}\"\n"),
        )?;
        let mut command = Server::command(host, &scratch, &database);
        command.arg("--token-file").arg(&tokens);
        let server = Server::of(command)?;
        rows.push(witnessed(&server, "100,000 calls without a token, on 8 connections", refused)?);
    }
    match on_a_full_disk(host, &scratch)? {
        Some(full) => rows.push(full),
        None => rows.push(row(["a full disk", "not measured: this user may not mount one", "", "", "", ""])),
    }
    Ok(format!(
        "{}\nGoals: p99 ≤ 1 s, memory ≤ 300 MB, descriptors bounded. The database has {} results. The abuser and the reader run \
         beside the server on the same processors; each question of the reader is another one.\n",
        table(&rows),
        SMALL * 100
    ))
}

/// What a reader saw of an abuse.
struct Seen {
    times: Vec<f64>,
    memory_mb: f64,
    descriptors: usize,
}

/// Carries out an abuse while somebody reads, and gives its row.
fn witnessed(
    server: &Server,
    name: &str,
    abuse: impl FnOnce(&Server) -> Outcome<String>,
) -> Outcome<Vec<String>> {
    let over = AtomicBool::new(false);
    let begin = Instant::now();
    let (said, seen) = thread::scope(|scope| {
        let reader = scope.spawn(|| watch(server, &over));
        let said = abuse(server);
        over.store(true, Ordering::Relaxed);
        (said, reader.join().unwrap_or_else(|_| Err(Failure::new("the reader panicked"))))
    });
    let during = |who: &str, error: &Failure| Failure::new(format!("{name}: the {who}: {error}"));
    let took = begin.elapsed();
    let said = said.map_err(|error| during("abuser", &error))?;
    let mut seen = seen.map_err(|error| during("reader", &error))?;
    seen.times.sort_by(f64::total_cmp);
    let p99 = seen.times.get(seen.times.len() * 99 / 100).copied().unwrap_or(f64::NAN);
    let longest = seen.times.last().copied().unwrap_or(f64::NAN);
    Ok(row([
        name,
        &said,
        &time(took.as_secs_f64() * 1e9),
        &format!("{}, {}", time(p99), time(longest)),
        &format!("{:.0} MB", seen.memory_mb),
        &seen.descriptors.to_string(),
    ]))
}

/// Reads until it is over, and looks at the server meanwhile.
fn watch(server: &Server, over: &AtomicBool) -> Outcome<Seen> {
    let mut seen = Seen { times: Vec::new(), memory_mb: 0.0, descriptors: 0 };
    let mut connection = Connection::open(&server.address)?;
    let folder = format!("/proc/{}/fd", server.child.id());
    let mut number = 0;
    while !over.load(Ordering::Relaxed) || seen.times.len() < 20 {
        number = number % 400 + 1;
        let asked = Instant::now();
        let (status, _) = connection.ask_as(TOKEN, "GET", &format!("{READ}{number}"), "")?;
        if status != 200 {
            return Err(Failure::new(format!("`{READ}{number}` was answered with {status}")));
        }
        seen.times.push(asked.elapsed().as_secs_f64() * 1e9);
        seen.memory_mb = seen.memory_mb.max(server.resident_mb()?);
        seen.descriptors = seen.descriptors.max(fs::read_dir(&folder).map_or(0, Iterator::count));
        thread::sleep(PACE);
    }
    Ok(seen)
}

fn tags(server: &Server) -> Outcome<String> {
    let many = format!(r#"{{"benchmarks": ["sum"], "tags": [{}]}}"#, ["\"x\""; 3_000].join(","));
    let huge = format!(r#"{{"benchmarks": ["sum"], "tags": [{}]}}"#, vec!["\"x\""; 2_000_000].join(","));
    let (many, _) = Connection::open(&server.address)?.ask("POST", "/api/runs", &many)?;
    let (huge, _) = Connection::open(&server.address)?.ask("POST", "/api/runs", &huge)?;
    Ok(format!("{many} and {huge}"))
}

fn cases(server: &Server) -> Outcome<String> {
    let mut connection = Connection::open(&server.address)?;
    let sizes: Vec<String> = (1..=100_000).map(|size: u32| size.to_string()).collect();
    let body = format!(
        r#"{{"benchmarks": ["sum"], "params": {{"n": [{}]}}, "stop": {{"rule": "time", "launches": 9, "budget_ns": 9000000000}}}}"#,
        sizes.join(",")
    );
    let begin = Instant::now();
    let (status, answer) = connection.ask("POST", "/api/runs", &body)?;
    let asked = begin.elapsed();
    let answer: serde_json::Value = serde_json::from_slice(&answer)
        .map_err(|error| Failure::new(format!("the answer to a run is no JSON: {error}")))?;
    let id = answer["id"].as_str().unwrap_or_default().to_owned();
    let begin = Instant::now();
    let (cancelled, _) = connection.ask("POST", &format!("/api/runs/{id}/cancel"), "{}")?;
    let deadline = Instant::now() + Duration::from_secs(120);
    while connection
        .ask("GET", "/api/queue", "")
        .is_ok_and(|(_, body)| String::from_utf8_lossy(&body).contains(&id))
    {
        if Instant::now() > deadline {
            return Err(Failure::new("a cancelled run did not end in two minutes"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    let ended = begin.elapsed();
    let (asked, ended) = (time(asked.as_secs_f64() * 1e9), time(ended.as_secs_f64() * 1e9));
    Ok(format!("{status} after {asked}; {cancelled}, ended after {ended}"))
}

const SLOW: &str =
    r#"{"sql": "SELECT count(*) FROM range(1000) a, range(1000000000) b WHERE hash(a.range * b.range) = 7"}"#;

fn abandoned(server: &Server) -> Outcome<String> {
    for _ in 0..1_000 {
        Connection::open(&server.address)?.tell("POST", "/api/sql", SLOW)?;
    }
    let begin = Instant::now();
    let deadline = begin + Duration::from_secs(120);
    loop {
        // Where it is turned away, its connection ends.
        let mut connection = Connection::open(&server.address)?;
        let (status, _) = connection.ask("POST", "/api/sql", r#"{"sql": "SELECT 1"}"#)?;
        if status == 200 {
            break;
        }
        if Instant::now() > deadline {
            return Err(Failure::new("SQL was not answered for two minutes after the last caller had left"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(format!("the next query is answered after {}", time(begin.elapsed().as_secs_f64() * 1e9)))
}

fn large_answer(server: &Server) -> Outcome<String> {
    let mut connection = Connection::open(&server.address)?;
    let sql = r#"{"sql": "SELECT repeat('x', 1000000) FROM range(10000)", "limit": 10000}"#;
    let (status, body) = connection.ask("POST", "/api/sql", sql)?;
    Ok(format!("{status}, {:.1} MB", body.len() as f64 / 1e6))
}

fn websockets(server: &Server) -> Outcome<String> {
    let mut open = Vec::new();
    let mut turned_away = 0;
    for _ in 0..5_000 {
        match upgrade(&server.address, "/api/events/ws") {
            Ok(connection) => open.push(connection),
            Err(_) => turned_away += 1,
        }
    }
    let opened = open.len();
    drop(open);
    Ok(format!("{opened} open, {turned_away} turned away"))
}

fn refused(server: &Server) -> Outcome<String> {
    let calls = |_| -> Outcome<(u32, u32)> {
        let mut connection = Connection::open(&server.address)?;
        let (mut unauthorised, mut limited) = (0, 0);
        for _ in 0..12_500 {
            // A server may close a connection that it refuses too often.
            let answered = connection.ask("POST", "/api/runs", r#"{"benchmarks": ["sum"]}"#);
            match answered {
                Ok((429, _)) => limited += 1,
                Ok(_) => unauthorised += 1,
                Err(_) => {
                    limited += 1;
                    connection = Connection::open(&server.address)?;
                }
            }
        }
        Ok((unauthorised, limited))
    };
    let all: Vec<Outcome<(u32, u32)>> = thread::scope(|scope| {
        let callers: Vec<_> = (0..8).map(|caller| scope.spawn(move || calls(caller))).collect();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap_or_else(|_| Err(Failure::new("a caller panicked"))))
            .collect()
    });
    let (mut unauthorised, mut limited) = (0, 0);
    for one in all {
        let (a, b) = one?;
        unauthorised += a;
        limited += b;
    }
    Ok(format!("{unauthorised} answered 401, {limited} turned away by the limit"))
}

/// Runs are asked for on a disk without a byte left; `None` where this user may not mount one.
fn on_a_full_disk(host: &Host, scratch: &Path) -> Outcome<Option<Vec<String>>> {
    let can = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        return Ok(None);
    }
    let disk = scratch.join("disk");
    make_folder(&disk)?;
    let served = Server::command(host, scratch, &disk.join("d.duckdb"));
    let mount = format!("mount -t tmpfs -o size=64m none '{}' && exec \"$@\"", disk.display());
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &mount, "sh"]).arg(served.get_program()).args(served.get_args());
    let server = Server::of(command)?;
    let inside = PathBuf::from(format!("/proc/{}/root{}", server.child.id(), disk.display()));
    let abuse = |server: &Server| -> Outcome<String> {
        let long =
            r#"{"benchmarks": ["sum"], "stop": {"rule": "samples", "launches": 10000, "per_launch": 3}}"#;
        // A refusal may end its connection.
        let ask = |method: &str, path: &str, body: &str| -> Outcome<u16> {
            Ok(Connection::open(&server.address)?.ask(method, path, body)?.0)
        };
        ask("POST", "/api/runs", long)?;
        thread::sleep(Duration::from_secs(1));
        fill(&inside.join("fill"));
        thread::sleep(Duration::from_secs(2));
        let spent = |server: &Server| processor_s(server.child.id());
        let before = spent(server);
        let asked = ask("POST", "/api/runs", long)?;
        let ready = ask("GET", "/readyz", "")?;
        thread::sleep(Duration::from_secs(10));
        let busy = (spent(server) - before) / 10.0;
        let _ = fs::remove_file(inside.join("fill"));
        let begin = Instant::now();
        let deadline = begin + Duration::from_secs(120);
        while ask("GET", "/readyz", "")? != 200 {
            if Instant::now() > deadline {
                return Err(Failure::new(
                    "the server was not ready two minutes after the disk had room again",
                ));
            }
            thread::sleep(Duration::from_millis(50));
        }
        let again = time(begin.elapsed().as_secs_f64() * 1e9);
        Ok(format!(
            "POST {asked}, `/readyz` {ready}, {:.0} % of a processor, reader included; ready {again} after there is room",
            busy * 100.0
        ))
    };
    witnessed(&server, "a full disk, for 10 s", abuse).map(Some)
}

/// Writes until there is no room.
fn fill(path: &Path) {
    use std::io::Write;
    let Ok(mut file) = fs::File::create(path) else { return };
    for size in [1 << 20, 4096, 1] {
        let piece = vec![1u8; size];
        while file.write_all(&piece).is_ok() {}
    }
}

/// Processor time of a process so far [s].
fn processor_s(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace().skip(11).take(2));
    let ticks: f64 = fields.into_iter().flatten().filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn write_private(path: &Path, text: &str) -> Outcome<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o600)))
        .map_err(|error| Failure::file("write", path, &error))
}
