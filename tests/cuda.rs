//! User story: somebody measures CUDA kernels, on a machine that may have no GPU, and is told why nothing was measured.

use std::{collections::BTreeSet, path::Path};

use dyno_core::{
    model::{CaseStatus, DeviceKind, ParamValue, Params},
    protocol::{Reply, Request},
};

use crate::support::{arena::Arena, built, fixtures, launch::Launch};

/// Every benchmark, with parameters that are through in no time; sizes are no multiples of a block.
const BENCHMARKS: [(&str, &str); 12] = [
    ("copy", r#"{"n": 100003, "method": ["driver", "kernel"], "cache": ["hot", "cold"]}"#),
    ("stream_triad", r#"{"n": 100003, "dtype": ["f32", "f64"], "cache": ["hot", "cold"]}"#),
    ("reduction", r#"{"n": [1, 100003], "cache": ["hot", "cold"]}"#),
    ("softmax", r#"{"rows": 33, "columns": [1, 1003], "cache": ["hot", "cold"]}"#),
    ("layernorm", r#"{"rows": 33, "columns": [5, 1003], "cache": ["hot", "cold"]}"#),
    (
        "transpose",
        r#"{"rows": 65, "columns": 1003, "algorithm": ["naive", "tiled"], "cache": ["hot", "cold"]}"#,
    ),
    ("gemm_naive", r#"{"n": 67, "m": 130, "k": 33, "cache": ["hot", "cold"]}"#),
    ("gemm_tiled", r#"{"n": 67, "m": 130, "k": 33, "cache": ["hot", "cold"]}"#),
    (
        "gemm_cublas",
        r#"{"n": 72, "m": 136, "k": 40, "dtype": ["f32", "tf32", "bf16", "f16"], "cache": ["hot", "cold"]}"#,
    ),
    ("launch", r#"{"batch": [1, 10], "cache": ["hot", "cold"]}"#),
    ("transfer", r#"{"n": 100003, "direction": ["h2d", "d2h"], "memory": ["pageable", "pinned"]}"#),
    (
        "histogram",
        r#"{"n": 100003, "bins": [1, 37], "counting": ["global", "shared"], "keys": ["uniform", "same"]}"#,
    ),
];

fn arena() -> Option<Arena> {
    let arena = Arena::new();
    arena.add(&built::plugin("cuda-kernels.so")?, "cuda-kernels.so");
    Some(arena)
}

/// Whether this machine has a GPU of NVIDIA's and its driver in the kernel, as files tell.
fn has_gpu() -> bool {
    ["/dev/nvidiactl", "/dev/dxg"].iter().any(|file| Path::new(file).exists())
}

/// Whether a machine with a GPU may skip for this reason: a library of the toolkit is missing.
fn is_for_want_of_a_library(reason: &str) -> bool {
    ["libnvrtc.so", "libcublas.so"].iter().any(|library| reason.contains(library))
}

#[test]
fn every_cuda_benchmark_is_listed_without_a_gpu() {
    let Some(arena) = arena() else { return };
    let listed = arena.dyno(&["list", "--json"]).json();
    let benchmarks = listed["plugins"][0]["descriptor"]["benchmarks"].as_array().expect("benchmarks");
    let names: BTreeSet<&str> =
        benchmarks.iter().filter_map(|benchmark| benchmark["name"].as_str()).collect();
    let expected: BTreeSet<&str> = BENCHMARKS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected);
    assert!(benchmarks.iter().all(|benchmark| benchmark["hardware"] == serde_json::json!(["cuda"])));
}

#[test]
fn what_cannot_be_measured_is_skipped_with_a_reason_and_what_can_be_is_verified() {
    let Some(arena) = arena() else { return };
    for (name, params) in BENCHMARKS {
        let mut arguments = vec!["run", name, "--hardware", "cuda", "--params", params, "--json"];
        arguments.extend(["--samples", "3", "--launches", "1"]);
        let outcome = arena.dyno(&arguments);
        assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.shown());
        let record = outcome.record();
        assert!(!record.cases.is_empty(), "{name}");
        for case in &record.cases {
            match &case.status {
                CaseStatus::Completed => assert!(has_gpu(), "{name} has a number, and there is no GPU"),
                CaseStatus::Skipped { reason, .. } => {
                    assert!(reason.len() > 40, "{name}: {reason}");
                    assert!(
                        !has_gpu() || is_for_want_of_a_library(reason),
                        "there is a GPU; {name}: {reason}"
                    );
                    println!("skipped: {name}: {reason}");
                }
                other => panic!("{name} {:?} ended as {other:?}", case.params),
            }
        }
    }
}

#[test]
fn parameters_are_checked_before_any_driver_is_asked() {
    let Some(arena) = arena() else { return };
    let outcome = arena.dyno(&["run", "histogram", "--hardware", "cuda", "-p", "bins=4097"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
    assert!(
        outcome.stderr.contains("`bins`") && outcome.stderr.contains("from 1 to 4096"),
        "{}",
        outcome.shown()
    );
}

#[test]
fn in_the_sandbox_of_the_worker_a_device_that_is_not_there_is_a_skip_and_no_crash() {
    let Some(plugin) = built::plugin("cuda-kernels.so") else { return };
    let params = [("batch", ParamValue::Integer(1)), ("cache", ParamValue::Text("hot".to_owned()))];
    let params: Params = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut launch = Launch::new();
    assert!(matches!(launch.load(&plugin, "launch", params, DeviceKind::Cuda, 77), Reply::Loaded { .. }));
    let Reply::Skipped { message } = launch.ask(&Request::Setup) else { panic!("a skip was due") };
    let reasons =
        ["libcuda.so.1 cannot be opened; install", "no CUDA device 77", "cuInit failed", "update the driver"];
    assert!(reasons.iter().any(|reason| message.contains(reason)), "{message}");
    println!("the sentence: {message}");
}

#[test]
fn the_suite_runs_or_says_why_not() {
    let Some(arena) = arena() else { return };
    let suite = fixtures::root().join("examples/suites/cuda.toml");
    let suite = suite.to_str().expect("the checkout has a path of text");
    // On a machine with a GPU, its cases are large, and the test above has run them small.
    let mut arguments = vec!["run", "--suite", suite];
    arguments.extend(if has_gpu() { &["--dry-run"][..] } else { &["--json"] });
    let outcome = arena.dyno(&arguments);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    for (name, _) in BENCHMARKS {
        assert!(outcome.stdout.contains(name), "{name} is not in the suite");
    }
}
