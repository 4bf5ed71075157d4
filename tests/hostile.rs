//! Whole-product test: every plugin of the hostile corpus runs between two good ones, in a host that must live.
//!
//! For each: the two neighbours complete, the fault ends as its line in `hostile/cases.rs` says, with stage and reason,
//! the exit code tells, and nothing is left behind: no process, no lock, no temporary file, no changed plugin.

mod cases;
mod files;

use std::{path::Path, process::Command};

use dyno_core::model::{CaseRecord, CaseStatus, IsolationReadings, RunRecord, RunStatus};

use cases::{End, Source};

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

/// Exit code of `dyno run` when a benchmark failed.
const BENCHMARK_FAILED: i32 = 4;

/// Puts two good plugins into a new arena; they are run before and after whatever the test adds.
fn arena_with_neighbours() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::wasm("good", "good_a"), "good_a.wasm");
    let last = if fixtures::has_compiler("cc") {
        arena.add(&fixtures::native("good", "good_z"), "good_z.so")
    } else {
        arena.add(&fixtures::wasm("good", "good_z"), "good_z.wasm")
    };
    assert!(last.is_file());
    arena
}

/// What a native plugin can do here for want of a layer; `None`: all layers hold.
fn unconfined() -> Option<String> {
    let worker = Path::new(env!("CARGO_BIN_EXE_dyno")).with_file_name("dyno-worker");
    let output = Command::new(worker).arg("--layers").output().expect("the worker is built");
    let found: IsolationReadings = serde_json::from_slice(&output.stdout).expect("it tells its layers");
    (!found.missing.is_empty()).then(|| found.missing.join("; "))
}

/// The body of every test of the table.
fn check(source: Source, name: &str, end: End) {
    if source != Source::Wasm && !(fixtures::has_compiler("cc") && fixtures::has_compiler("c++")) {
        println!("skipped: there is no C and C++ compiler on this machine, so `{name}` cannot be built");
        return;
    }
    if let (Source::Escape, Some(why)) = (source, unconfined()) {
        println!("skipped: on this machine, {why}");
        return;
    }
    let arena = arena_with_neighbours();
    match source {
        Source::Native => arena.add(&fixtures::native(name, name), &format!("{name}.so")),
        Source::Escape => arena.add(&fixtures::escape(name), &format!("{name}.so")),
        Source::Wasm => arena.add(&fixtures::wasm(name, name), &format!("{name}.wasm")),
    };
    let before = arena.plugin_bytes();
    if let End::Broken(fragment) = end {
        check_broken(&arena, name, fragment);
    } else {
        check_run(&arena, name, end);
    }
    assert_eq!(arena.plugin_bytes().len(), before.len(), "the plugin directory has other files");
    assert!(arena.plugin_bytes() == before, "a plugin file was changed");
}

/// The fault is listed as a problem, and its neighbours run.
fn check_broken(arena: &Arena, name: &str, fragment: &str) {
    let listed = arena.dyno(&["list", "--json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.shown());
    let problems = listed.json()["problems"].to_string();
    assert!(problems.contains(name), "no problem names `{name}`: {problems}");
    assert!(problems.contains(fragment), "`{fragment}` is not in {problems}");
    assert!(!problems.contains('\u{1b}'), "an escape sequence reached the list: {problems}");
    let outcome = arena.run(&["good_a", "good_z"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    neighbours(&outcome.record(), &outcome);
    arena.assert_clean(&outcome);
}

/// The fault runs between its neighbours.
fn check_run(arena: &Arena, name: &str, end: End) {
    let benchmarks = ["good_a", name, "good_z"];
    let outcome = match end {
        End::TimedOut(_) => arena.run_within("3s", &benchmarks),
        _ => arena.run(&benchmarks),
    };
    let record = outcome.record();
    let case = record.cases.iter().find(|case| case.benchmark == name).unwrap_or_else(|| {
        panic!("`{name}` has no case in the result: {}", outcome.shown());
    });
    compare(case, end);
    bounded(case);
    neighbours(&record, &outcome);
    let expected = if case.status.is_failure() { BENCHMARK_FAILED } else { 0 };
    assert_eq!(outcome.code, Some(expected), "{}", outcome.shown());
    arena.assert_clean(&outcome);
}

/// Both good plugins completed with samples, whatever stood between them.
fn neighbours(record: &RunRecord, outcome: &Outcome) {
    assert_eq!(record.status, RunStatus::Completed, "{}", outcome.shown());
    for name in ["good_a", "good_z"] {
        let case =
            record.cases.iter().find(|case| case.benchmark == name).unwrap_or_else(|| {
                panic!("the neighbour `{name}` is not in the result: {}", outcome.shown())
            });
        assert_eq!(case.status, CaseStatus::Completed, "the neighbour `{name}`");
        assert!(case.launches.iter().all(|launch| !launch.samples.is_empty()), "`{name}` has no samples");
    }
}

/// The case ended as the table says.
fn compare(case: &CaseRecord, end: End) {
    let status = &case.status;
    match (end, status) {
        (End::Completed, CaseStatus::Completed) => {}
        (End::Skipped(fragment), CaseStatus::Skipped { reason, .. }) => {
            assert!(reason.contains(fragment), "`{fragment}` is not in `{reason}`");
        }
        (End::TimedOut(expected), CaseStatus::TimedOut { stage, limit_s, .. }) => {
            assert_eq!(*stage, expected, "{status:?}");
            assert!((*limit_s - 3.0).abs() < 1e-9, "the limit that was passed is named: {status:?}");
        }
        (End::Failed(stages, fragments), CaseStatus::Failed { stage, reason }) => {
            assert!(stages.contains(stage), "expected {stages:?}: {status:?}");
            assert!(
                fragments.iter().any(|fragment| reason.message.contains(fragment)),
                "none of {fragments:?} is in {status:?}"
            );
            assert!(!reason.message.chars().any(char::is_control), "control characters in {status:?}");
        }
        _ => panic!("expected {end:?}, found {status:?}"),
    }
}

/// What a plugin wrote is kept, but never all of it, and never as it was.
fn bounded(case: &CaseRecord) {
    for launch in &case.launches {
        let bytes: usize = launch.output.iter().map(|line| line.text.len()).sum();
        assert!(bytes < 4 << 20, "{bytes} bytes of output were kept");
        let printable = launch.output.iter().all(|line| !line.text.chars().any(char::is_control));
        assert!(printable, "control characters in the output: {:?}", launch.output);
    }
}

/// A fault without a line in the table would never run.
#[test]
fn every_source_is_in_the_table() {
    for (folder, listed, others) in [
        ("native", cases::NATIVE, &["good", "hostile", "forge", "spinning_thread"][..]),
        ("escape", cases::ESCAPE, &["escape"][..]),
        ("wasm", cases::WASM, &["good", "frame"][..]),
    ] {
        for entry in std::fs::read_dir(fixtures::corpus().join(folder)).expect("the checkout is whole") {
            let path = entry.expect("the checkout is readable").path();
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            assert!(
                listed.contains(&name.as_str()) || others.contains(&name.as_str()),
                "{folder}/{name} has no line in tests/hostile/cases.rs"
            );
        }
    }
}

/// Listing reads bytes: a plugin that takes every process with it that loads it is listed like any other.
#[test]
fn listing_runs_nothing() {
    if !fixtures::has_compiler("cc") {
        println!("skipped: there is no C compiler on this machine");
        return;
    }
    let arena = arena_with_neighbours();
    for name in ["segfault_in_initialiser", "hang_in_initialiser", "exit_in_initialiser"] {
        arena.add(&fixtures::native(name, name), &format!("{name}.so"));
    }
    let listed = arena.dyno(&["list", "--json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.shown());
    let plugins = listed.json()["plugins"].as_array().expect("a list").len();
    assert_eq!(plugins, 5, "{}", listed.shown());
    let inspected = arena.dyno(&["inspect", "segfault_in_initialiser", "--json"]);
    assert_eq!(inspected.code, Some(0), "{}", inspected.shown());
    arena.assert_clean(&inspected);
}

/// The last words of a plugin are kept with its failure.
#[test]
fn last_output_is_in_the_reason() {
    if !fixtures::has_compiler("cc") {
        println!("skipped: there is no C compiler on this machine");
        return;
    }
    let arena = Arena::new();
    arena.add(&fixtures::native("segfault_in_setup", "segfault_in_setup"), "plugin.so");
    let outcome = arena.run(&["segfault_in_setup"]);
    let record = outcome.record();
    let CaseStatus::Failed { reason, .. } = &record.cases[0].status else {
        panic!("{}", outcome.shown());
    };
    assert_eq!(reason.last_output, ["about to crash"]);
}

/// A flood is cut in the middle, and how much was cut is told.
#[test]
fn a_flood_is_counted() {
    if !fixtures::has_compiler("cc") {
        println!("skipped: there is no C compiler on this machine");
        return;
    }
    let arena = Arena::new();
    arena.add(&fixtures::native("flood_stdout_then_finish", "flood"), "plugin.so");
    let outcome = arena.run(&["flood"]);
    let record = outcome.record();
    let launch = &record.cases[0].launches[0];
    assert_eq!(launch.output.len() as u64 + launch.output_dropped, 100_000, "{:?}", record.cases[0].status);
    assert!(launch.output_dropped > 90_000);
}

/// The examples for C and C++ authors, built as their READMEs say, run; the exception becomes the error of its case.
#[test]
fn examples_in_c_and_cpp() {
    if !(fixtures::has_compiler("cc") && fixtures::has_compiler("c++")) {
        println!("skipped: there is no C and C++ compiler on this machine");
        return;
    }
    let arena = Arena::new();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello_c.so");
    arena.add(&fixtures::example("hello-cpp/hello.cpp"), "hello_cpp.so");
    arena.add(&fixtures::example("throws-cpp/throws.cpp"), "throws_cpp.so");
    let outcome = arena.run(&["sum_c", "throws_cpp", "sort_cpp"]);
    assert_eq!(outcome.code, Some(BENCHMARK_FAILED), "{}", outcome.shown());
    let record = outcome.record();
    let words: Vec<_> =
        record.cases.iter().map(|case| (case.benchmark.as_str(), case.status.word())).collect();
    assert_eq!(words, [("sum_c", "completed"), ("throws_cpp", "failed"), ("sort_cpp", "completed")]);
    let CaseStatus::Failed { reason, .. } = &record.cases[1].status else {
        panic!("{}", outcome.shown());
    };
    assert_eq!(reason.message, "thrown inside execute");
    assert!(
        record.cases[0].metric("bytes_per_second").is_some(),
        "the work that it reported gives throughput"
    );
    arena.assert_clean(&outcome);
}
