//! User story: somebody measures WebGPU kernels, on a machine that may have no GPU, and is told what was measured.

use std::time::{Duration, Instant};

use dyno_core::{
    model::{CaseStatus, DeviceKind, ParamValue, Params, Sample},
    protocol::{Quota, Reply, Request},
};
use serde_json::Value;

use crate::support::{arena::Arena, built, fixtures, launch::Launch};

/// Both plugins with a benchmark `stream_triad`, and what `dyno devices` says of WebGPU.
fn arena() -> Option<(Arena, Vec<Value>)> {
    let arena = Arena::new();
    for name in ["cpu-kernels.so", "webgpu-kernels.so"] {
        arena.add(&built::plugin(name)?, name);
    }
    let devices =
        arena.dyno(&["devices", "--json"]).json()["devices"].as_array().cloned().unwrap_or_default();
    let found: Vec<Value> = devices.into_iter().filter(|device| device["kind"] == "webgpu").collect();
    assert!(!found.is_empty(), "every kind is listed");
    Some((arena, found))
}

const QUICK: [&str; 6] = ["-p", "n=100003", "--samples", "3", "--launches", "1"];

#[test]
fn the_name_of_a_benchmark_means_the_plugin_for_the_hardware() {
    let Some((arena, devices)) = arena() else { return };
    let mut arguments = vec!["run", "stream_triad", "--hardware", "cpu,webgpu", "--json"];
    arguments.extend(QUICK);
    let outcome = arena.dyno(&arguments);
    assert_eq!(outcome.code, Some(0), "a device that is not there is no failure\n{}", outcome.shown());
    let record = outcome.record();
    let [on_cpu, others @ ..] = &record.cases[..] else { panic!("{}", outcome.shown()) };
    assert_eq!((on_cpu.plugin.id.as_str(), &on_cpu.status), ("cpu-kernels", &CaseStatus::Completed));
    assert!(!others.is_empty(), "{}", outcome.shown());
    for case in others {
        assert_eq!(case.plugin.id, "webgpu-kernels");
        let named = devices.iter().find(|device| device["name"] == *case.device);
        let device = named.unwrap_or_else(|| panic!("{} is not among {devices:?}", case.device));
        if let Some(why) = device["unavailable"].as_str() {
            let CaseStatus::Skipped { reason, .. } = &case.status else { panic!("{:?}", case.status) };
            assert!(reason.contains(why), "{reason}");
        } else {
            assert_eq!(case.status, CaseStatus::Completed);
        }
    }
}

#[test]
fn a_software_adapter_is_measured_and_labelled_wherever_its_numbers_are_shown() {
    let Some((arena, devices)) = arena() else { return };
    let Some(device) = devices.iter().find(|device| device["software"] == true) else {
        println!("skipped: `dyno devices` reports no software adapter: {}", Value::from(devices));
        return;
    };
    let name = device["name"].as_str().expect("a device has a name");
    let mut arguments = vec!["run", "webgpu-kernels/stream_triad", "--hardware", name];
    arguments.extend(QUICK);
    let shown = arena.dyno(&arguments);
    assert_eq!(shown.code, Some(0), "{}", shown.shown());
    let label = format!("{name}: software adapter: {}", device["model"].as_str().unwrap_or_default());
    assert!(shown.stdout.contains(&label), "{}", shown.shown());
    let stored = arena.dyno(&["results", "--samples", "--json"]).record();
    let case = &stored.cases[0];
    assert!(case.device_info().is_some_and(|info| info.software), "{:?}", case.launches[0].device);
    assert!(case.metric("time").is_some_and(|time| time.median > 0.0));
    assert!(arena.dyno(&["results"]).stdout.contains(&label));
    let report = arena.dyno(&["report", "last", "--format", "markdown"]);
    assert!(report.stdout.contains(&format!("| {name} (software) |")), "{}", report.shown());
    arena.assert_clean(&shown);
}

/// Parameters of `stream_triad` over so many elements.
fn elements(n: i64) -> Params {
    Params::from([("n".to_owned(), ParamValue::Integer(n))])
}

#[test]
fn in_the_sandbox_of_the_worker_a_kernel_is_set_up_verified_measured_and_leaves_nothing() {
    let Some(plugin) = built::plugin("webgpu-kernels.so") else { return };
    let mut launch = Launch::new();
    let Reply::Loaded { isolation, .. } =
        launch.load(&plugin, "stream_triad", elements(1_000_003), DeviceKind::WebGpu, 0)
    else {
        panic!("{:?}", launch.worker.last_output());
    };
    for layer in ["no_new_privs", "empty_environment", "private_home", "memory_limit"] {
        assert!(isolation.iter().any(|held| held == layer), "{layer} is not among {isolation:?}");
    }
    match launch.ask(&Request::Setup) {
        Reply::SetUp { .. } => {}
        Reply::Skipped { message } => {
            assert!(message.contains("mesa-vulkan-drivers"), "the reason names what helps: {message}");
            println!("skipped: {message}");
            return;
        }
        other => panic!("{other:?}"),
    }
    assert!(launch.log.iter().any(|line| line.contains("adapter: ")), "{:?}", launch.log);
    assert_eq!(launch.ask(&Request::Verify), Reply::Verified { checked: true });
    let calibrate = Request::Calibrate { slice_ns: 1_000_000, warm_up_ns: 1, iterations: None };
    assert!(matches!(launch.ask(&calibrate), Reply::Calibrated(_)));
    let quota = Quota { min_samples: 2, max_samples: 2, budget_ns: 1, retake: false };
    let mut samples: Vec<Sample> = Vec::new();
    let mut reply = launch.ask(&Request::Sample(quota));
    while let Reply::Batch { samples: batch, .. } = reply {
        samples.extend(batch);
        let deadline = Instant::now() + Duration::from_secs(60);
        reply = launch.worker.listen(deadline, &|| false, &mut |_| {}).expect("the worker goes on");
    }
    assert!(matches!(reply, Reply::Sampled { .. }), "{reply:?}");
    assert_eq!(samples.len(), 2);
    for sample in &samples {
        assert_eq!(sample.work.bytes, sample.iterations as f64 * 1_000_003.0 * 12.0);
        assert!(sample.device_ns <= sample.wall_ns as f64, "{sample:?}");
    }
    assert!(matches!(launch.ask(&Request::ProcessResults), Reply::Processed { .. }));
    assert!(matches!(launch.ask(&Request::Finish), Reply::Finished { .. }));
    let farewell = launch.worker.finish(Instant::now() + Duration::from_secs(10));
    assert_eq!(farewell.exit, Some(dyno_core::model::Exit::Code(0)), "{:?}", farewell.captured.last_lines());
    assert_eq!(farewell.left_behind, 0);
}

#[test]
fn an_adapter_that_is_not_there_is_a_skip_with_a_reason() {
    let Some(plugin) = built::plugin("webgpu-kernels.so") else { return };
    let mut launch = Launch::new();
    assert!(matches!(
        launch.load(&plugin, "stream_triad", elements(5), DeviceKind::WebGpu, 77),
        Reply::Loaded { .. }
    ));
    let Reply::Skipped { message } = launch.ask(&Request::Setup) else { panic!("a skip was due") };
    assert!(message.contains("no WebGPU adapter 77") || message.contains("mesa-vulkan-drivers"), "{message}");
}

#[test]
fn the_suite_runs_or_says_why_not() {
    let Some((arena, devices)) = arena() else { return };
    let suite = fixtures::root().join("examples/suites/webgpu.toml");
    let suite = suite.to_str().expect("the checkout has a path of text");
    let outcome = arena.dyno(&["run", "--suite", suite, "--samples", "2", "--launches", "1", "--json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    let record = outcome.record();
    assert!(!record.cases.is_empty() && record.cases.len().is_multiple_of(6), "{}", record.cases.len());
    let there = devices.iter().any(|device| device["unavailable"].is_null());
    let ended = |case: &dyno_core::model::CaseRecord| match &case.status {
        CaseStatus::Completed => there,
        CaseStatus::Skipped { reason, .. } => !there && !reason.is_empty(),
        _ => false,
    };
    assert!(record.cases.iter().all(ended), "{}", outcome.shown());
}
