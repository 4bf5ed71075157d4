//! User story: an operator's server meets what it was not made for: a full disk, a request of a hundred thousand cases. It says
//! so, goes on answering, and is well again when the cause is gone.

#![cfg(target_os = "linux")]
#![allow(dead_code, reason = "the arena and the fixtures of the corpus offer more than this story needs")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

#[path = "hostile/arena.rs"]
mod arena;
#[path = "hostile/fixtures.rs"]
mod fixtures;
#[path = "server/served.rs"]
mod served;

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use arena::Arena;
use dyno_core::model::{CaseStatus, RunStatus};
use serde_json::{Value, json};
use served::{Served, eventually};

fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    arena.add(&fixtures::native("good", "good_b"), "good_b.so");
    arena
}

fn run_of(benchmark: &str, launches: u32) -> Value {
    json!({"benchmarks": [benchmark], "stop": {"rule": "samples", "launches": launches, "per_launch": 3}})
}

fn id_of(run: &Value) -> String {
    run["id"].as_str().unwrap_or_else(|| panic!("no `id` in {run}")).to_owned()
}

/// A server whose database and results lie on a disk of its own, and that disk as this process sees it; `None` where this
/// user may not mount one.
fn on_a_small_disk(arena: &Arena, megabytes: u32) -> Option<(Served, PathBuf)> {
    let can = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        println!("skipped: this user may not mount a file system of its own (`unshare -m`)");
        return None;
    }
    let disk = arena.path("disk");
    fs::create_dir(&disk).expect("the arena is writable");
    let database = disk.join("d.duckdb").display().to_string();
    let dyno = arena.command(&["serve", "--port", "0", "--db-path", &database]);
    let mount = format!("mount -t tmpfs -o size={megabytes}m none '{}' && exec \"$@\"", disk.display());
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &mount, "sh"]).arg(dyno.get_program()).args(dyno.get_args());
    command.current_dir(arena.path("work"));
    for (name, value) in dyno.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let server = Served::of(command);
    // The shells before it have become it: its root sees what it mounted.
    let inside = format!("/proc/{}/root{}", server.pid(), disk.display());
    Some((server, PathBuf::from(inside)))
}

/// Fills a disk to the last byte.
fn fill(disk: &std::path::Path) -> PathBuf {
    let path = disk.join("fill");
    let mut file = fs::File::create(&path).expect("there is room for a name");
    for size in [1 << 20, 4096, 1] {
        let piece = vec![1u8; size];
        while file.write_all(&piece).is_ok() {}
    }
    path
}

/// Processor time of a process so far [ticks of a hundredth of a second].
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    let after_name = stat.rsplit_once(')').expect("a name in parentheses").1;
    after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().expect("a number")).sum()
}

#[test]
fn a_full_disk_is_named_waited_out_and_costs_next_to_nothing() {
    let arena = arena();
    let Some((server, disk)) = on_a_small_disk(&arena, 64) else { return };
    assert_eq!(server.call("GET", "/readyz", &json!(null)).0, 200);
    let long = id_of(&server.post("/api/runs", &run_of("good_a", 10_000)));
    let waiting = id_of(&server.post("/api/runs", &run_of("good_b", 2)));
    eventually("it measures", || {
        let (_, text) = server.call("GET", &format!("/api/runs/{long}"), &json!(null));
        text.contains("\"launches\":[{")
    });
    let filled = fill(&disk);
    eventually("it says that it is not ready", || {
        let (status, text) = server.call("GET", "/readyz", &json!(null));
        status == 503 && text.contains("disk of the database")
    });
    eventually("the run stops", || {
        let (_, text) = server.call("GET", "/api/queue", &json!(null));
        !text.contains(&format!("\"running\":[\"{long}"))
    });
    for (method, path) in [("POST", "/api/runs".to_owned()), ("POST", format!("/api/runs/{waiting}/cancel"))]
    {
        let (status, text) = server.call(method, &path, &run_of("good_a", 2));
        assert!(status == 507 && text.contains("no space is left on the disk"), "{path}: {status} {text}");
        assert!(!text.contains(arena.path("").to_str().unwrap()), "a stranger learns no path: {text}");
    }
    assert_eq!(server.call("GET", "/api/runs", &json!(null)).0, 200, "reading goes on");
    let (lines, spent) = (server.logged(), ticks(server.pid()));
    thread::sleep(Duration::from_secs(4));
    let (lines, spent) = (server.logged() - lines, ticks(server.pid()) - spent);
    assert!(lines <= 20, "{lines} lines of log in four seconds");
    assert!(spent <= 200, "half of the processor, for nothing: {spent} ticks in four seconds");

    fs::remove_file(filled).expect("it is there");
    eventually("it is ready again", || server.call("GET", "/readyz", &json!(null)).0 == 200);
    let record = server.wait(&long);
    assert_eq!(record.status, RunStatus::Interrupted);
    assert!(record.cases.iter().all(|case| !case.status.is_failure()), "{:?}", record.cases[0].status);
    assert_eq!(server.wait(&waiting).status, RunStatus::Completed, "what waited was not lost");
    let next = id_of(&server.post("/api/runs", &run_of("good_a", 2)));
    assert_eq!(server.wait(&next).cases[0].status, CaseStatus::Completed);
}

#[test]
fn a_request_of_very_many_cases_is_stored_and_given_up_at_once_while_others_read() {
    let arena = arena();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello.so");
    let server = Served::start(&arena, &[]);
    let sizes: Vec<u32> = (1..=100_000).collect();
    let large = json!({"benchmarks": ["sum_c"], "params": {"n": sizes},
                       "stop": {"rule": "time", "launches": 100, "budget_ns": 60_000_000_000u64}});
    let ended = AtomicBool::new(false);
    let (asked, reads) = thread::scope(|scope| {
        let (server, ended) = (&server, &ended);
        let reader = scope.spawn(move || {
            let mut reads = 0u32;
            while !ended.load(Ordering::Relaxed) {
                assert_eq!(server.call("GET", "/api/runs", &json!(null)).0, 200);
                reads += 1;
            }
            reads
        });
        let asked = server.call("POST", "/api/runs", &large);
        ended.store(true, Ordering::Relaxed);
        (asked, reader.join().expect("it reads"))
    });
    assert!(asked.0 == 201 && reads > 0, "{} after {reads} reads", asked.0);
    let id = id_of(&serde_json::from_str(&asked.1).expect("JSON"));
    server.post(&format!("/api/runs/{id}/cancel"), &json!({}));
    let record = server.wait(&id);
    assert_eq!((record.status, record.cases.len()), (RunStatus::Cancelled, 100_000));
    assert!(record.cases.iter().all(|case| case.status == CaseStatus::Cancelled));
    let (status, text) =
        server.call("POST", "/api/runs", &json!({"benchmarks": ["good_a"], "tags": vec!["x"; 3_000]}));
    assert!(status == 422 && text.contains("3000 tags; give at most 100"), "{status} {text}");
}
