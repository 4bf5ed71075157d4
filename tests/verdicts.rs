//! User story: somebody changed a kernel and asks whether it got slower, now or against what was stored.

use serde_json::{Value, json};

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello-c.so");
    arena
}

fn stored(arena: &Arena, arguments: &[&str]) -> String {
    let mut all = vec!["run", "sum_c", "--time", "50ms", "--json"];
    all.extend(arguments);
    let outcome = arena.dyno(&all);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    outcome.record().id
}

/// The C example with some of its text replaced: another plugin, or another version of it.
fn variant(name: &str, replacements: &[(&str, &str)]) -> std::path::PathBuf {
    let mut source = std::fs::read_to_string(fixtures::root().join("examples/hello-c/hello.c"))
        .expect("the example is there");
    for (from, to) in replacements {
        assert!(source.contains(from), "the example has `{from}`");
        source = source.replacen(from, to, 1);
    }
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.c"));
    std::fs::write(&path, source).expect("it can be written");
    fixtures::example(path.to_str().expect("its name is text"))
}

fn twin() -> std::path::PathBuf {
    variant("twin", &[("\"id\": \"hello-c\"", "\"id\": \"twin\"")])
}

fn second_version() -> std::path::PathBuf {
    variant("second_version", &[("\"version\": \"1.0.0\"", "\"version\": \"2.0.0\"")])
}

/// A copy of a stored result as of another build, with times of our own, whose launches differ by a thousandth: no noise
/// decides a test.
fn retimed(arena: &Arena, run: &str, ns_per_iteration: f64) -> String {
    rewritten(arena, run, ns_per_iteration, true)
}

fn rewritten(arena: &Arena, run: &str, ns_per_iteration: f64, other_build: bool) -> String {
    let text = std::fs::read_to_string(arena.path(&format!("out/{run}.json"))).expect("a result file");
    let mut record: Value = serde_json::from_str(&text).expect("JSON");
    let launches = record["cases"][0]["launches"].as_array_mut().expect("launches");
    for (number, launch) in launches.iter_mut().enumerate() {
        let time = ns_per_iteration * (1.0 + 0.001 * number as f64);
        for sample in launch["samples"].as_array_mut().expect("samples") {
            let iterations = sample["iterations"].as_f64().expect("a count");
            sample["wall_ns"] = json!((time * iterations) as u64);
        }
    }
    if other_build {
        record["cases"][0]["plugin"]["sha256"] = json!(format!("{ns_per_iteration:064}"));
    }
    let path = arena.path(&format!("{ns_per_iteration}-{other_build}.json"));
    std::fs::write(&path, record.to_string()).expect("a file");
    path.display().to_string()
}

fn verdict(comparison: &Value, metric: &str) -> String {
    let metrics = comparison["cases"][0]["metrics"].as_array().cloned().unwrap_or_default();
    let found = metrics.iter().find(|it| it["name"] == metric).cloned().unwrap_or_default();
    found["verdict"].as_str().unwrap_or("none").to_owned()
}

#[track_caller]
fn refused(outcome: &Outcome, fragments: &[&str]) {
    assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
    for fragment in fragments {
        assert!(outcome.stderr.contains(fragment), "`{fragment}` is not in {}", outcome.shown());
    }
}

#[test]
fn twice_the_work_is_a_regression_and_half_an_improvement() {
    let arena = arena();
    let source = std::fs::read_to_string(fixtures::root().join("examples/hello-c/hello.c")).unwrap();
    let heavier = source.replacen("i < iterations", "i < 2 * iterations", 1);
    assert_ne!(heavier, source, "the example loops over its iterations");
    let doubled = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("twice_the_work.c");
    std::fs::write(&doubled, heavier).unwrap();
    let slow = fixtures::example(doubled.to_str().unwrap());
    let fast = fixtures::example("hello-c/hello.c");
    let (fast, slow) = (fast.to_str().unwrap(), slow.to_str().unwrap());
    let worse = arena.dyno(&["ab", fast, slow, "--json"]);
    assert_eq!(worse.code, Some(1), "{}", worse.shown());
    assert_eq!(verdict(&worse.json(), "time"), "regressed");
    let effect = worse.json()["cases"][0]["metrics"][0]["effect"].as_f64().unwrap();
    assert!((0.5..2.0).contains(&effect), "twice the work is about 100 % more time: {effect}");
    let better = arena.dyno(&["ab", slow, fast, "--json"]);
    assert_eq!((better.code, verdict(&better.json(), "time").as_str()), (Some(0), "improved"));
    let junit = arena.dyno(&["ab", fast, slow, "--format", "junit"]).stdout;
    assert!(junit.contains("failures=\"1\"") && junit.contains("<failure message="), "{junit}");
}

#[test]
fn the_same_file_twice_says_so_and_raises_no_large_alarm() {
    let arena = arena();
    let file = fixtures::example("hello-c/hello.c");
    let file = file.to_str().unwrap();
    let outcome = arena.dyno(&["ab", file, file, "--threshold", "50%", "-p", "n=1024,2048", "--json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    assert!(outcome.stderr.contains("same file"), "{}", outcome.shown());
    let comparison = outcome.json();
    assert_eq!(comparison["cases"].as_array().map(Vec::len), Some(2));
    assert!(comparison["cases"][0]["pairs"]["effects"].as_array().is_some_and(|pairs| pairs.len() >= 5));
}

#[test]
fn the_same_file_twice_is_never_an_alarm() {
    let arena = arena();
    let file = fixtures::example("hello-c/hello.c");
    let file = file.to_str().unwrap();
    // As eager to alarm as can be asked for.
    let eager = ["ab", file, file, "--threshold", "0.0001%", "--alpha", "0.5", "--budget", "4s", "--json"];
    let outcome = arena.dyno(&eager);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    let metric = &outcome.json()["cases"][0]["metrics"][0];
    assert!(metric["remark"].as_str().is_some_and(|it| it.starts_with("same build: ")), "{metric}");
    let number = |field: &str| metric[field].as_f64().expect("a number");
    let shown = number("candidate") / number("baseline") - 1.0;
    assert!((shown - number("effect")).abs() < 1e-9, "the change is that of the two values: {metric}");
}

#[test]
fn stored_results_of_the_same_build_differ_by_drift_and_never_alarm() {
    let arena = arena();
    let run = stored(&arena, &["--launches", "5"]);
    let (fast, slow) = (rewritten(&arena, &run, 1000.0, false), rewritten(&arena, &run, 1350.0, false));
    let outcome = arena.dyno(&["compare", &fast, &slow]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    let said = "same build: this difference is drift of the machine";
    assert!(outcome.stdout.contains(said) && !outcome.stdout.contains("\nregressed"), "{}", outcome.shown());
    let found = arena.dyno(&["compare", &fast, &slow, "--json"]).json();
    assert_eq!(found["cases"][0]["metrics"][0]["why"]["kind"], "same_build");
    assert_eq!(arena.dyno(&["compare", &fast, &slow, "--fail-inconclusive"]).code, Some(3));
}

#[test]
fn other_builds_are_held_against_the_drift_that_equal_builds_showed() {
    let arena = arena();
    arena.add(&second_version(), "second_version.so");
    let quick = |name: &str| {
        let outcome = arena.dyno(&["run", name, "--samples", "3", "--launches", "3", "--json"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
        outcome.record()
    };
    let first = quick("hello-c@1.0.0/sum_c");
    let second = quick("hello-c@1.0.0/sum_c");
    let new = quick("hello-c@2.0.0/sum_c");
    let found = arena.dyno(&["compare", &second.id, &new.id, "--json"]).json();
    let metrics = found["cases"][0]["metrics"].as_array().expect("the versions are compared");
    let drift = &metrics.iter().find(|it| it["name"] == "time").expect("every case has a time")["drift"];
    assert_eq!(drift["runs"], 2, "{found}");
    let median = |record: &dyno_core::model::RunRecord| {
        record.cases[0].metric("time").expect("it was measured").median
    };
    let (one, other) = (median(&first), median(&second));
    let seen = one.max(other) / one.min(other) - 1.0;
    assert!(drift["share"].as_f64().is_some_and(|share| (share - seen).abs() < 1e-9), "{drift} {seen}");
    let same = arena.dyno(&["compare", &first.id, &second.id, "--json"]).json();
    assert!(same["cases"][0]["metrics"][0]["drift"].is_null(), "equal builds need no floor: {same}");
}

/// The labels of the cases of a comparison, then the new and the removed ones.
fn labels(comparison: &Value) -> (Vec<String>, Vec<String>, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let cases = comparison["cases"].as_array().into_iter().flatten().map(|case| text(&case["label"]));
    (cases.collect(), list(&comparison["added"]), list(&comparison["removed"]))
}

#[test]
fn two_plugins_with_a_benchmark_of_one_name_are_never_mixed() {
    let arena = arena();
    arena.add(&twin(), "twin.so");
    let quick = |names: &[&str]| {
        let mut all = vec!["run", "--samples", "3", "--launches", "2"];
        all.extend(names);
        let outcome = arena.dyno(&all);
        assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    };
    quick(&["hello-c/sum_c", "twin/sum_c"]);
    let report = |format: &str| arena.dyno(&["report", "--format", format]).stdout;
    let bmf: Value = serde_json::from_str(&report("bmf")).expect("JSON");
    let (one, other) = ("hello-c/sum_c n=4096 (native, cpu)", "twin/sum_c n=4096 (native, cpu)");
    assert_eq!(
        bmf.as_object().map(|all| all.keys().map(String::as_str).collect::<Vec<_>>()),
        Some(vec![one, other])
    );
    for format in ["openmetrics", "github-benchmark", "junit", "gbench"] {
        let text = report(format);
        for plugin in ["hello-c", "twin"] {
            assert!(text.contains(plugin), "{format}: {text}");
        }
    }
    let metrics = report("openmetrics");
    let series: Vec<&str> = metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.rsplit_once(' ')?.0))
        .collect();
    let distinct: std::collections::HashSet<&&str> = series.iter().collect();
    assert_eq!(distinct.len(), series.len(), "no series twice: {metrics}");
    quick(&["twin/sum_c"]);
    let found = arena.dyno(&["compare", "last~1", "last", "--json"]).json();
    let none: Vec<String> = Vec::new();
    assert_eq!(labels(&found), (vec![other.to_owned()], none, vec![one.to_owned()]), "{found}");
    let history = arena.dyno(&["history", "sum_c", "--json"]).json();
    let points =
        |place: usize| (history[place]["label"].clone(), history[place]["points"].as_array().map(Vec::len));
    assert_eq!((points(0), points(1)), ((json!(one), Some(1)), (json!(other), Some(2))), "{history}");
    let own = arena.dyno(&["history", "twin/sum_c", "--json"]).json();
    assert_eq!(own.as_array().map(Vec::len), Some(1), "{own}");
    refused(&arena.dyno(&["history", "other/sum_c"]), &["no results of a benchmark `other/sum_c`"]);
    // Nothing in common: a gate that compares nothing is not green.
    quick(&["hello-c/sum_c"]);
    let nothing = arena.dyno(&["compare", "last~1", "last"]);
    assert_eq!(nothing.code, Some(3), "{}", nothing.shown());
    assert!(nothing.stderr.contains("nothing was compared"), "{}", nothing.shown());
}

#[test]
fn versions_are_compared_with_one_another_unless_a_side_has_several() {
    let arena = arena();
    arena.add(&second_version(), "second_version.so");
    let quick = |names: &[&str]| {
        let mut all = vec!["run", "--samples", "3", "--launches", "2", "--json"];
        all.extend(names);
        arena.dyno(&all).record().id
    };
    let (old, new) = ("hello-c@1.0.0/sum_c", "hello-c@2.0.0/sum_c");
    let (first, second) = (quick(&[old]), quick(&[new]));
    let none: Vec<String> = Vec::new();
    let found = arena.dyno(&["compare", &first, &second, "--json"]).json();
    assert_eq!(labels(&found), (vec!["sum_c n=4096 (native, cpu)".to_owned()], none.clone(), none.clone()));
    let both = quick(&[old, new]);
    let found = arena.dyno(&["compare", &second, &both, "--json"]).json();
    let named = |version: &str| vec![format!("hello-c@{version}/sum_c n=4096 (native, cpu)")];
    assert_eq!(labels(&found), (named("2.0.0"), named("1.0.0"), none));
}

#[test]
fn a_case_twice_in_a_request_is_refused_by_name() {
    let arena = arena();
    let file = fixtures::example("hello-c/hello.c");
    let file = file.to_str().unwrap();
    let said = &["`sum_c n=1024 (native, cpu)`", "more than once"];
    refused(&arena.dyno(&["run", "sum_c", "-p", "n=1024,2^10"]), said);
    refused(&arena.dyno(&["run", "sum_c", "hello-c/sum_c", "-p", "n=1024"]), said);
    refused(&arena.dyno(&["run", "sum_c", "--params", "{\"n\": [1024, 1024]}"]), said);
    refused(&arena.dyno(&["ab", file, file, "-p", "n=1024,1024"]), said);
    refused(&arena.dyno(&["aa", file, "-b", "sum_c", "-b", "*", "-p", "n=1024"]), said);
}

/// A file of hyperfine with these entries.
fn hyperfine(arena: &Arena, name: &str, entries: &Value) -> String {
    let path = arena.path(&format!("{name}.json"));
    std::fs::write(&path, json!({"results": entries}).to_string()).expect("a file");
    path.display().to_string()
}

#[test]
fn a_gate_is_never_green_by_accident() {
    let arena = arena();
    let entry = |command: &str, seconds: f64, code: i64| {
        let times: Vec<f64> = (0..5).map(|run| seconds * (1.0 + 0.001 * f64::from(run))).collect();
        json!({"command": command, "times": times, "exit_codes": vec![code; 5]})
    };
    let file = |name: &str, entries: Value| hyperfine(&arena, name, &entries);
    let base = file("base", json!([entry("a", 1.0, 0), entry("b", 1.0, 0)]));
    let renamed = file("renamed", json!([entry("c", 1.0, 0)]));
    let broken = file("broken", json!([entry("a", 1.0, 0), entry("b", 0.1, 2)]));
    let worse = file("worse", json!([entry("a", 2.0, 0), entry("b", 0.1, 2)]));
    let all_broken = file("all-broken", json!([entry("a", 0.1, 2)]));
    let twice = file("twice", json!([entry("a", 1.0, 0), entry("a", 1.0, 0), entry("b", 1.0, 0)]));
    let more = file("more", json!([entry("a", 1.0, 0), entry("b", 1.0, 0), entry("c", 1.0, 0)]));
    let empty = file("empty", json!([]));
    for (baseline, candidate, code, strict, said) in [
        (&base, &base, 0, 0, "0 inconclusive"),
        (&base, &more, 0, 0, "new"),
        (&base, &renamed, 3, 3, "nothing was compared"),
        (&base, &broken, 4, 4, "5 of 5 runs failed (exit code 2)"),
        (&base, &all_broken, 4, 4, "exit code 2"),
        (&base, &worse, 1, 1, "exit code 2"),
        (&broken, &base, 0, 3, "the baseline failed"),
        (&all_broken, &base, 3, 3, "nothing was compared"),
        (&base, &twice, 0, 3, "cannot be told apart"),
        (&base, &empty, 2, 2, "results"),
    ] {
        for (flag, expected) in [(None, code), (Some("--fail-inconclusive"), strict)] {
            let mut all = vec!["compare", baseline.as_str(), candidate.as_str()];
            all.extend(flag);
            let outcome = arena.dyno(&all);
            assert_eq!(outcome.code, Some(expected), "{all:?} {}", outcome.shown());
            let text = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(text.contains(said), "`{said}` is not in {}", outcome.shown());
        }
    }
    let found = arena.dyno(&["compare", &base, &broken, "--json"]).json();
    assert_eq!(
        (&found["unjudged"][0]["label"], &found["unjudged"][0]["why"]["kind"]),
        (&json!("b"), &json!("failed"))
    );
    let gate = arena.dyno(&["run", "sum_c", "--samples", "3", "--launches", "2", "--compare", &base]);
    assert_eq!(gate.code, Some(3), "{}", gate.shown());
}

#[test]
fn a_candidate_without_a_usable_result_is_never_green() {
    let arena = arena();
    let run = stored(&arena, &["--launches", "3"]);
    let base = retimed(&arena, &run, 1000.0);
    let record: Value = serde_json::from_str(&std::fs::read_to_string(&base).unwrap()).unwrap();
    let ended = |name: &str, status: Value, keeps_numbers: bool| {
        let mut record = record.clone();
        record["cases"][0]["status"] = status;
        if !keeps_numbers {
            record["cases"][0]["launches"] = json!([]);
            record["cases"][0]["metrics"] = json!([]);
        }
        let path = arena.path(&format!("{name}.json"));
        std::fs::write(&path, record.to_string()).expect("a file");
        path.display().to_string()
    };
    let failed = json!({"state": "failed", "stage": "sample", "reason": {"message": "it broke"}});
    let timed_out = json!({"state": "timed_out", "stage": "sample", "limit_s": 3.0});
    for (name, status, keeps_numbers, said) in [
        ("failed", failed, true, "it broke"),
        ("timed-out", timed_out, true, "timed out in sample after 3 s"),
        ("queued", json!({"state": "queued"}), false, "the case is queued"),
        ("cancelled", json!({"state": "cancelled"}), false, "the case is cancelled"),
        ("empty", json!({"state": "completed"}), false, "has no metric"),
    ] {
        let candidate = ended(name, status, keeps_numbers);
        let outcome = arena.dyno(&["compare", &base, &candidate]);
        assert_eq!(outcome.code, Some(4), "{name}: {}", outcome.shown());
        assert!(outcome.stdout.contains(said), "{name}: {}", outcome.shown());
    }
}

#[test]
fn entries_told_apart_by_parameters_only_are_not_compared_crosswise() {
    let arena = arena();
    let entry = |size: u32, seconds: f64| {
        let times: Vec<f64> = (0..5).map(|run| seconds * (1.0 + 0.001 * f64::from(run))).collect();
        json!({"command": "solve", "times": times, "parameters": {"size": size.to_string()}})
    };
    let old = hyperfine(&arena, "old", &json!([entry(10, 1.0), entry(20, 2.0), entry(40, 4.0)]));
    let new = hyperfine(&arena, "new", &json!([entry(40, 4.0), entry(20, 2.0)]));
    let outcome = arena.dyno(&["compare", &old, &new, "--json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    let found = outcome.json();
    let named = |size: u32| format!("solve size={size}");
    assert_eq!(labels(&found), (vec![named(40), named(20)], vec![], vec![named(10)]), "{found}");
    assert_eq!(found["cases"][0]["metrics"][0]["verdict"], "equivalent");
}

#[test]
fn thresholds_above_all_are_accepted_and_ambiguous_ones_explained() {
    let arena = arena();
    let old = hyperfine(&arena, "old", &json!([{"command": "a", "times": [1.0, 1.001, 1.002]}]));
    let new = hyperfine(&arena, "new", &json!([{"command": "a", "times": [2.0, 2.001, 2.002]}]));
    for (threshold, code) in [("99%", 1), ("150%", 0), ("2.0", 0), ("1", 0), ("1000 %", 0)] {
        let outcome = arena.dyno(&["compare", &old, &new, "--threshold", threshold]);
        assert_eq!(outcome.code, Some(code), "{threshold} {}", outcome.shown());
    }
    for (threshold, said) in [
        ("5", &["`5%`", "`500%`"][..]),
        ("0", &["`0` is 0", "above 0"]),
        ("0%", &["`0%` is 0"]),
        ("=-1%", &["not a number"]),
        ("nan", &["not a number"]),
        ("inf", &["not a number"]),
        ("0,05", &["not a number", "`0.01`"]),
        ("", &["not a number"]),
    ] {
        refused(&arena.dyno(&["compare", &old, &new, "--threshold", threshold]), said);
    }
    refused(&arena.dyno(&["compare", &old, &new, "--alpha", "200%"]), &["--alpha", "`100%`"]);
}

#[test]
fn a_plugin_that_fails_on_one_side_is_a_remark_and_exit_4() {
    let arena = arena();
    let bad = fixtures::native("segfault_in_execute", "segfault_in_execute");
    let bad = bad.to_str().unwrap();
    let outcome = arena.dyno(&["ab", bad, bad]);
    assert_eq!(outcome.code, Some(4), "{}", outcome.shown());
    assert!(outcome.stdout.contains("SIGSEGV"), "{}", outcome.shown());
    arena.assert_clean(&outcome);
    let found = arena.dyno(&["ab", bad, bad, "--json"]).json();
    assert_eq!(found["cases"], json!([]), "nothing was measured, and no number is shown");
    assert_eq!(found["unjudged"][0]["why"]["kind"], "failed");
    let alone = arena.dyno(&["aa", bad, "--comparisons", "1"]);
    assert_eq!(alone.code, Some(4), "{}", alone.shown());
}

#[test]
fn sides_that_are_not_there_and_wrong_flags_are_usage_errors() {
    let arena = arena();
    let file = fixtures::example("hello-c/hello.c");
    let file = file.to_str().unwrap();
    refused(&arena.dyno(&["ab", file]), &["no candidate", "--wasm"]);
    refused(&arena.dyno(&["ab", file, "/nonexistent.so"]), &["/nonexistent.so: cannot be read"]);
    refused(&arena.dyno(&["ab", file, "nonexistent"]), &["neither a plugin file nor a plugin"]);
    refused(&arena.dyno(&["ab", file, file, "-b", "other"]), &["no benchmark `other` is in both", "sum_c"]);
    refused(&arena.dyno(&["ab", file, file, "-p", "n=0"]), &["`n`", "from 1 to"]);
    refused(&arena.dyno(&["ab", file, file, "--budget", "0s"]), &["--budget", "`0s` is zero"]);
    refused(&arena.dyno(&["ab", file, file, "--alpha", "0.9"]), &["--alpha", "0.9", "like 1%"]);
    refused(&arena.dyno(&["compare", "nowhere.json"]), &["neither a file, nor a stored run"]);
    let broken = arena.path("broken.json");
    std::fs::write(&broken, "{\"schema\": \"dyno.result\", \"version\": 99}").unwrap();
    refused(&arena.dyno(&["compare", broken.to_str().unwrap()]), &["version 99", "newer dyno"]);
    refused(&arena.dyno(&["run", "sum_c", "--compare", "nowhere"]), &["neither a file, nor a stored run"]);
}

#[test]
fn stored_runs_are_judged_in_the_direction_of_each_metric() {
    let arena = arena();
    let run = stored(&arena, &["--launches", "5"]);
    let (fast, slow) = (retimed(&arena, &run, 1000.0), retimed(&arena, &run, 1100.0));
    let same = arena.dyno(&["compare", &fast, &fast, "--all", "--json"]);
    assert_eq!(
        (same.code, verdict(&same.json(), "time").as_str()),
        (Some(0), "equivalent"),
        "{}",
        same.shown()
    );
    let worse = arena.dyno(&["compare", &fast, &slow, "--json"]);
    assert_eq!(worse.code, Some(1), "{}", worse.shown());
    assert_eq!(verdict(&worse.json(), "time"), "regressed");
    assert_eq!(verdict(&worse.json(), "items_per_second"), "regressed", "less throughput is worse");
    let better = arena.dyno(&["compare", &slow, &fast, "--json"]);
    assert_eq!((better.code, verdict(&better.json(), "time").as_str()), (Some(0), "improved"));
    let tolerant = arena.dyno(&["compare", &fast, &slow, "--threshold", "20%"]);
    assert_eq!(tolerant.code, Some(0), "{}", tolerant.shown());
    let markdown = arena.dyno(&["compare", &fast, &slow, "--format", "markdown"]).stdout;
    assert!(markdown.starts_with("### Benchmarks:") && markdown.contains("| regressed |"), "{markdown}");
}

#[test]
fn comparisons_and_runs_are_written_in_the_formats_of_other_tools() {
    let arena = arena();
    let run = stored(&arena, &["--launches", "5", "--save-baseline=good"]);
    let (fast, slow) = (retimed(&arena, &run, 1000.0), retimed(&arena, &run, 1100.0));
    let compared = |format: &str| {
        let outcome = arena.dyno(&["compare", &fast, &slow, "--format", format]);
        assert_eq!(outcome.code, Some(1), "{}", outcome.shown());
        outcome.stdout
    };
    let csv = compared("csv");
    assert!(csv.starts_with("case,metric,unit,better,verdict,"), "{csv}");
    assert!(csv.lines().any(|row| row.contains(",time,ns,lower,regressed,")), "{csv}");
    let bmf: Value = serde_json::from_str(&compared("bmf")).expect("JSON");
    let change = bmf.as_object().and_then(|all| all.values().next()?["change-of-latency"]["value"].as_f64());
    assert!(change.is_some_and(|change| (change - 0.1).abs() < 0.01), "{bmf}");
    let metrics = compared("openmetrics");
    assert!(metrics.contains("metric=\"time\",dyno_verdict=\"regressed\"} 1"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    let text = compared("text");
    assert_eq!(text.lines().filter(|line| line.starts_with("regressed")).count(), 1, "{text}");
    assert!(text.contains("so are items_per_second"), "{text}");
    let same = arena.dyno(&["compare", "baseline:good", &run]);
    assert_eq!(same.code, Some(0), "{}", same.shown());
    refused(&arena.dyno(&["compare", "baseline:bad"]), &["no baseline `bad`", "good"]);

    let quick = |more: &[&str]| {
        let mut all = vec!["run", "sum_c", "--samples", "3", "--launches", "2"];
        all.extend(more);
        arena.dyno(&all)
    };
    let junit = quick(&["--format", "junit"]);
    assert!(junit.stdout.contains("tests=\"1\" failures=\"0\""), "{}", junit.shown());
    let list = quick(&["--format", "github-benchmark"]);
    let list: Value = serde_json::from_str(&list.stdout).expect("JSON and nothing else");
    assert_eq!(list[0]["unit"], "ns");
    let file = arena.path("result.parquet");
    let parquet = quick(&["--format", "parquet", "--file", file.to_str().unwrap()]);
    assert_eq!(parquet.code, Some(0), "{}", parquet.shown());
    assert!(std::fs::read(&file).is_ok_and(|bytes| bytes.starts_with(b"PAR1")));
    let gated = quick(&["--compare", &fast, "--format", "junit", "--threshold", "0.99"]);
    assert!(gated.stdout.contains("name=\"time\""), "a comparison where there is one: {}", gated.shown());
    refused(&quick(&["--format", "parquet"]), &["--file"]);
    let annotated = quick(&["--format", "github"]);
    assert!(
        annotated.stdout.ends_with("1 of 1 cases have a result, 0 failed, 0 were skipped or did not end\n"),
        "{}",
        annotated.shown()
    );
}

#[test]
fn a_case_with_one_launch_says_why_it_has_no_verdict() {
    let arena = arena();
    let run = stored(&arena, &["--launches", "1"]);
    let outcome = arena.dyno(&["compare", &run, &run]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    assert!(
        outcome.stdout.contains("has only one launch") && outcome.stdout.contains("--launches 5"),
        "{}",
        outcome.shown()
    );
    assert_eq!(arena.dyno(&["compare", &run, &run, "--fail-inconclusive"]).code, Some(3));
}

#[test]
fn a_run_gates_against_the_one_before() {
    let arena = arena();
    let first = stored(&arena, &["--launches", "3"]);
    let gate =
        ["run", "sum_c", "--time", "50ms", "--launches", "3", "--compare", "last", "--threshold", "0.99"];
    let outcome = arena.dyno(&gate);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    assert!(outcome.stdout.contains(&format!("baseline   run {first}")), "{}", outcome.shown());
}

#[test]
fn baselines_are_saved_by_name_and_those_there_are_are_listed() {
    let arena = arena();
    stored(&arena, &["--launches", "3", "--save-baseline=good"]);
    let gate =
        ["run", "sum_c", "--time", "50ms", "--launches", "3", "--baseline=good", "--threshold", "0.99"];
    let outcome = arena.dyno(&gate);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    assert!(outcome.stdout.contains("equivalent"), "{}", outcome.shown());
    refused(&arena.dyno(&["run", "sum_c", "--baseline=bad"]), &["no baseline `bad`", "there are good"]);
    refused(&arena.dyno(&["run", "sum_c", "--baseline"]), &["no git branch", "--baseline=main"]);
}

#[test]
fn noise_is_measured_stored_and_used() {
    let arena = arena();
    let file = fixtures::example("hello-c/hello.c");
    let file = file.to_str().unwrap();
    let report = arena.dyno(&["aa", file, "--comparisons", "10", "--threshold", "50%", "--json"]);
    assert_eq!(report.code, Some(0), "{}", report.shown());
    let case = report.json()["cases"][0].clone();
    assert_eq!(case["comparisons"], 10);
    assert!(case["pairs"].as_u64().is_some_and(|pairs| pairs >= 50), "{case}");
    let used = arena.dyno(&["ab", file, file, "--threshold", "50%", "--json"]).json();
    assert_eq!(used["cases"][0]["pairs"]["rule"], "confidence-sequence");
    let twin = twin().display().to_string();
    for other in [&["ab", file, file, "-p", "n=99"][..], &["ab", twin.as_str(), twin.as_str()]] {
        let mut all = other.to_vec();
        all.extend(["--threshold", "50%", "--json"]);
        let found = arena.dyno(&all).json();
        assert_eq!(found["cases"][0]["pairs"]["rule"], "group-sequential", "of this case nothing is known");
    }
}

#[test]
fn a_history_has_a_point_per_run_and_says_what_there_is() {
    let arena = arena();
    let runs: Vec<String> = (0..3).map(|_| stored(&arena, &["--launches", "2"])).collect();
    let history = arena.dyno(&["history", "sum_c", "--json"]).json();
    let points = history[0]["points"].as_array().cloned().unwrap_or_default();
    let found: Vec<&str> = points.iter().filter_map(|point| point["run"].as_str()).collect();
    assert_eq!(found, runs);
    let shown = arena.dyno(&["history", "sum_c", "--metric", "items_per_second"]);
    assert!(shown.stdout.contains("3 runs from") && shown.stdout.contains("items/s"), "{}", shown.shown());
    refused(&arena.dyno(&["history", "sum"]), &["no results of a benchmark `sum`", "sum_c"]);
    refused(&arena.dyno(&["history", "sum_c", "--metric", "x"]), &["metric `x`"]);
    let accepted = arena.dyno(&["history", "sum_c", "--accept", &runs[1], "--note", "on purpose"]);
    assert_eq!(accepted.code, Some(0), "{}", accepted.shown());
    refused(&arena.dyno(&["history", "sum_c", "--accept", "zzz"]), &["there is no run `zzz`"]);
}

/// Reads one HTTP request and answers it.
fn answer_once(listener: &std::net::TcpListener) -> String {
    use std::io::{Read, Write};

    let (mut stream, _) = listener.accept().expect("the webhook is called");
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk).expect("a request");
        request.extend(&chunk[..count]);
        let text = String::from_utf8_lossy(&request);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if count == 0 || length.is_some_and(|length| body.len() >= length) {
            break;
        }
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("an answer");
    String::from_utf8_lossy(&request).into_owned()
}

#[test]
fn a_regression_is_told_by_webhook_and_command_and_lost_ones_change_no_verdict() {
    let mut arena = arena();
    let run = stored(&arena, &["--launches", "5"]);
    let (fast, slow) = (retimed(&arena, &run, 1000.0), retimed(&arena, &run, 1100.0));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let note = arena.path("note.json");
    let file = arena.path("work/dyno.toml");
    let settings = |webhook: &str| {
        let command = format!("cat > '{}'", note.display());
        let text = format!("notify-webhook = \"{webhook}\"\nnotify-command = \"{command}\"\n");
        std::fs::write(&file, text).unwrap();
    };
    // Whoever wrote a file into this folder does not choose where results go.
    settings(&format!("http://{address}/hook/secret"));
    let found = arena.dyno(&["compare", &fast, &slow]);
    refused(&found, &["notify-webhook from file", "`--config dyno.toml`"]);
    arena.set("DYNO_CONFIG", "dyno.toml");
    let called = std::thread::spawn(move || answer_once(&listener));
    assert_eq!(arena.dyno(&["compare", &fast, &slow]).code, Some(1));
    let request = called.join().unwrap();
    assert!(
        request.starts_with("POST /hook/secret ") && request.contains("\"schema\":\"dyno.notification\"")
    );
    let body: Value = serde_json::from_str(&std::fs::read_to_string(&note).unwrap()).unwrap();
    assert_eq!(body["event"], "regression");
    assert!(body["regressions"][0]["effect"].as_f64().is_some_and(|effect| effect > 0.05), "{body}");
    std::fs::remove_file(&note).unwrap();
    assert_eq!(arena.dyno(&["compare", &slow, &fast]).code, Some(0));
    assert!(!note.exists(), "an improvement is not told");
    settings("http://127.0.0.1:1/hook/secret");
    let lost = arena.dyno(&["compare", &fast, &slow]);
    assert_eq!(lost.code, Some(1), "{}", lost.shown());
    assert!(lost.stderr.contains("cannot be reached") && !lost.stderr.contains("secret"), "{}", lost.shown());
}

#[test]
fn the_recipes_use_commands_and_flags_that_exist() {
    for name in ["github-actions.yml", "gitlab-ci.yml"] {
        let text = std::fs::read_to_string(fixtures::root().join("examples/ci").join(name)).unwrap();
        let commands: Vec<&str> =
            text.lines().filter_map(|line| Some(&line[line.find("dyno a")?..])).collect();
        assert_eq!(commands.len(), 2, "{name} has `dyno aa` and `dyno ab`");
        for command in commands {
            let mut words = command.split_whitespace().skip(1);
            let help = arena().dyno(&[words.next().unwrap(), "--help"]).stdout;
            for flag in words.filter(|word| word.starts_with("--")) {
                assert!(help.contains(flag), "{name}: `{command}` has {flag}, which is no flag");
            }
        }
    }
}
