//! Every tool's document in its true shape, and that no text makes a reader panic.

use dyno_core::model::{Better, Measured};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const GBENCH: &str = include_str!("testdata/gbench.json");
const HYPERFINE: &str = include_str!("testdata/hyperfine.json");
const ORIGINAL: &str = include_str!("testdata/original.json");
const QUERY: &str = include_str!("testdata/original-query.json");
const ESTIMATES: &str = include_str!("testdata/criterion-estimates.json");
const SAMPLE: &str = include_str!("testdata/criterion-sample.json");

/// Label, metric, unit, direction, values: every metric on one line.
fn lines(measured: &Measured) -> Vec<String> {
    let metrics = measured.cases.iter().flat_map(|case| case.metrics.iter().map(|it| (case.key.label(), it)));
    metrics
        .map(|(label, it)| {
            let direction = if it.better == Better::Lower { "lower" } else { "higher" };
            format!("{label}: {} [{}] {direction} {:?}", it.name, it.unit, it.launches)
        })
        .collect()
}

/// Every case without results and why, a line each.
fn reasons(measured: &Measured) -> Vec<String> {
    measured.missing.iter().map(|(key, why)| format!("{}: {why}", key.label())).collect()
}

fn theirs(text: &str) -> Measured {
    match detect(text) {
        Ok(Found::Theirs(measured)) => measured,
        other => panic!("{other:?}"),
    }
}

#[test]
fn google_benchmark_is_read() {
    let measured = theirs(GBENCH);
    assert_eq!(measured, gbench(GBENCH).unwrap());
    assert_eq!(
        lines(&measured),
        [
            "BM_Sum/1024: time [ns] lower [258.0, 260.0]",
            "BM_Sum/1024: items_per_second [items/s] higher [3968992248.0620155, 3938461538.4615383]",
            "BM_Sum/1024: bytes_per_second [bytes/s] higher [15875968992.248062, 15753846153.846153]",
            "BM_Sort: time [ns] lower [1500000.0]",
        ]
    );
    assert_eq!(reasons(&measured), ["BM_File: the candidate failed: no file \"NaN.txt\""]);
    let environment: Vec<String> =
        measured.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        environment,
        [
            "machine=8 processors",
            "host=bench",
            "library=v1.9.1",
            "build of the library=release",
            "CPU scaling=off",
            "address randomisation=on",
        ]
    );
}

#[test]
fn an_old_google_benchmark_names_its_aggregates_like_benchmarks() {
    let entry = |name: &str, time: f64| json!({"name": name, "real_time": time, "time_unit": "ms"});
    let list = [entry("a", 1.0), entry("a", 3.0), entry("a_mean", 2.0), entry("b_mean", 5.0)];
    let document = json!({"context": {}, "benchmarks": list}).to_string();
    assert_eq!(
        lines(&theirs(&document)),
        ["a: time [ns] lower [1000000.0, 3000000.0]", "b_mean: time [ns] lower [5000000.0]"]
    );
}

#[test]
fn hyperfine_is_read() {
    let measured = theirs(HYPERFINE);
    assert_eq!(measured, hyperfine(HYPERFINE).unwrap());
    assert_eq!(
        lines(&measured),
        [
            "sleep 0.1: time [ns] lower [101800000.0, 102200000.0, 102600000.0]",
            "sleep 0.1: peak_memory [bytes] lower [3538944.0, 3538944.0, 3670016.0]",
            "grep -c x 'a b.txt' pattern=x: time [ns] lower [2000000.0]",
        ]
    );
}

#[test]
fn entries_of_hyperfine_are_told_apart_by_their_parameters_or_not_at_all() {
    let entry = |size: &str| json!({"command": "x", "times": [1], "parameters": {"size": size}});
    let all = json!({"results": [
        entry("1"), entry("2"), entry("2"), {"command": "x", "times": [3]}, {"command": "y", "times": []}
    ]});
    let measured = theirs(&all.to_string());
    assert_eq!(
        lines(&measured),
        ["x size=1: time [ns] lower [1000000000.0]", "x: time [ns] lower [3000000000.0]"]
    );
    assert_eq!(
        reasons(&measured),
        [
            "x size=2: the candidate has 2 results of this name that cannot be told apart: none of them is compared",
            "y: the candidate was not measured: it has neither `times` nor a `median` that is a finite number"
        ]
    );
}

#[test]
fn runs_that_failed_are_not_measured() {
    for (codes, said) in [
        (json!([2, 2, 2]), Some("3 of 3 runs failed (exit code 2)")),
        (json!([null, 0]), Some("1 of 2 runs failed (killed by a signal)")),
        (json!([1, 2, null, 3, 4]), Some("(exit code 1, exit code 2, killed by a signal)")),
        (json!([0, 0]), None),
        (json!([]), None),
    ] {
        let document = json!({"results": [{"command": "x", "times": [1, 1], "exit_codes": codes}]});
        let measured = theirs(&document.to_string());
        match said {
            Some(said) => assert!(reasons(&measured)[0].contains(said), "{:?}", reasons(&measured)),
            None => assert_eq!(lines(&measured).len(), 1),
        }
    }
}

#[test]
fn what_is_no_number_costs_that_number() {
    for odd in [
        "nan", "-nan", "NaN", "inf", "-inf", "Infinity", "+1", "2%", "1e999", "1.#IND", ".5", "null",
        "\"7\"", "-",
    ] {
        let text =
            format!(r#"{{"results": [{{"command": "a, nan", "times": [1, {odd}, 3], "mean": {odd}}}]}}"#);
        assert_eq!(lines(&theirs(&text)), ["a, nan: time [ns] lower [1000000000.0, 3000000000.0]"], "{odd}");
    }
    // What is broken otherwise stays so.
    for text in ["nan", r#"{"results": [{"command": "a" "times": [nan]}]}"#, r#"{"results": [none]}"#] {
        assert!(detect(text).unwrap_err().to_string().contains("not JSON"), "{text}");
    }
}

#[test]
fn benchmarks_of_google_with_one_name_are_told_apart_by_their_label_or_not_at_all() {
    let entry = |family: u64, repetition: u64, label: &str, time: f64| {
        json!({"name": "a", "run_name": "a", "run_type": "iteration", "family_index": family, "label": label,
               "per_family_instance_index": 0, "repetition_index": repetition, "real_time": time, "time_unit": "ns"})
    };
    let read = |entries: &[Value]| theirs(&json!({"context": {}, "benchmarks": entries}).to_string());
    let told = read(&[
        entry(0, 0, "slow", 9.0),
        entry(0, 1, "slow", 9.0),
        entry(1, 0, "fast", 1.0),
        entry(1, 1, "fast", 1.0),
    ]);
    let found: Vec<(String, Vec<f64>)> =
        told.cases.iter().map(|case| (case.key.versioned(), case.metrics[0].launches.clone())).collect();
    assert_eq!(found, [("a [slow]".to_owned(), vec![9.0, 9.0]), ("a [fast]".to_owned(), vec![1.0, 1.0])]);
    let same = read(&[entry(0, 0, "", 9.0), entry(1, 0, "", 1.0)]);
    assert!(same.cases.is_empty() && reasons(&same)[0].contains("2 results of this name"), "{same:?}");
    // Without numbers of families the number of a repetition that comes again says that it is another.
    let unnumbered = [entry(0, 0, "", 9.0), entry(0, 0, "", 1.0)];
    assert!(read(&unnumbered).cases.is_empty());
}

#[test]
fn criterion_is_read() {
    let time = |estimates: &str, sample: Option<&str>| {
        criterion("group/f", estimates, sample)
            .map(|case| (case.key.label(), case.metrics[0].launches.clone()))
    };
    assert_eq!(time(ESTIMATES, Some(SAMPLE)).unwrap(), ("group/f".to_owned(), vec![1200.5]));
    // Mean of the two values in the middle of 1100, 1200.5, 1200.5, 1300.
    assert_eq!(time("{}", Some(SAMPLE)).unwrap().1, [1200.5]);
    let message = time("{}", None).unwrap_err().to_string();
    assert!(message.contains("`median.point_estimate` is missing"), "{message}");
}

#[test]
fn the_python_suite_is_read() {
    let measured = theirs(ORIGINAL);
    assert_eq!(measured, original(ORIGINAL).unwrap());
    let label = "model_inference batch_sizes=[1,8] model_name=bert-base-uncased (cpu)";
    assert_eq!(
        lines(&measured),
        [
            format!("{label}: max_throughput_items_per_sec [items/s] higher [640.25]"),
            format!("{label}: memory_usage_mb [MB] lower [512.0]"),
            format!("{label}: min_latency_ms [ms] lower [12.5]"),
        ]
    );
    let mut missing = reasons(&measured);
    missing.sort();
    assert!(missing[0].starts_with("counts: the candidate was skipped"), "{missing:?}");
    assert_eq!(missing[1], "model_throughput: the candidate failed: No module named 'torch'");
    assert_eq!(measured.environment, [("platform".to_owned(), "posix".to_owned())]);
}

#[test]
fn rows_of_the_python_suite_are_read_newest_first_and_never_simulated() {
    let measured = theirs(QUERY);
    let label = "bert-base-uncased inference batch_size=8 precision=fp16 (cuda)";
    assert_eq!(
        lines(&measured),
        [
            format!("{label}: average_latency_ms [ms] lower [8.9]"),
            format!("{label}: memory_peak_mb [MB] lower [1024.0]"),
            format!("{label}: throughput_items_per_second [items/s] higher [900.5]"),
        ]
    );
    assert!(reasons(&measured)[0].contains("simulated"), "{:?}", measured.missing);
}

#[test]
fn a_result_of_ours_is_left_to_its_reader_even_when_cut_short() {
    for text in [r#"{"schema": "dyno.result", "version": 1}"#, r#"{"schema": "dyno.result", "ver"#] {
        assert_eq!(detect(text).unwrap(), Found::Ours);
    }
}

#[test]
fn what_cannot_be_read_says_why_and_what_is_looked_for() {
    for (text, expected) in [
        ("<html>", &["not JSON", "line 1"][..]),
        ("", &["not JSON"]),
        ("{}", &["an object without fields", "`dyno.result`", "hyperfine", "Criterion"]),
        (r#"{"schema": "dyno.comparison"}"#, &["`schema` is \"dyno.comparison\""]),
        (r#"{"a": 1, "b": 2}"#, &["an object with `a`, `b`"]),
        (r#"[1, 2]"#, &["a list of 2 entries"]),
        (r#"{"results": []}"#, &["an object with `results`"]),
        (r#"{"context": {"json_schema_version": 2}, "benchmarks": []}"#, &["version 2", "newer dyno"]),
        (r#"{"context": {}, "benchmarks": [{}]}"#, &["`benchmarks[0].name` is missing", "expected a name"]),
        (
            r#"{"context": {}, "benchmarks": [{"name": "a", "real_time": 1, "time_unit": "h"}]}"#,
            &["`time_unit` of `a` is `\"h\"`", "ns, us, ms or s"],
        ),
        (r#"{"results": [{"command": "a"}, {"command": 1}]}"#, &["`results[1].command` is `1`"]),
        (r#"[{"model_name": "a"}, {}]"#, &["`[1].model_name` is missing"]),
    ] {
        let message = detect(text).unwrap_err().to_string();
        for expected in expected {
            assert!(message.contains(expected), "`{expected}` is not in: {message}");
        }
    }
}

/// JSON that now and then has a field by its right name.
fn documents() -> impl Strategy<Value = Value> {
    const NAMES: &[&str] = &[
        "context",
        "benchmarks",
        "results",
        "command",
        "times",
        "median",
        "mean",
        "name",
        "run_name",
        "run_type",
        "aggregate_name",
        "real_time",
        "time_unit",
        "error_occurred",
        "error_message",
        "json_schema_version",
        "num_cpus",
        "metrics",
        "params",
        "hardware",
        "success",
        "model_name",
        "latency_ms",
        "throughput",
        "point_estimate",
        "iters",
        "items_per_second",
        "schema",
        "metadata",
        "memory_usage_byte",
    ];
    const TEXTS: &[&str] = &["aggregate", "iteration", "median", "mean", "ns", "s", "cpu", "a_mean", "a", ""];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(1e308)),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(TEXTS).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        let name = prop_oneof![
            4 => proptest::sample::select(NAMES).prop_map(str::to_owned),
            1 => any::<String>(),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Reads a text by every reader; what is read holds only finite numbers, and none of it is empty.
fn read_by_all(text: &str) {
    let found = [gbench(text), hyperfine(text), original(text)];
    let detected = detect(text).ok().and_then(|found| match found {
        Found::Theirs(measured) => Some(measured),
        Found::Ours => None,
    });
    let cases: Vec<_> = found.into_iter().flatten().chain(detected).flat_map(|it| it.cases).collect();
    let benchmark = criterion("a", text, Some(text)).ok();
    for case in cases.iter().chain(&benchmark) {
        assert!(!case.metrics.is_empty());
        for metric in &case.metrics {
            assert!(!metric.launches.is_empty() && metric.launches.iter().all(|value| value.is_finite()));
        }
    }
}

proptest! {
    #[test]
    fn no_json_makes_a_reader_panic(
        document in documents(),
        other in documents(),
        list in proptest::collection::vec(documents(), 0..4),
    ) {
        read_by_all(&document.to_string());
        // At the right place, deeper code is reached.
        read_by_all(&json!({"context": document, "benchmarks": list}).to_string());
        read_by_all(&json!({"benchmarks": {"a": document, "b": {"metrics": other, "params": list}}}).to_string());
        read_by_all(&json!({"results": [document, {"command": "a", "times": list, "median": other}]}).to_string());
        read_by_all(&json!({"median": document, "iters": list, "times": list}).to_string());
    }

    #[test]
    fn no_text_makes_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_by_all(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_damage_to_a_document_makes_a_reader_panic(
        which in 0..6_usize, at in any::<prop::sample::Index>(), len in 0..20_usize, with in "[-NaInfty0-9e\"\\\\{}\\[\\],: ]{0,8}",
    ) {
        let text = [GBENCH, HYPERFINE, ORIGINAL, QUERY, ESTIMATES, SAMPLE][which];
        let start = at.index(text.len());
        let end = (start + len).min(text.len());
        read_by_all(&format!("{}{with}{}", &text[..start], &text[end..]));
    }

    #[test]
    fn text_in_quotes_stays_as_it_is(command in "[\\\\\"a ]{0,6}(NaN|-Infinity|Infinity|x)[\\\\\" ]{0,6}") {
        let text = json!({"results": [{"command": command, "times": [1]}]}).to_string().replace("[1]", "[1, NaN]");
        prop_assert_eq!(&theirs(&text).cases[0].key.benchmark, &command);
    }
}
