//! User story: dyno and its server meet more than the machine has: a full disk, no memory, a request of a hundred thousand
//! cases. They say so, charge no benchmark with it, and are well again when the cause is gone.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use dyno_core::model::{CaseStatus, RunStatus};
use serde_json::{Value, json};

use crate::support::{
    arena::{Arena, can_mount},
    eventually::eventually,
    fixtures,
    served::Served,
};

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
    if !can_mount() {
        return None;
    }
    let disk = arena.path("disk");
    fs::create_dir(&disk).expect("the arena is writable");
    let database = disk.join("d.duckdb").display().to_string();
    let mount = format!("mount -t tmpfs -o size={megabytes}m none '{}' && exec \"$@\"", disk.display());
    let script = format!("exec unshare -m sh -c '{}' sh \"$@\"", mount.replace('\'', "'\\''"));
    let server = Served::of(arena.behind(&script, &["serve", "--port", "0", "--db-path", &database]));
    // The shells before it have become it: its root sees what it mounted.
    let inside = format!("/proc/{}/root{}", server.pid(), disk.display());
    Some((server, PathBuf::from(inside)))
}

/// Fills a disk to the last byte.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("fill");
    let mut file = fs::File::create(&path).expect("there is room for a name");
    for size in [1 << 20, 4096, 1] {
        let piece = vec![1u8; size];
        while file.write_all(&piece).is_ok() {}
    }
    path
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
    let (status, text) = server.call("POST", "/api/runs", &run_of("good_a", 2));
    assert!(status == 507 && text.contains("no space is left on the disk"), "{status} {text}");
    assert!(!text.contains(arena.path("").to_str().unwrap()), "a stranger learns no path: {text}");
    assert_eq!(server.call("GET", "/api/runs", &json!(null)).0, 200, "reading goes on");
    let (lines, spent) = (server.logged(), server.processor_ticks());
    thread::sleep(Duration::from_secs(4));
    let (lines, spent) = (server.logged() - lines, server.processor_ticks() - spent);
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
    eventually("the run ends", || !server.text("/api/queue").contains(&id));
    let sql = format!(
        "SELECT r.status, c.status, count(*)::INTEGER FROM cases c JOIN runs r USING (run_no) WHERE r.id = '{id}' GROUP BY ALL"
    );
    let counted = server.post("/api/sql", &json!({"sql": sql}));
    assert_eq!(counted["rows"], json!([["cancelled", "cancelled", 100_000]]));
    let (status, text) =
        server.call("POST", "/api/runs", &json!({"benchmarks": ["good_a"], "tags": vec!["x"; 3_000]}));
    assert!(status == 422 && text.contains("3000 tags; give at most 100"), "{status} {text}");
}

/// A control group with so little memory that a plugin can use it up below its own limit; `None` if this user may not make
/// one, or the kernel does not count what it ends.
struct SmallMemory(PathBuf);

impl SmallMemory {
    fn new() -> Option<Self> {
        let skipped = |why: &str| {
            println!("skipped: {why}");
            None
        };
        let counts = fs::read_to_string("/proc/vmstat").is_ok_and(|text| text.contains("\noom_kill "));
        if !counts {
            return skipped("this kernel does not count the processes that it ends for want of memory");
        }
        let name = format!("dyno-test-{}", std::process::id());
        for (root, limit) in
            [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]
        {
            let group = Self(Path::new(root).join(&name));
            if fs::create_dir(&group.0).is_ok() && fs::write(group.0.join(limit), "400M").is_ok() {
                return Some(group);
            }
        }
        skipped("this user may not make a control group with a limit on memory")
    }
}

impl Drop for SmallMemory {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_worker_that_the_kernel_ends_for_want_of_memory_is_the_hosts() {
    let Some(group) = SmallMemory::new() else { return };
    let arena = arena();
    arena.add(&fixtures::native("eat_memory", "eat_memory"), "eat_memory.so");
    let enter = format!("echo $$ > '{}' && exec \"$@\"", group.0.join("cgroup.procs").display());
    let run = |arguments: &[&str]| {
        let quick = ["--samples", "3", "--launches", "2"];
        let all = [&["run"], arguments, &quick].concat();
        let output = arena.behind(&enter, &all).output().expect("there is a shell");
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), said)
    };
    let (code, said) = run(&["good_a", "eat_memory"]);
    assert_eq!(code, Some(5), "{said}");
    for fragment in ["the kernel ended the worker", "no memory is left", "--memory", "container"] {
        assert!(said.contains(fragment), "`{fragment}` is not in {said}");
    }
    let record = arena.dyno(&["results", "--json"]).record();
    assert_eq!(record.status, RunStatus::Interrupted);
    assert_eq!(record.cases[0].status, CaseStatus::Completed, "what was measured before is kept");
    assert!(!record.cases[1].status.is_failure(), "{:?}", record.cases[1].status);
    // If the limit of the worker is below that of the machine, the plugin is at fault.
    let (code, said) = run(&["eat_memory", "--memory", "100MiB"]);
    assert_eq!(code, Some(4), "{said}");
}
