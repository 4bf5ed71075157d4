//! User story: what was measured is read again, as a table, a result file, a report, a spreadsheet, and all say the same.

mod schema;

use std::fs;

use dyno_core::{
    model::{CaseRecord, RunRecord},
    stats::median,
};
use serde_json::{Value, json};

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

const QUICK: [&str; 6] = ["--time", "30ms", "--launches", "3", "--json", "--timeout"];

/// An arena with a good benchmark that has a parameter, and one for each way to end badly.
fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello-c.so");
    for name in ["fails_with_a_reason", "segfault_in_execute", "loop_forever"] {
        arena.add(&fixtures::native(name, name), &format!("{name}.so"));
    }
    arena
}

fn run(arena: &Arena, arguments: &[&str], timeout: &str) -> Outcome {
    let mut all = vec!["run"];
    all.extend(arguments);
    all.extend(QUICK);
    all.push(timeout);
    arena.dyno(&all)
}

/// Two sizes of one benchmark, on a device that is there.
fn two_sizes(arena: &Arena) -> Outcome {
    let outcome = run(arena, &["sum_c", "-p", "n=64,4096", "--tag", "nightly, \"quoted\""], "30s");
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    outcome
}

/// The result file of a run, as it lies in the output folder.
fn file(arena: &Arena, record: &RunRecord) -> Value {
    let text = fs::read_to_string(arena.path(&format!("out/{}.json", record.id)))
        .expect("the run has left a result file");
    serde_json::from_str(&text).expect("the result file is JSON")
}

fn published() -> Value {
    let text = fs::read_to_string(fixtures::root().join("docs/schemas/result.json"))
        .expect("the schema is published");
    serde_json::from_str(&text).expect("the schema is JSON")
}

#[track_caller]
fn near(what: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{what}: {found}, expected {expected}");
}

#[test]
fn every_end_of_a_case_follows_the_published_schema() {
    let arena = arena();
    let names = ["sum_c", "fails_with_a_reason", "segfault_in_execute", "loop_forever"];
    let mut arguments = names.to_vec();
    arguments.extend(["--hardware", "cpu,cuda", "--tag", "all"]);
    let outcome = run(&arena, &arguments, "3s");
    assert_eq!(outcome.code, Some(4), "{}", outcome.shown());
    let record = outcome.record();
    let states: Vec<&str> = record.cases.iter().map(|case| case.status.word()).collect();
    for state in ["completed", "failed", "timed_out", "skipped"] {
        assert!(states.contains(&state), "no case is {state}: {states:?}");
    }
    let file = file(&arena, &record);
    assert_eq!(schema::violations(&published(), &file), Vec::<String>::new());
    let stored = arena.dyno(&["results", "--json"]).json();
    assert_eq!(schema::violations(&published(), &stored), Vec::<String>::new(), "without samples too");
    let precise = arena.dyno(&["run", "sum_c", "--precision", "20%", "--json"]);
    assert_eq!(schema::violations(&published(), &precise.json()), Vec::<String>::new());
}

#[test]
fn the_schema_refuses_what_is_no_result() {
    let arena = arena();
    let good = file(&arena, &two_sizes(&arena).record());
    let published = published();
    assert_eq!(schema::violations(&published, &good), Vec::<String>::new());
    for (pointer, broken) in [
        ("/id", json!(7)),
        ("/status", json!("fine")),
        ("/cases/0/index", json!(-1)),
        ("/cases/0/status", json!({"state": "failed"})),
        ("/cases/0/metrics/0/median", json!("fast")),
        ("/cases/0/metrics/0/better", json!("sideways")),
        ("/cases/0/launches/0/samples/0/wall_ns", json!(1.5)),
        ("/spec/settings", json!({})),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap_or_else(|| panic!("a result has {pointer}")) = broken;
        assert!(!schema::violations(&published, &bad).is_empty(), "a wrong {pointer} passes");
    }
    let mut more = good.clone();
    more["cases"][0]["undocumented"] = json!(1);
    assert!(!schema::violations(&published, &more).is_empty(), "an undocumented field passes");
    let mut less = good;
    less["cases"][0].as_object_mut().unwrap().remove("params");
    assert!(!schema::violations(&published, &less).is_empty(), "a missing field passes");
}

#[test]
fn the_summary_is_that_of_the_stored_samples() {
    let arena = arena();
    let record = two_sizes(&arena).record();
    for case in &record.cases {
        let n = case.params["n"].to_string().parse::<f64>().unwrap();
        assert_eq!(case.launches.len(), 3, "{}", case.label());
        let time = case.metric("time").expect("what completed has a time");
        let per_launch = |value: &dyn Fn(&dyno_core::model::Sample) -> f64| -> Vec<f64> {
            case.launches
                .iter()
                .filter_map(|it| median(&it.samples.iter().map(value).collect::<Vec<_>>()))
                .collect()
        };
        let times = per_launch(&|sample| sample.wall_ns as f64 / sample.iterations as f64);
        near("the headline", time.median, median(&times).unwrap());
        let interval = time.interval.expect("three launches give an interval");
        assert!(interval.low <= time.median && time.median <= interval.high, "{interval:?}");
        assert_eq!(time.samples as usize, case.launches.iter().map(|it| it.samples.len()).sum::<usize>());
        let samples = case.launches.iter().flat_map(|launch| &launch.samples);
        for sample in samples {
            near("the items of a sample", sample.work.items, n * sample.iterations as f64);
            near("the bytes of a sample", sample.work.bytes, 4.0 * sample.work.items);
        }
        for (metric, per_iteration) in
            [("items_per_second", n), ("bytes_per_second", 4.0 * n), ("flop_per_second", n)]
        {
            let rates = per_launch(&|it| per_iteration * it.iterations as f64 * 1e9 / it.wall_ns as f64);
            near(metric, case.metric(metric).expect("work is reported").median, median(&rates).unwrap());
        }
        let memory = case.metric("peak_memory").expect("every worker uses memory");
        assert_eq!((memory.samples, memory.launches), (3, 3), "one value per launch");
    }
}

#[test]
fn one_benchmark_with_two_sizes_is_two_results_everywhere() {
    let arena = arena();
    let record = two_sizes(&arena).record();
    let rows = |text: &str| -> Vec<usize> {
        ["n=64", "n=4096"]
            .map(|size| text.lines().filter(|line| line.contains("sum") && line.contains(size)).count())
            .to_vec()
    };
    // Below the table, after an empty line, stands what must be said of it.
    let shown = arena.dyno(&["results"]).stdout;
    let table: Vec<&str> = shown.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows(&table.join("\n")), [1, 1], "{shown}");
    let report = fs::read_to_string(arena.path(&format!("out/{}.md", record.id))).unwrap();
    let table: Vec<&str> = report.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(rows(&table.join("\n").replace('\\', "")), [1, 1], "{report}");
    let csv = arena.dyno(&["report", "--format", "csv"]).stdout;
    let metrics: Vec<usize> = record.cases.iter().map(|case| case.metrics.len()).collect();
    assert_eq!(rows(&csv), metrics, "a row per metric\n{csv}");
    let columns: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
    assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "{csv}");
    let file = file(&arena, &record);
    let sizes: Vec<&Value> =
        file["cases"].as_array().unwrap().iter().map(|case| &case["params"]["n"]).collect();
    assert_eq!(sizes, [&json!(64), &json!(4096)]);
}

#[test]
fn the_report_tells_what_did_not_complete_and_why() {
    let arena = arena();
    let outcome = run(
        &arena,
        &["fails_with_a_reason", "sum_c", "segfault_in_execute", "--hardware", "cpu,cuda"],
        "30s",
    );
    assert_eq!(outcome.code, Some(4), "{}", outcome.shown());
    let report = arena.dyno(&["report"]).stdout.replace('\\', "");
    let after = report.split("## Not completed").nth(1).unwrap_or_else(|| panic!("{report}"));
    for fragment in ["failed in stage setup: the moon is in the wrong phase", "SIGSEGV", "skipped", "cuda"] {
        assert!(after.contains(fragment), "`{fragment}` is not in {after}");
    }
    assert!(report.split("## Not completed").next().is_some_and(|before| before.contains("| sum_c |")));
    let table = arena.dyno(&["results"]).stdout;
    assert!(table.contains("the moon is in the wrong phase") && table.contains("skipped"), "{table}");
}

#[test]
fn runs_are_found_by_name_place_and_tag() {
    let arena = arena();
    let first = two_sizes(&arena).record();
    let second = run(&arena, &["sum_c"], "30s").record();
    let id = |arguments: &[&str]| arena.dyno(arguments).record().id;
    assert_eq!(id(&["results", "--json"]), second.id);
    assert_eq!(id(&["results", "last~1", "--json"]), first.id);
    assert_eq!(id(&["results", &first.id, "--json"]), first.id);
    // Both were begun within a moment, so that the beginnings of their identifiers are equal.
    let ambiguous = arena.dyno(&["results", &first.id[..4]]);
    assert_eq!(ambiguous.code, Some(2), "{}", ambiguous.shown());
    for run in [&first, &second] {
        assert!(ambiguous.stderr.contains(&run.id), "{}", ambiguous.shown());
    }
    let before = arena.dyno(&["results", "last~2"]);
    assert_eq!(before.code, Some(2), "{}", before.shown());
    let ids = |arguments: &[&str]| -> Vec<String> {
        let runs = arena.dyno(arguments).json();
        runs.as_array()
            .into_iter()
            .flatten()
            .filter_map(|run| run["id"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(ids(&["results", "--list", "--json"]), [second.id.clone(), first.id.clone()]);
    assert_eq!(ids(&["results", "--list", "--limit", "1", "--json"]), [second.id]);
    assert_eq!(ids(&["results", "--list", "--tag", "nightly, \"quoted\"", "--json"]), [first.id]);
}

#[test]
fn a_report_goes_where_it_is_told() {
    let arena = arena();
    let record = two_sizes(&arena).record();
    let target = arena.path("out/copy.json");
    let written = arena.dyno(&["report", "--format", "json", "-o", target.to_str().unwrap()]);
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""), "{}", written.shown());
    let copy: Value = serde_json::from_str(&fs::read_to_string(&target).unwrap()).unwrap();
    assert_eq!(copy, file(&arena, &record));
    let parquet = arena.path("out/it's.parquet");
    let written = arena.dyno(&["report", "--format", "parquet", "-o", parquet.to_str().unwrap()]);
    assert_eq!(written.code, Some(0), "{}", written.shown());
    let bytes = fs::read(&parquet).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let nowhere = arena.dyno(&["report", "--format", "parquet"]);
    assert_eq!(nowhere.code, Some(2), "{}", nowhere.shown());
    let gbench = arena.path("out/gbench.json");
    arena.dyno(&["report", "--format", "gbench", "-o", gbench.to_str().unwrap()]);
    let compared = arena.dyno(&["compare", gbench.to_str().unwrap(), gbench.to_str().unwrap(), "--all"]);
    assert!(compared.stdout.contains("sum_c n=64"), "{}", compared.shown());
    let nowhere = arena.dyno(&["report", "-o", "/nonexistent/report.md"]);
    assert_eq!(nowhere.code, Some(2), "{}", nowhere.shown());
    assert!(nowhere.stderr.contains("/nonexistent/report.md"), "{}", nowhere.shown());
}

#[test]
fn a_seed_gives_the_same_interval_from_the_same_samples() {
    let arena = arena();
    let record = run(&arena, &["sum_c", "--seed", "42"], "30s").record();
    assert_eq!(record.spec.settings.seed, 42);
    let case: &CaseRecord = &record.cases[0];
    let options = dyno_core::stats::SummaryOptions { seed: 42, ..Default::default() };
    let again = dyno_core::stats::summarise_case(&case.launches, &[], &options);
    assert_eq!(again, case.metrics, "whoever has the result file can make the summary again");
}

/// Text that would be structure, a command or a trick, wherever it were passed on as it is.
const NASTY: &str = "\u{1b}[2J\u{1b}[31mx\r\ny\u{9b}|`<b>\u{202e}\u{ffff} ##[add-mask]z, a::b%";

/// Every format of `dyno report` that is text.
const RUN_FORMATS: [&str; 11] = [
    "markdown",
    "html",
    "json",
    "csv",
    "samples-csv",
    "bmf",
    "gbench",
    "github-benchmark",
    "junit",
    "github",
    "openmetrics",
];

/// Nothing in it steers a terminal, breaks a line, or turns the direction of writing around.
#[track_caller]
fn harmless(what: &str, text: &str) {
    let bad = |c: &char| {
        (c.is_control() && !matches!(c, '\n' | '\r')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{ffff}')
    };
    assert_eq!(text.chars().find(bad), None, "{what}: {text:?}");
    assert_eq!(text.replace("\r\n", "").matches('\r').count(), 0, "{what}: {text:?}");
    let is_for_people = ["text", "github"].iter().any(|it| what.ends_with(it)) || !what.contains(" as ");
    assert!(!is_for_people || !text.contains("##[") || what.ends_with("json"), "{what}: {text:?}");
    let commands = text.lines().filter(|line| line.trim_start().starts_with("::"));
    let known = |line: &str| {
        ["::error title=dyno ", "::warning title=dyno ", "::notice title=dyno "]
            .iter()
            .any(|it| line.starts_with(it))
    };
    assert!(commands.into_iter().all(|line| what.contains("github") && known(line)), "{what}: {text}");
}

/// A file of hyperfine with so many commands, each by a share slower than the last.
fn hyperfine(arena: &Arena, name: &str, commands: &[String], factor: f64) -> String {
    let results: Vec<Value> = commands
        .iter()
        .map(|command| {
            let times: Vec<f64> =
                [1.0, 1.001, 0.999, 1.0005, 0.9995].iter().map(|time| time * factor).collect();
            json!({"command": command, "times": times, "mean": factor, "exit_codes": [0, 0, 0, 0, 0]})
        })
        .collect();
    let path = arena.path(name);
    fs::write(&path, json!({ "results": results }).to_string()).expect("it can be written");
    path.to_str().expect("its name is text").to_owned()
}

#[test]
fn names_out_of_files_of_others_do_no_harm_in_any_format() {
    let arena = Arena::new();
    let names = [NASTY.to_owned(), format!("::error::{NASTY}"), "=cmd()".to_owned(), "x".repeat(20_000)];
    let old = hyperfine(&arena, "old.json", &names, 1.0);
    let new = hyperfine(&arena, "new.json", &names, 2.0);
    for format in ["text", "markdown", "junit", "github", "json", "csv", "bmf", "openmetrics"] {
        let outcome = arena.dyno(&["compare", &old, &new, "--format", format]);
        assert_eq!(outcome.code, Some(1), "{}", outcome.shown());
        harmless(&format!("comparison as {format}"), &outcome.stdout);
        harmless("standard error", &outcome.stderr);
    }
    let text = arena.dyno(&["compare", &old, &new, "--all"]).stdout;
    assert!(text.lines().all(|line| line.chars().count() < 1_000), "{text}");
    let whole = arena.dyno(&["compare", &old, &new, "--json"]).json();
    let labels = whole["cases"].as_array().unwrap().iter().filter_map(|case| case["label"].as_str());
    assert!(labels.into_iter().any(|label| label.len() >= 20_000), "JSON holds names whole");
    // An error repeats what was given.
    let refused = arena.dyno(&["compare", NASTY]);
    assert_eq!(refused.code, Some(2), "{}", refused.shown());
    harmless("an error", &refused.stderr);
    let usage = arena.dyno(&[NASTY]);
    assert_eq!(usage.code, Some(2), "{}", usage.shown());
    harmless("an error of the flags", &usage.stderr);
}

#[test]
fn tags_and_baselines_do_no_harm_in_any_output() {
    let arena = arena();
    let outcome = arena.dyno(&[
        "run",
        "sum_c",
        "fails_with_a_reason",
        "--samples",
        "2",
        "--launches",
        "1",
        "--tag",
        NASTY,
    ]);
    assert_eq!(outcome.code, Some(4), "{}", outcome.shown());
    harmless("the run", &outcome.stdout);
    harmless("its progress", &outcome.stderr);
    let saved = arena.dyno(&[
        "run",
        "sum_c",
        "--samples",
        "2",
        "--launches",
        "1",
        "--tag",
        NASTY,
        &format!("--save-baseline={NASTY}"),
    ]);
    harmless("saving a baseline", &saved.stderr);
    for arguments in [
        &["results"][..],
        &["results", "--list"],
        &["results", "--list", "--json"],
        &["compare", "baseline:nowhere"],
        &["sql", "SELECT tags, spec_json FROM runs"],
    ] {
        let outcome = arena.dyno(arguments);
        harmless(&arguments.join(" "), &outcome.stdout);
        harmless(&arguments.join(" "), &outcome.stderr);
    }
    for format in RUN_FORMATS {
        harmless(&format!("run as {format}"), &arena.dyno(&["report", "--format", format]).stdout);
    }
}

#[test]
fn every_format_tells_what_failed_and_what_was_skipped() {
    let arena = arena();
    let outcome = run(&arena, &["fails_with_a_reason", "sum_c", "--hardware", "cpu,cuda"], "30s");
    assert_eq!(outcome.code, Some(4), "{}", outcome.shown());
    for format in RUN_FORMATS {
        let outcome = arena.dyno(&["report", "--format", format]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
        let (failed, skipped) = match format {
            // These have no words for it, as the documents say.
            "bmf" | "github-benchmark" => continue,
            "openmetrics" => ("dyno_case_status=\"failed\"} 1", "dyno_case_status=\"skipped\"} 1"),
            _ => ("the moon is in the wrong phase", "cuda"),
        };
        for expected in [failed, skipped] {
            assert!(outcome.stdout.contains(expected), "`{expected}` is not in {format}: {}", outcome.stdout);
        }
    }
    let junit = arena.dyno(&["report", "--format", "junit"]).stdout;
    assert!(junit.contains("failures=\"1\"") && junit.contains("<skipped message="), "{junit}");
    let github = arena.dyno(&["report", "--format", "github"]).stdout;
    assert!(github.starts_with("::error title=dyno failed::"), "{github}");
}

#[test]
fn a_comparison_of_thousands_fits_where_it_is_shown() {
    let arena = Arena::new();
    let names: Vec<String> =
        (0..3_000).map(|number| format!("work --size {number} | tee {number}.log")).collect();
    let old = hyperfine(&arena, "old.json", &names, 1.0);
    let new = hyperfine(&arena, "new.json", &names, 2.0);
    let compared = |format: &str| arena.dyno(&["compare", &old, &new, "--format", format]).stdout;
    let comment = compared("markdown");
    assert!(comment.chars().count() <= 65_536, "{}", comment.chars().count());
    assert!(comment.contains("more rows of failures and changes are left out here"), "{comment}");
    let annotations = compared("github");
    assert_eq!(annotations.lines().filter(|line| line.starts_with("::error")).count(), 10, "{annotations}");
    assert!(annotations.contains("2991 more are not shown"), "{annotations}");
    assert!(compared("text").lines().count() < 250);
    assert_eq!(compared("csv").lines().count(), 3_001, "formats for programs leave nothing out");
}
