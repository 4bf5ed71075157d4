//! User story: an author checks a plugin before shipping it, and is told which promise it breaks.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

/// Exit code of a check that a plugin does not pass.
const FAILED: i32 = 4;

fn can_build() -> bool {
    let can = fixtures::has_compiler("cc") && fixtures::has_compiler("c++");
    if !can {
        println!("skipped: there is no C and C++ compiler on this machine");
    }
    can
}

fn check(arena: &Arena, file: &Path, flags: &[&str]) -> Outcome {
    let file = file.display().to_string();
    arena.dyno(&[&["check", &file, "--json"], flags].concat())
}

/// The report on a plugin that does not pass, and of which nothing else is left.
fn refused(arena: &Arena, file: &Path, flags: &[&str]) -> Value {
    let outcome = check(arena, file, flags);
    assert_eq!(outcome.code, Some(FAILED), "{}: {}", file.display(), outcome.shown());
    arena.assert_clean(&outcome);
    outcome.json()
}

/// The tests with such an outcome, by the name of the benchmark, with what was said.
fn with_outcome(report: &Value, outcome: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let files = report["files"].as_array().expect("a list of files");
    for test in files.iter().flat_map(|file| file["tests"].as_array().expect("a list of tests")) {
        let text = |name: &str| test[name].as_str().unwrap_or_default().to_owned();
        if text("outcome") == outcome {
            found.entry(text("benchmark")).or_default().push((text("test"), text("message")));
        }
    }
    found
}

#[test]
fn good_plugins_of_every_kind_pass() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let c = fixtures::example("hello-c/hello.c");
    let cpp = fixtures::example("hello-cpp/hello.cpp");
    let wasm = fixtures::wasm("good", "good");
    for (file, benchmark) in [(c, "*"), (cpp, "sort_cpp"), (wasm, "*")] {
        let outcome = check(&arena, &file, &["--benchmark", benchmark]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
        let report = outcome.json();
        assert_eq!(with_outcome(&report, "failed"), BTreeMap::new());
        let passed: Vec<String> =
            with_outcome(&report, "passed").into_values().flatten().map(|(test, _)| test).collect();
        for test in ["plugin", "load", "grow", "quiet", "no-iteration", "repeat", "cancel"] {
            assert!(passed.iter().any(|name| name == test), "{test} is not among {passed:?}");
        }
        arena.assert_clean(&outcome);
    }
}

#[test]
fn each_mistake_fails_the_test_of_its_promise_and_no_other() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let report = refused(&arena, &fixtures::of_story("check/mistakes.c"), &[]);
    let mut failed = with_outcome(&report, "failed");
    // Random values may find what the largest one finds.
    failed.values_mut().for_each(|said| said.retain(|(test, _)| test != "fuzz"));
    let expected = [
        ("breaks_at_its_end", "limits", "with n=4096: in stage verify: the sum of so many values is wrong"),
        ("counts_one_more", "no-iteration", "it reports work for no iteration (64 items"),
        ("deaf", "cancel", "it had to be killed"),
        ("depends_on_time", "reproducible", "two processes with the same seed report"),
        ("hoards", "steady", "900 calls of `execute` left"),
        ("leaks", "repeat", "of memory behind: free in `cleanup`"),
        ("remembers", "independent", "keep nothing in global variables"),
    ];
    for (benchmark, test, fragment) in expected {
        let said = failed.get(benchmark).unwrap_or_else(|| panic!("`{benchmark}` passed: {report}"));
        let [(name, message)] = said.as_slice() else { panic!("`{benchmark}` fails otherwise: {said:?}") };
        assert_eq!(name, test, "{message}");
        assert!(message.contains(fragment), "`{fragment}` is not in `{message}`");
    }
    assert_eq!(failed.len(), expected.len(), "{failed:?}");
}

#[test]
fn plugins_that_crash_hang_print_and_leak_are_named_by_the_stage_or_the_trace() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    for (plugin, test) in [
        ("lacks_the_symbol", "load"),
        ("abort_in_setup", "setup"),
        ("wrong_result", "verify"),
        ("loop_in_verify", "verify"),
        ("no_loop", "grow"),
        ("work_of_one_iteration", "grow"),
        ("segfault_in_execute", "grow"),
        ("nan_metric", "metrics"),
        ("segfault_in_cleanup", "cleanup"),
        ("cleanup_hangs", "cleanup"),
        ("prints_each_call", "quiet"),
        ("thread_per_call", "leftovers"),
        ("file_per_call", "leftovers"),
    ] {
        let report = refused(&arena, &fixtures::native(plugin, plugin), &["--budget", "2s"]);
        let failed: Vec<(String, String)> = with_outcome(&report, "failed").into_values().flatten().collect();
        assert!(failed.iter().any(|(name, _)| name == test), "{plugin}: {failed:?}");
    }
}

#[test]
fn what_random_parameters_break_is_found_again_by_the_seed() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let file = fixtures::of_story("check/mistakes.c");
    let fuzzed = |seed: &str| {
        let outcome = check(&arena, &file, &["--benchmark", "breaks_at_its_end", "--reproduce", seed]);
        let report = outcome.json();
        assert_eq!(report["seed"].to_string(), seed);
        let failed = with_outcome(&report, "failed").into_values().flatten();
        failed.filter(|(test, _)| test == "fuzz").map(|(_, message)| message).next()
    };
    let found = (1..20).map(|seed| seed.to_string()).find_map(|seed| Some((seed.clone(), fuzzed(&seed)?)));
    let (seed, message) = found.expect("a sixth of all values breaks it");
    assert!(message.contains("is wrong") && message.contains(&format!("--reproduce {seed}")), "{message}");
    assert_eq!(fuzzed(&seed).as_ref(), Some(&message));
}

#[test]
fn results_go_to_people_and_to_junit_and_strict_counts_notes() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let debug = fixtures::example_with("hello-c/hello.c", &["-O0"]).display().to_string();
    let junit = arena.path("junit.xml").display().to_string();
    let outcome = arena.dyno(&["check", &debug, "--junit", &junit]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    for part in ["sum_c on cpu", "passed   load", "noted    build", "is a debug build", "passed: ", "; seed "]
    {
        assert!(outcome.stdout.contains(part), "`{part}` is not in {}", outcome.shown());
    }
    let strict = arena.dyno(&["check", &debug, "--strict", "--junit", &junit]);
    assert_eq!(strict.code, Some(FAILED), "{}", strict.shown());
    assert!(strict.stdout.contains("FAILED: "), "{}", strict.shown());
    let xml = fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("failures=\"1\"") && xml.contains("name=\"build: the code is optimised\""), "{xml}");
}

#[test]
fn what_could_not_be_tested_is_said_and_strict_refuses_it() {
    let arena = Arena::new();
    let wasm = fixtures::wasm("good", "good");
    for (flags, code) in [(&["--hardware", "rocm"][..], 0), (&["--hardware", "rocm", "--strict"], FAILED)] {
        let outcome = check(&arena, &wasm, flags);
        assert_eq!(outcome.code, Some(code), "{}", outcome.shown());
        let noted = with_outcome(&outcome.json(), "noted");
        assert!(noted["good"][0].1.starts_with("not tested: it runs on cpu"), "{noted:?}");
    }
}

#[test]
fn a_capability_that_can_never_be_granted_fails_and_one_of_a_later_version_is_noted() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let file = arena.path("reads_files.so");
    for (capability, outcome, said) in [
        ("connect:nohost", "failed", "but `nohost` has no port; give a host and a port, such as `"),
        (
            "read:relative/path",
            "failed",
            "but `relative/path` is not a whole path; begin it with `/` or `~/`",
        ),
        ("frobnicate:x", "noted", "which means nothing to this version of dyno; there are `read:PATH`, "),
    ] {
        let flags = ["-DDECLARED=\"/usr\"".to_owned(), format!("-DCAPABILITY=\"{capability}\"")];
        fixtures::asking("reads_files", &file, &flags);
        let report = check(&arena, &file, &[]).json();
        let found = with_outcome(&report, outcome);
        let said = format!("its descriptor asks for `{capability}`, {said}");
        assert!(found[""].iter().any(|(test, why)| test == "descriptor" && why.contains(&said)), "{found:?}");
        let inspected = arena.dyno(&["inspect", file.to_str().unwrap()]);
        assert!(inspected.stderr.contains(&said), "{}", inspected.shown());
    }
}

#[test]
fn wrong_names_are_refused_and_files_that_are_no_plugins_fail() {
    let arena = Arena::new();
    let wasm = fixtures::wasm("good", "good");
    for (arguments, said) in [
        (vec!["check", "nothing-of-that-name"], "neither a plugin file nor a plugin"),
        (vec!["check", wasm.to_str().unwrap(), "-b", "nosuch"], "no benchmark `nosuch`; there are good"),
        (vec!["check", wasm.to_str().unwrap(), "--budget", "soon"], "--budget"),
        (vec!["check", wasm.to_str().unwrap(), "--junit", "no/such/folder/x"], "there is no folder"),
    ] {
        let outcome = arena.dyno(&arguments);
        assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
        assert!(outcome.stderr.contains(said), "`{said}`: {}", outcome.shown());
    }
    let text = arena.path("text.so");
    fs::write(&text, "no library").unwrap();
    let failed = with_outcome(&refused(&arena, &text, &[]), "failed");
    assert_eq!(failed[""][0].0, "plugin", "{failed:?}");
}
