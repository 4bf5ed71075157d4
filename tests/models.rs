//! User story: somebody who works with models measures one, on a machine that may have neither a GPU nor ONNX Runtime.

use dyno_core::model::{CaseStatus, RunRecord};
use serde_json::{Value, json};

use crate::support::{
    arena::{Arena, Outcome},
    built, fixtures,
};

fn arena() -> Option<Arena> {
    let arena = Arena::new();
    arena.add(&built::plugin("model-inference.so")?, "model-inference.so");
    Some(arena)
}

/// Runs short cases.
fn quick(arena: &Arena, arguments: &[&str]) -> Outcome {
    // Of three samples, one is the middle, whether times or rates are compared.
    let few = ["--samples", "3", "--launches", "1", "--json"];
    arena.dyno(&[&["run", "model_inference"], arguments, &few].concat())
}

/// Whether a run was skipped because ONNX Runtime is not here, which it then says.
fn lacks_onnxruntime(record: &RunRecord) -> bool {
    let CaseStatus::Skipped { reason, .. } = &record.cases[0].status else { return false };
    assert!(reason.contains("ONNX Runtime"), "{reason}");
    println!("skipped: {reason}");
    true
}

#[test]
fn a_sweep_over_batch_sizes_is_verified_and_measured_in_items_and_tokens() {
    let Some(arena) = arena() else { return };
    for runtime in ["runtime=native", "runtime=ort"] {
        let outcome = quick(&arena, &["-p", runtime, "-p", "batch_size=1,8", "-p", "sequence_length=32"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
        let record = outcome.record();
        if lacks_onnxruntime(&record) {
            return;
        }
        assert_eq!(record.cases.len(), 2);
        for case in &record.cases {
            assert_eq!(case.status, CaseStatus::Completed, "{runtime}");
            // Such as those of telemetry.
            let refused: Vec<_> = case.launches.iter().flat_map(|launch| &launch.refused_calls).collect();
            assert!(refused.is_empty(), "{runtime}: {refused:?}");
            let value = |name: &str| case.metric(name).map_or(f64::NAN, |metric| metric.median);
            assert_eq!(value("parameters"), 4_385_920.0);
            for name in
                ["items_per_second", "tokens_per_second", "first_inference", "load_time", "gemm_share"]
            {
                assert!(value(name) > 0.0, "{runtime}: {name} is {}", value(name));
            }
            let tokens_per_item = value("tokens_per_second") / value("items_per_second");
            assert!((tokens_per_item - 32.0).abs() < 1e-6, "{runtime}: {tokens_per_item}");
        }
    }
}

#[test]
fn the_command_and_the_suite_of_the_original_run_as_they_stand() {
    let Some(arena) = arena() else { return };
    let asked = r#"{"model": "bert-base-uncased", "batch_size": 16}"#;
    let words = ["run", "--benchmark", "model_inference", "--hardware", "cuda", "--params", asked, "--json"];
    let suite = fixtures::root().join("examples/suites/performance_suite.json");
    let suite = suite.to_str().expect("the checkout has a path of text");
    for outcome in [arena.dyno(&words), arena.dyno(&["run", "--suite", suite, "--json"])] {
        assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
        for case in outcome.record().cases {
            // No machine of ours has a GPU; one that has measures it.
            if let CaseStatus::Skipped { reason, .. } = &case.status {
                assert!(!reason.is_empty());
            } else {
                assert_eq!(case.status, CaseStatus::Completed);
            }
        }
    }
}

#[test]
fn a_case_that_cannot_be_says_what_could_be() {
    let Some(arena) = arena() else { return };
    let unknown = quick(&arena, &["-p", "model=bert-bas-uncased"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("bert-base-uncased"), "{}", unknown.shown());
    for (parameter, expected) in [
        ("weights=/nowhere/at/all", "weights=`/nowhere/at/all`: there is no such file or folder"),
        ("weights=random", "write `random:1`, `hub`, or the path of a file or folder"),
        ("weights=model.safetensors", "is a relative path"),
    ] {
        let record = quick(&arena, &["-p", parameter, "-p", "runtime=native"]).record();
        let CaseStatus::Failed { reason, .. } = &record.cases[0].status else { panic!("{parameter}") };
        assert!(reason.message.contains(expected), "{parameter}: {reason:?}");
    }
    for (parameters, expected) in [
        (["precision=int8", "runtime=native"], "the runtime `native` has fp32 only"),
        (["precision=bf16", "runtime=ort"], "precision=bf16 does not run on cpu, where it can be fp32, int8"),
    ] {
        let record = quick(&arena, &["-p", parameters[0], "-p", parameters[1]]).record();
        let CaseStatus::Skipped { reason, .. } = &record.cases[0].status else { panic!("{record:?}") };
        assert!(reason.contains(expected), "{reason}");
    }
    // Not even begun, and told before: with the limit of a launch that is not raised, its worker would be ended by the system.
    let large = arena.dyno(&["run", "model_inference", "-p", "model=bert-large-uncased", "--json"]);
    let CaseStatus::Failed { reason, .. } = &large.record().cases[0].status else {
        panic!("{}", large.shown())
    };
    assert!(
        reason.message.contains("MiB with bert-large-uncased") && reason.message.contains("--memory"),
        "{reason}"
    );
}

#[test]
fn models_are_listed_with_what_can_run_them_and_the_original_s_priority_finds_the_critical_ones() {
    let Some(arena) = arena() else { return };
    let all = arena.dyno(&["list", "--models", "--json"]).json();
    let listed = all.as_array().cloned().unwrap_or_default();
    let bert = listed.iter().find(|it| it["name"] == "bert-base-uncased").expect("it is listed");
    assert_eq!(
        (&bert["family"], &bert["modality"], &bert["parameters"], &bert["priority"]),
        (&json!("bert"), &json!("text"), &json!(109_482_240), &json!("critical"))
    );
    let hardware = bert["hardware"].as_array().expect("what it runs on");
    let cpu = hardware.iter().find(|it| it["kind"] == "cpu").expect("the CPU");
    assert_eq!((&cpu["available"], &cpu["precisions"]), (&Value::Bool(true), &json!(["fp32", "int8"])));
    let table = arena.dyno(&["list", "--models"]);
    assert!(table.stdout.contains("all-MiniLM-L6-v2"), "{}", table.shown());
}
