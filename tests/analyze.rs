//! User story: somebody has a folder full of benchmarks of all kinds, and asks what to move to dyno and how.

use std::fs;

use serde_json::Value;

use crate::support::arena::{Arena, Outcome};

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
    let outcome = arena.dyno(&[
        "analyze",
        "--root",
        "code",
        "--port",
        "test_sorting",
        "--into",
        "ported",
        "--lang",
        "c",
    ]);
    assert!(ended(&outcome, 0).contains("wrote the plugin `ported/test-sorting`"), "{}", outcome.shown());
    let source = fs::read_to_string(arena.path("work/ported/test-sorting/test-sorting.c")).expect("a source");
    for part in ["\"test_sorting\"", "//   size = 16, 1024", "    benchmark(sorted, list(range(size)))"] {
        assert!(
            source.split('\n').any(|line| line.contains(part)) || source.contains(part),
            "{part}\n{source}"
        );
    }
    let again = arena.dyno(&[
        "analyze",
        "--root",
        "code",
        "--port",
        "test_sorting",
        "--into",
        "ported",
        "--lang",
        "c",
    ]);
    ended(&again, 2);
    assert!(again.stderr.contains("is there already"), "{}", again.shown());
    let unknown = arena.dyno(&["analyze", "--root", "code", "--port", "test_sortin"]);
    ended(&unknown, 2);
    assert!(unknown.stderr.contains("`tests/test_sorting.py:test_sorting`"), "{}", unknown.shown());
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
