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
    let metrics = measured.cases.iter().flat_map(|case| case.metrics.iter().map(|it| (&case.label, it)));
    metrics
        .map(|(label, it)| {
            let direction = if it.better == Better::Lower { "lower" } else { "higher" };
            format!("{label}: {} [{}] {direction} {:?}", it.name, it.unit, it.launches)
        })
        .collect()
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
    assert_eq!(measured.missing, [("BM_File".to_owned(), "no file \"NaN.txt\"".to_owned())]);
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
            "grep -c x 'a b.txt': time [ns] lower [2000000.0]",
        ]
    );
    let twice = json!({"results": [
        {"command": "x", "times": [1]}, {"command": "x", "median": 2}, {"command": "x", "times": []}
    ]});
    let measured = theirs(&twice.to_string());
    assert_eq!(
        lines(&measured),
        ["x: time [ns] lower [1000000000.0]", "x #2: time [ns] lower [2000000000.0]"]
    );
    assert_eq!(measured.missing[0].0, "x #3");
}

#[test]
fn criterion_is_read() {
    let time = |estimates: &str, sample: Option<&str>| {
        criterion("group/f", estimates, sample).map(|case| (case.label, case.metrics[0].launches.clone()))
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
    let mut missing = measured.missing.clone();
    missing.sort();
    assert_eq!(missing[0].0, "counts");
    assert_eq!(missing[1], ("model_throughput".to_owned(), "No module named 'torch'".to_owned()));
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
    assert!(measured.missing[0].1.starts_with("simulated"), "{:?}", measured.missing);
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
        prop_assert_eq!(&theirs(&text).cases[0].label, &command);
    }
}
