//! User story: somebody has a folder full of benchmarks of all kinds, and asks what to move to dyno and how.

use std::fs;

use serde_json::Value;

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

const PYTHON: &str = "\
import time
import numpy as np


def measure(size=1000):
    start = time.time()
    data = np.random.rand(size)
    data.sort()
    return time.time() - start
";

const FIXTURE: &str = "\
import pytest


@pytest.mark.parametrize(\"size\", [16, 1024])
def test_sorting(benchmark, size):
    benchmark(sorted, list(range(size)))
";

fn arena() -> Arena {
    let arena = Arena::new();
    let write = |name: &str, text: &str| {
        let path = arena.path("work").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the arena is writable");
        fs::write(path, text).expect("the arena is writable");
    };
    write("code/measure.py", PYTHON);
    write("code/tests/test_sorting.py", FIXTURE);
    write("code/broken.py", "def f(:\n");
    write("code/ignored/other.py", PYTHON);
    write("code/.gitignore", "ignored/\n");
    arena
}

#[track_caller]
fn ended(outcome: &Outcome, code: i32) -> &str {
    assert_eq!(outcome.code, Some(code), "{}", outcome.shown());
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.shown());
    &outcome.stdout
}

#[test]
fn benchmarks_are_found_judged_and_written_down() {
    let arena = arena();
    let text = arena.dyno(&["analyze", "--root", "code"]);
    let text = ended(&text, 0);
    for shown in [
        "3 files with",
        "measure (hand-written, measure.py:5)",
        "line 6: clock that is not monotonic: `time.time` follows the system clock",
        "line 7: setup inside the timed region: `np.random` prepares the work",
        "test_sorting (pytest-benchmark, tests/test_sorting.py:5)",
        "1. Measure 1 benchmark with a monotonic clock.",
        "broken.py:1: Here",
    ] {
        assert!(text.contains(shown), "`{shown}` is not in\n{text}");
    }
    assert!(!text.contains("ignored"), "{text}");
    for name in [
        "class_hierarchy.json",
        "function_signatures.json",
        "dependencies.json",
        "complexity.json",
        "summary.json",
        "summary.md",
        "index.html",
    ] {
        assert!(arena.path("out").join(name).is_file(), "{name}");
    }
    let json = arena.dyno(&["analyze", "--root", "code", "--json"]).json();
    let file: Value =
        serde_json::from_str(&fs::read_to_string(arena.path("out/summary.json")).expect("it was written"))
            .expect("JSON");
    assert_eq!(json, file);
    assert_eq!(json["total_benchmarks"], 2);
    assert_eq!(json["problems"][0]["line"], 1);
}

#[test]
fn a_pipeline_can_fail_on_what_is_found() {
    let arena = arena();
    let flawed = arena.dyno(&["analyze", "--root", "code", "--fail-on", "problems"]);
    ended(&flawed, 4);
    assert!(flawed.stderr.contains("--fail-on problems: 1 × benchmark with problems"), "{}", flawed.shown());
    ended(&arena.dyno(&["analyze", "--root", "code/tests", "--fail-on", "problems"]), 0);
    // Of a file that the grammar cannot read in a place, the rest was analysed.
    ended(&arena.dyno(&["analyze", "--root", "code", "--fail-on", "unread"]), 0);
    ended(
        &arena.dyno(&["analyze", "--root", "code", "--fail-on", "unread", "--max-file-bytes", "0.02kB"]),
        4,
    );
}

#[test]
fn a_benchmark_becomes_a_plugin_to_be_filled_in() {
    let arena = arena();
    let port = |bench: &str, into: &str, more: &[&str]| {
        let flags = ["analyze", "--root", "code", "--port", bench, "--into", into, "--lang", "c"];
        arena.dyno(&[&flags, more].concat())
    };
    let outcome = port("test_sorting", "ported", &[]);
    assert!(ended(&outcome, 0).contains("wrote the plugin `ported/test-sorting`"), "{}", outcome.shown());
    let source = fs::read_to_string(arena.path("work/ported/test-sorting/test-sorting.c")).expect("a source");
    for part in [
        "\"name\": \"test_sorting\"",
        "{\"name\": \"size\", \"type\": \"integer\", \"default\": 16, \"choices\": [16, 1024]}",
        "return dyno_fail(host, \"not filled in: write the work of `test_sorting` (tests/test_sorting.py:5)",
        "//   size = 16, 1024",
        "//         benchmark(sorted, list(range(size)))",
    ] {
        assert!(source.contains(part), "{part}\n{source}");
    }
    // One value is a default, and not the only choice.
    ended(&port("measure", "by-default", &[]), 0);
    let source = fs::read_to_string(arena.path("work/by-default/measure/measure.c")).expect("a source");
    assert!(source.contains("{\"name\": \"size\", \"type\": \"integer\", \"default\": 1000}"), "{source}");
    let again = port("test_sorting", "ported", &[]);
    ended(&again, 2);
    assert!(again.stderr.contains("is there already"), "{}", again.shown());

    // A file is known by the end of its path.
    ended(&port("test_sorting.py:test_sorting", "by-suffix", &[]), 0);
    ended(&port("test_sorting.py:6", "by-line", &[]), 0);
    ended(&port("sorting.py:test_sorting", "by-half", &[]), 2);

    let near = port("test_sortin", "nothing/here", &[]);
    ended(&near, 2);
    assert!(near.stderr.contains("did you mean `tests/test_sorting.py:test_sorting`?"), "{}", near.shown());
    let far = port("matrix", "nothing/here", &[]);
    ended(&far, 2);
    assert!(
        far.stderr.contains("no name of the 2 that were found") && !far.stderr.contains("test_sorting"),
        "{}",
        far.shown()
    );
    let sdk = port("test_sorting", "nothing/here", &["--sdk", "code"]);
    ended(&sdk, 2);
    assert!(sdk.stderr.contains("--sdk: `code` is not the SDK for Rust"), "{}", sdk.shown());
    assert!(!arena.path("work/nothing").exists());
}

#[test]
fn the_last_part_of_a_name_is_enough_if_it_is_unique() {
    let arena = arena();
    let suites: String = (0..12)
        .map(|at| {
            let only = if at == 3 { "    def time_values(self):\n        values()\n\n" } else { "" };
            format!("class TimeSuite{at}:\n    def time_keys(self):\n        keys()\n\n{only}")
        })
        .collect();
    fs::write(arena.path("work/code/suites.py"), suites).expect("the arena is writable");
    let port = |bench: &str| {
        arena.dyno(&["analyze", "--root", "code", "--port", bench, "--into", "ported", "--lang", "c"])
    };
    let several = port("time_keys");
    ended(&several, 2);
    for said in ["12 benchmarks", "`suites.py:TimeSuite0.time_keys`", " and 4 more"] {
        assert!(several.stderr.contains(said), "{}", several.shown());
    }
    assert!(!arena.path("work/ported").exists());
    let only = port("time_values");
    assert!(ended(&only, 0).contains("for `TimeSuite3.time_values`"), "{}", only.shown());
    ended(&port("suites.py:TimeSuite4.time_keys"), 0);
}

#[test]
fn a_plugin_that_is_not_filled_in_fails_its_check_and_says_so() {
    if !fixtures::has_compiler("cc") {
        println!("skipped: there is no C compiler on this machine");
        return;
    }
    let arena = arena();
    let flags = ["analyze", "--root", "code", "--port", "measure", "--into", ".", "--lang", "c"];
    ended(&arena.dyno(&flags), 0);
    let built = arena.dyno(&["build", "measure", "--plugins", "installed"]);
    ended(&built, 4);
    assert!(
        format!("{}{}", built.stdout, built.stderr)
            .contains("not filled in: write the work of `measure` (measure.py:5)"),
        "{}",
        built.shown()
    );
}

#[test]
fn an_application_is_no_benchmark() {
    let arena = arena();
    let text = "import time\ndef handle(request):\n    start = time.time()\n    answer(request)\n    log(time.time() - start)\n";
    fs::create_dir_all(arena.path("work/app/venv/lib")).expect("the arena is writable");
    fs::write(arena.path("work/app/server.py"), text).expect("the arena is writable");
    fs::write(arena.path("work/app/venv/pyvenv.cfg"), "").expect("the arena is writable");
    fs::write(arena.path("work/app/venv/lib/bench.py"), PYTHON).expect("the arena is writable");
    let outcome = arena.dyno(&["analyze", "--root", "app", "--fail-on", "problems"]);
    let text = ended(&outcome, 0);
    assert!(
        text.contains("1 file with")
            && text.contains("Left out, because their code is not of this tree: 1 virtual"),
        "{text}"
    );
    for (jobs, said) in [("0", "from 1 to 65535"), ("x", "from 1 to 65535")] {
        let outcome = arena.dyno(&["analyze", "--root", "app", "--jobs", jobs]);
        ended(&outcome, 2);
        assert!(outcome.stderr.contains(said), "{}", outcome.shown());
    }
}

#[test]
fn folders_that_cannot_be_used_are_one_sentence() {
    let arena = arena();
    for (root, said) in [("missing", "cannot be read"), ("code/measure.py", "is not a folder")] {
        let outcome = arena.dyno(&["analyze", "--root", root]);
        ended(&outcome, 2);
        assert!(outcome.stderr.contains(said) && outcome.stderr.lines().count() == 1, "{}", outcome.shown());
    }
    // Where the folder should be, a file is.
    fs::remove_dir_all(arena.path("out")).expect("the arena is writable");
    fs::write(arena.path("out"), "").expect("the arena is writable");
    let outcome = arena.dyno(&["analyze", "--root", "code"]);
    ended(&outcome, 5);
    assert!(
        outcome.stderr.contains("--output") && outcome.stderr.lines().count() == 1,
        "{}",
        outcome.shown()
    );
}
