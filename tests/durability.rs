//! User story: things end in the middle. What was measured is kept, and nothing is left behind.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use dyno_core::model::{CaseStatus, RunStatus};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::support::{
    arena::{Arena, workers},
    eventually::eventually,
    fixtures,
};

/// An arena with a quick benchmark and one that never ends.
fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    arena.add(&fixtures::native("loop_forever", "loop_forever"), "loop_forever.so");
    arena
}

/// `dyno run` in the background, in the folders of the arena.
fn start(arena: &Arena, benchmarks: &[&str], database: &str) -> Child {
    let mut arguments = vec!["run"];
    arguments.extend(benchmarks);
    arguments.extend(["--time", "20ms", "--launches", "2", "--json"]);
    arena
        .command(&arguments)
        .arg("--db-path")
        .arg(arena.path(database))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dyno is built")
}

/// Waits for a line on standard error that holds `fragment`; what comes after it is read away in the background.
#[track_caller]
fn wait_for_line(child: &mut Child, fragment: &str) {
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let found = lines.by_ref().map_while(Result::ok).any(|line| line.contains(fragment));
    assert!(found, "`{fragment}` never came");
    std::thread::spawn(move || lines.for_each(drop));
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process number fits"))
}

#[test]
fn kill_9_in_the_middle_keeps_finished_launches_and_marks_the_run() {
    let arena = arena();
    let mut child = start(&arena, &["good_a", "loop_forever"], "out/dyno.duckdb");
    wait_for_line(&mut child, "[1/2] good_a");
    // The second case is in its endless loop by the time that a worker is there.
    let host = child.id();
    eventually("no worker was started", || workers(host) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("a worker outlived its host", || workers(host) == 0);
    let left = || std::fs::read_dir(arena.path("tmp")).unwrap().count();
    assert_eq!(left(), 1, "the folder of the launch stays behind");
    // Who only reads is told so at once.
    let read = arena.dyno(&["results", "--samples", "--json"]);
    assert_eq!(read.code, Some(0), "{}", read.shown());
    let read = read.record();
    assert_eq!(read.status, RunStatus::Interrupted);
    assert_eq!(read.cases[0].launches.len(), 2);
    // The next writer finds the unfinished run, and says so.
    let next = arena.run(&["good_a"]);
    assert_eq!(next.code, Some(0), "{}", next.shown());
    assert_eq!(left(), 0, "the next run removes what was left");
    let record = arena.dyno(&["results", "last~1", "--samples", "--json"]).record();
    assert_eq!(record.status, RunStatus::Interrupted);
    assert_eq!(record.id, read.id);
    assert_eq!(record.cases[0].status, CaseStatus::Completed);
    assert_eq!(record.cases[0].launches.len(), 2);
    assert!(record.cases[0].launches.iter().all(|launch| !launch.samples.is_empty()));
    assert_eq!(record.cases[1].status, CaseStatus::Queued);
}

#[test]
fn ctrl_c_keeps_what_is_done() {
    let arena = arena();
    let mut child = start(&arena, &["good_a", "loop_forever"], "out/dyno.duckdb");
    wait_for_line(&mut child, "[1/2] good_a");
    let host = child.id();
    eventually("no worker was started", || workers(host) > 0);
    kill(pid(&child), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(workers(host), 0);
    let record = arena.dyno(&["results", "--json"]).record();
    assert_eq!(record.status, RunStatus::Cancelled);
    let states: Vec<&str> = record.cases.iter().map(|case| case.status.word()).collect();
    assert_eq!(states, ["completed", "cancelled"]);
    assert!(arena.path(&format!("out/{}.json", record.id)).is_file(), "files are written all the same");
}

#[test]
fn a_failure_counts_more_than_ctrl_c_and_more_than_a_comparison() {
    let arena = arena();
    arena.add(&fixtures::native("wrong_result", "wrong_result"), "wrong_result.so");
    let mut child = start(&arena, &["wrong_result", "loop_forever"], "out/dyno.duckdb");
    wait_for_line(&mut child, "[1/2] wrong_result");
    let host = child.id();
    eventually("no worker was started", || workers(host) > 0);
    kill(pid(&child), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");

    let quick = ["--samples", "3", "--launches", "2"];
    let good = arena.dyno(&[&["run", "good_a"][..], &quick].concat());
    assert_eq!(good.code, Some(0), "{}", good.shown());
    let both = ["run", "good_a", "wrong_result", "--compare", "last", "--threshold", "1000%"];
    let outcome = arena.dyno(&[&both[..], &quick].concat());
    assert_eq!(outcome.code, Some(4), "{}", outcome.shown());
}

#[test]
fn a_second_run_waits_for_the_device_and_names_its_holder() {
    let arena = arena();
    let mut first = start(&arena, &["loop_forever"], "out/first.duckdb");
    let host = first.id();
    eventually("no worker was started", || workers(host) > 0);
    let mut second = start(&arena, &["good_a"], "out/second.duckdb");
    wait_for_line(&mut second, &format!("leased by process {host}"));
    kill(pid(&first), Signal::SIGTERM).unwrap();
    first.wait().unwrap();
    let output = second.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_database_in_use_is_waited_for_and_reading_it_says_who_has_it() {
    let arena = arena();
    let mut first = start(&arena, &["loop_forever"], "out/dyno.duckdb");
    let host = first.id();
    eventually("no worker was started", || workers(host) > 0);
    let reader = arena.dyno(&["results"]);
    assert_eq!(reader.code, Some(5), "{}", reader.shown());
    assert!(reader.stderr.contains(&format!("process {host}")), "{}", reader.shown());
    let mut second = start(&arena, &["good_a"], "out/dyno.duckdb");
    wait_for_line(&mut second, "waiting for the database");
    let build = arena.path("plugins/good_a.so").display().to_string();
    let mut command = arena.command(&["ab", &build, &build, "--budget", "200ms"]);
    let mut compares = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("dyno is built");
    wait_for_line(&mut compares, "waiting for the database");
    kill(pid(&first), Signal::SIGINT).unwrap();
    first.wait().unwrap();
    assert_eq!(second.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(compares.wait().unwrap().code(), Some(0));
}

#[test]
fn whoever_closes_our_output_is_no_fault() {
    let arena = arena();
    let mut child = Command::new(env!("CARGO_BIN_EXE_dyno"))
        .args(["list", "--json", "--plugins"])
        .arg(arena.path("plugins"))
        .env("DYNO_CACHE", arena.path("cache"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_cache_is_shown_kept_within_its_limit_and_cleared() {
    let mut arena = arena();
    arena.add(&fixtures::wasm("good", "good_w"), "good_w.wasm");
    let files = |arena: &Arena, part: usize| {
        let shown = arena.dyno(&["cache", "--json"]);
        assert_eq!(shown.code, Some(0), "{}", shown.shown());
        shown.json()["parts"][part]["files"].as_u64().expect("a number of files")
    };
    assert_eq!((files(&arena, 1), files(&arena, 2)), (0, 0));
    assert_eq!(arena.run(&["good_a", "good_w"]).code, Some(0));
    assert_eq!((files(&arena, 1), files(&arena, 2)), (2, 1));
    assert!(arena.dyno(&["cache"]).stdout.contains("of at most 1.000 GiB"));
    // What was used long ago goes where there is too much; what is used stays.
    for folder in ["plugins", "code"] {
        for file in std::fs::read_dir(arena.path("cache").join(folder)).unwrap().flatten() {
            let file = std::fs::File::open(file.path()).unwrap();
            file.set_modified(std::time::SystemTime::now() - Duration::from_secs(7200)).unwrap();
        }
    }
    arena.set("DYNO_CACHE_LIMIT", "1kB");
    assert_eq!(arena.run(&["good_a"]).code, Some(0));
    assert_eq!((files(&arena, 1), files(&arena, 2)), (1, 0));
    // Nothing is taken away under a run.
    let mut running = start(&arena, &["loop_forever"], "out/other.duckdb");
    let host = running.id();
    eventually("no worker was started", || workers(host) > 0);
    let refused = arena.dyno(&["cache", "--clear"]);
    assert_eq!(refused.code, Some(5), "{}", refused.shown());
    assert!(refused.stderr.contains("in use by a run"), "{}", refused.shown());
    kill(pid(&running), Signal::SIGINT).unwrap();
    running.wait().unwrap();
    let cleared = arena.dyno(&["cache", "--clear"]);
    assert_eq!(cleared.code, Some(0), "{}", cleared.shown());
    assert_eq!((files(&arena, 1), files(&arena, 2)), (0, 0));
    assert_eq!(arena.run(&["good_w"]).code, Some(0), "it is made again");
}
