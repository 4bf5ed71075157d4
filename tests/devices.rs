//! User story: what devices there are, and why not. Drivers that crash, hang or babble cost one sentence each.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use dyno_core::model::{CaseStatus, DeviceInfo, DeviceKind};
use serde_json::Value;

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

/// The devices that `dyno devices --json` lists.
fn devices(outcome: &Outcome) -> Vec<DeviceInfo> {
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    serde_json::from_value(outcome.json()["devices"].clone()).expect("a list of devices")
}

fn reason(devices: &[DeviceInfo], name: &str) -> String {
    let device = devices.iter().find(|device| device.name == name);
    let device = device.unwrap_or_else(|| panic!("`{name}` is not in {devices:#?}"));
    device.unavailable.clone().unwrap_or_default()
}

/// Replaces the probe by a script, which is told the kind as `$1`. It counts how often it is asked in `asked`.
fn with_probe(arena: &mut Arena, script: &str) {
    let (text, probe) = (arena.path("probe.sh"), arena.path("probe"));
    let count = arena.path("asked");
    fs::write(&text, format!("#!/bin/sh\necho \"$1\" >> {}\n{script}\n", count.display()))
        .expect("the arena is writable");
    // Copied by another process: a file that this one has open for writing could not be run.
    assert!(Command::new("cp").args([&text, &probe]).status().expect("the arena is writable").success());
    fs::set_permissions(&probe, fs::Permissions::from_mode(0o755)).expect("the arena is writable");
    arena.set("DYNO_PROBE", probe);
}

fn asked(arena: &Arena) -> usize {
    fs::read_to_string(arena.path("asked")).unwrap_or_default().lines().count()
}

/// A script's answer: one device of a kind for each model.
fn answer(kind: DeviceKind, models: &[&str]) -> String {
    let device = |(index, model): (u32, &&str)| DeviceInfo {
        model: (*model).to_owned(),
        ..DeviceInfo::new(kind, index)
    };
    let list: Vec<DeviceInfo> = (0..).zip(models).map(device).collect();
    format!("echo '{}'", serde_json::to_string(&list).expect("the arena is writable"))
}

#[test]
fn every_kind_is_listed_and_what_is_not_there_says_what_it_takes() {
    let arena = Arena::new();
    let outcome = arena.dyno(&["devices", "--json"]);
    let found = devices(&outcome);
    for kind in DeviceKind::ALL {
        assert!(found.iter().any(|device| device.kind == kind), "{kind} is not in {found:#?}");
    }
    for device in &found {
        match &device.unavailable {
            Some(why) => assert!(why.len() > 20 && !why.contains("asking its driver failed"), "{device:?}"),
            None => assert!(!device.model.is_empty(), "{device:?}"),
        }
    }
    assert_eq!(reason(&found, "cpu"), "");
    assert!(reason(&found, "webnn").contains("browser"), "{found:#?}");
    // The table has a line for each of them, and says the same.
    let table = arena.dyno(&["devices"]).stdout;
    for device in &found {
        assert!(table.contains(&device.name), "{table}");
    }
    let webgpu =
        found.iter().find(|device| device.kind == DeviceKind::WebGpu && device.unavailable.is_none());
    match webgpu {
        None => println!(
            "skipped: this machine has no Vulkan, not even in software: {}",
            reason(&found, "webgpu")
        ),
        Some(adapter) => {
            assert!(adapter.driver.is_some() && adapter.interface.is_some(), "{adapter:?}");
            let is_known_software = adapter.model.contains("llvmpipe");
            assert!(!is_known_software || adapter.software, "{adapter:?}");
            assert!(table.contains(&adapter.label()), "{table}");
        }
    }
    arena.assert_clean(&outcome);
}

#[test]
fn one_device_is_shown_in_full_and_a_wrong_name_says_what_there_is() {
    let mut arena = Arena::new();
    with_probe(&mut arena, &answer(DeviceKind::Cuda, &["First", "Second"]));
    let one = arena.dyno(&["devices", "cuda:1"]).stdout;
    assert!(one.contains("cuda:1") && one.contains("Second") && !one.contains("First"), "{one}");
    let kind = devices(&arena.dyno(&["devices", "cuda", "--json"]));
    assert_eq!(kind.len(), 2);
    let absent = arena.dyno(&["devices", "cuda:2"]).stdout;
    assert!(absent.contains("has only cuda:0, cuda:1"), "{absent}");
    let unknown = arena.dyno(&["devices", "gpu"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.stderr.contains("no device `gpu`") && unknown.stderr.contains("webgpu"),
        "{}",
        unknown.shown()
    );
}

#[test]
fn a_driver_that_misbehaves_costs_one_sentence_and_hides_no_other() {
    let mut arena = Arena::new();
    arena.set("DYNO_PROBE_TIMEOUT", "500ms");
    let script = format!(
        "case $1 in\n\
         cuda) echo about to crash >&2; kill -SEGV $$;;\n\
         rocm) while :; do :; done;;\n\
         openvino) echo '[{{\"name\":\"openvino:0\",';;\n\
         qnn) while :; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; done;;\n\
         *) {};;\nesac",
        answer(DeviceKind::WebGpu, &["A GPU\\u001b[2J"])
    );
    with_probe(&mut arena, &script);
    let outcome = arena.dyno(&["devices", "--json"]);
    let found = devices(&outcome);
    let says = |name, fragments: &[&str]| {
        let why = reason(&found, name);
        for fragment in fragments {
            assert!(why.contains(fragment), "{name}: {why}");
        }
    };
    says("cuda", &["SIGSEGV", "about to crash", "--refresh"]);
    says("rocm", &["did not answer within 0.5 s"]);
    says("openvino", &["is not a list of devices"]);
    says("qnn", &["answered with more than"]);
    says("webgpu:0", &[]);
    let webgpu = found.iter().find(|device| device.kind == DeviceKind::WebGpu).unwrap();
    assert!(!webgpu.model.chars().any(char::is_control), "{webgpu:?}");
    arena.assert_clean(&outcome);
    // Nor does it cost that again: until something changes, or somebody asks for it.
    let before = asked(&arena);
    assert_eq!(devices(&arena.dyno(&["devices", "--json"])), found);
    assert_eq!(asked(&arena), before);
    arena.dyno(&["devices", "--refresh"]);
    assert_eq!(asked(&arena), 2 * before);
}

#[test]
fn a_probe_that_is_not_there_is_named() {
    let mut arena = Arena::new();
    arena.set("DYNO_PROBE", "/nowhere/dyno-probe");
    let why = reason(&devices(&arena.dyno(&["devices", "--json"])), "cuda");
    assert!(why.contains("cannot be started") && why.contains("/nowhere/dyno-probe"), "{why}");
}

#[test]
fn the_state_of_a_device_is_shown_when_asked_for_and_never_kept() {
    let mut arena = Arena::new();
    let mut device = DeviceInfo::new(DeviceKind::Cuda, 0);
    device.live =
        serde_json::from_str(r#"{"temperature_c": 61.0, "throttled_by": ["sw_power_cap"]}"#).unwrap();
    with_probe(&mut arena, &format!("echo '{}'", serde_json::to_string(&[device]).unwrap()));
    let live = arena.dyno(&["devices", "cuda:0", "--live"]).stdout;
    assert!(live.contains("61 °C") && live.contains("slowed down by sw_power_cap"), "{live}");
    let known = devices(&arena.dyno(&["devices", "cuda:0", "--json"]));
    assert_eq!((known.len(), &known[0].live), (1, &None));
    assert_eq!(asked(&arena), 1);
}

#[test]
fn running_on_the_processor_asks_no_driver() {
    let mut arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    with_probe(&mut arena, "exit 1");
    assert_eq!(arena.run(&["good_a"]).code, Some(0));
    assert_eq!(asked(&arena), 0);
}

#[test]
fn a_device_that_is_required_but_not_there_is_exit_code_4() {
    let mut arena = Arena::new();
    arena.add(&fixtures::for_device("loses_its_device"), "a.so");
    with_probe(&mut arena, "kill -SEGV $$");
    let run = |arguments: &[&str]| arena.run(&[&["loses_its_device", "--hardware"], arguments].concat());
    let skipped = run(&["cuda"]);
    assert_eq!(skipped.code, Some(0), "{}", skipped.shown());
    let record = skipped.record();
    let CaseStatus::Skipped { reason, .. } = &record.cases[0].status else { panic!("{}", skipped.shown()) };
    assert!(reason.contains("device `cuda` is not available") && reason.contains("SIGSEGV"), "{reason}");
    let required = run(&["cuda", "--require-hardware"]);
    assert_eq!(required.code, Some(4), "{}", required.shown());
    assert_eq!(required.record().cases[0].status.word(), "skipped");
    // A number of a device that is not there is the same.
    assert_eq!(run(&["cuda:3", "--require-hardware"]).code, Some(4));
    // All of them: those that the benchmark runs on.
    let all = run(&["all"]).record();
    let names: Vec<&str> = all.cases.iter().map(|case| case.device.as_str()).collect();
    assert_eq!(names, ["cuda"]);
}

#[test]
fn a_device_that_goes_away_costs_its_launch_and_what_was_to_follow_is_skipped() {
    let mut arena = Arena::new();
    arena.add(&fixtures::for_device("loses_its_device"), "a.so");
    arena.add(&fixtures::for_device_as("loses_its_device", "comes_too_late"), "b.so");
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    // There when the run is planned, gone when the launch has failed.
    let gone = r#"echo '[{"name":"cuda","kind":"cuda","index":0,"unavailable":"it fell off the bus"}]'"#;
    let script = format!(
        "if [ $(wc -l < {}) -gt 1 ]; then {gone}; else {}; fi",
        arena.path("asked").display(),
        answer(DeviceKind::Cuda, &["A GPU"])
    );
    with_probe(&mut arena, &script);
    let outcome = arena.run(&["loses_its_device", "comes_too_late", "good_a", "--hardware", "cuda,cpu"]);
    assert_eq!(outcome.code, Some(4), "{}", outcome.shown());
    let record = outcome.record();
    let case = |at: usize| (record.cases[at].device.as_str(), record.cases[at].status.clone());
    let ("cuda:0", CaseStatus::Failed { reason, .. }) = case(0) else { panic!("{}", outcome.shown()) };
    assert!(reason.message.contains("device `cuda:0` is gone: it fell off the bus"), "{reason}");
    assert!(reason.message.contains("invalid device ordinal"), "{reason}");
    let skipped = record.cases.iter().skip(1).find(|case| case.device == "cuda:0").unwrap();
    assert!(
        matches!(&skipped.status, CaseStatus::Skipped { reason, .. } if reason.contains("bus")),
        "{skipped:?}"
    );
    let good = record.cases.iter().find(|case| case.benchmark == "good_a" && case.device == "cpu").unwrap();
    assert_eq!(good.status, CaseStatus::Completed);
}

#[test]
fn cases_on_different_devices_run_at_the_same_time() {
    let mut arena = Arena::new();
    arena.add(&fixtures::for_device("meets_its_neighbour"), "a.so");
    // They meet by sockets, which plugins have not.
    arena.set("DYNO_ISOLATION", "basic");
    with_probe(&mut arena, &answer(DeviceKind::Cuda, &["First", "Second"]));
    let outcome = arena.run(&["meets_its_neighbour", "--hardware", "cuda"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    let record = outcome.record();
    let ended: Vec<(&str, &str, usize)> = record
        .cases
        .iter()
        .map(|case| (case.device.as_str(), case.status.word(), case.launches.len()))
        .collect();
    assert_eq!(ended, [("cuda:0", "completed", 1), ("cuda:1", "completed", 1)]);
    let names: Vec<&str> = record.machine.devices.iter().map(|device| device.model.as_str()).collect();
    assert_eq!(names, ["First", "Second"], "the result says what it was measured on");
    arena.assert_clean(&outcome);
}

#[test]
fn a_device_that_tells_the_time_is_believed_and_its_driver_is_left_in_peace() {
    let mut arena = Arena::new();
    let built = |file: &str, work: &str| {
        let source = "tells_its_own_time";
        fixtures::for_device_with(source, source, file, &[&format!("-DWORK={work}")])
    };
    let [quick, slow] = [built("own_time_quick", "20000"), built("own_time_slow", "30000")];
    arena.add(&quick, "quick.so");
    with_probe(&mut arena, &answer(DeviceKind::Cuda, &["A GPU"]));
    let outcome = arena.run(&["tells_its_own_time", "--hardware", "cuda"]);
    let record = outcome.record();
    let case = &record.cases[0];
    assert_eq!(case.status, CaseStatus::Completed, "{}", outcome.shown());
    let metric = |name| case.metric(name).unwrap_or_else(|| panic!("no {name}: {}", outcome.shown())).median;
    let (device_ns, rate) = (metric("device_time"), metric("items_per_second"));
    assert!(device_ns < 0.8 * metric("time"), "{}", outcome.shown());
    assert!(
        (rate * device_ns / 1e9 - 1.0).abs() < 0.2,
        "{rate} items/s are not those of {device_ns} ns each"
    );
    assert!(case.launches.iter().all(|launch| !launch.side_effects.thread_running), "a driver may compute");

    // Half as much work again on the device is a tenth of the wall time.
    let sides = [&quick, &slow].map(|path| path.to_str().unwrap().to_owned());
    let outcome = arena.dyno(&["ab", &sides[0], &sides[1], "--hardware", "cuda", "--budget", "3s", "--json"]);
    let compared = &outcome.json()["cases"][0]["metrics"][0];
    assert_eq!(compared["name"], "device_time", "{}", outcome.shown());
    assert!(compared["effect"].as_f64().is_some_and(|effect| effect > 0.25), "{}", outcome.shown());
}

/// Asks the real probe with a library of ours in the place of a driver's.
fn probe_with(library: &Path, name: &str, kind: &str) -> Result<Vec<DeviceInfo>, String> {
    probe_by(library, name, &[kind])
}

fn probe_by(library: &Path, name: &str, arguments: &[&str]) -> Result<Vec<DeviceInfo>, String> {
    let probe = Path::new(env!("CARGO_BIN_EXE_dyno")).with_file_name("dyno-probe");
    assert!(probe.is_file(), "there is no probe beside dyno; run `cargo build --release -p dyno-probe`");
    let folder = tempfile::tempdir().expect("the arena is writable");
    // Where `pip install --user` would put it.
    let libraries = folder.path().join(".local/lib");
    fs::create_dir_all(&libraries).expect("the arena is writable");
    fs::copy(library, libraries.join(name)).expect("the arena is writable");
    let output = Command::new(probe)
        .args(arguments)
        .env_clear()
        .env("LD_LIBRARY_PATH", &libraries)
        .env("DYNO_USER_HOME", folder.path())
        .output()
        .expect("the arena is writable");
    if !output.status.success() {
        return Err(output.status.to_string());
    }
    let devices: Vec<DeviceInfo> =
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    match &devices[0].unavailable {
        Some(why) => Err(why.clone()),
        None => Ok(devices),
    }
}

fn cuda_with(defines: &[&str]) -> Result<Vec<DeviceInfo>, String> {
    let name = format!("libcuda-{}.so", defines.concat().replace(['-', '='], "_"));
    let library: PathBuf = fixtures::driver("libcuda", &name, defines);
    probe_with(&library, "libcuda.so.1", "cuda")
}

#[test]
fn the_cuda_driver_is_asked_for_its_devices_and_its_errors_are_sentences() {
    let found = cuda_with(&[]).unwrap();
    let shown: Vec<(&str, &str, Option<u64>)> = found
        .iter()
        .map(|device| (device.name.as_str(), device.model.as_str(), device.memory_bytes))
        .collect();
    assert_eq!(shown, [("cuda:0", "First Card", Some(1 << 30)), ("cuda:1", "Second Card", Some(2 << 30))]);
    let first: Value = serde_json::to_value(&found[0]).unwrap();
    for (field, value) in [("compute", "9.0"), ("interface", "CUDA 12.4"), ("pci", "0000:0a:00.0")] {
        assert_eq!(first[field], value);
    }
    assert_eq!((found[0].compute_units, found[0].max_core_clock_mhz), (Some(132), Some(1980)));
    let refused = |defines: &[&str], fragments: &[&str]| {
        let why = cuda_with(defines).unwrap_err();
        for fragment in fragments {
            assert!(why.contains(fragment), "{defines:?}: {why}");
        }
    };
    refused(&["-DVERSION=11040"], &["too old", "CUDA 11.4", "12.0 is needed", "driver 525"]);
    refused(&["-DINIT=803"], &["different versions", "803"]);
    refused(&["-DINIT=34"], &["stub"]);
    refused(&["-DINIT=999"], &["cannot be started", "dmesg", "999"]);
    refused(&["-DCOUNT=0"], &["lists no device"]);
    refused(&["-DCRASH"], &["SIGABRT"]);
}

#[test]
fn a_driver_is_asked_behind_the_layers_that_isolate_plugins() {
    let library = fixtures::driver("libcuda", "libcuda-spies.so", &["-DSPIES"]);
    let first = |arguments: &[&str]| probe_by(&library, "libcuda.so.1", arguments).unwrap().remove(0).model;
    assert_eq!(first(&["cuda"]), "Spying Card");
    assert_eq!(first(&["cuda", "--confined"]), "Blind Card");

    let mut arena = Arena::new();
    let hardware = answer(DeviceKind::Cuda, &["A GPU"]);
    with_probe(&mut arena, &format!("case $2 in --confined) exit 3;; *) {hardware};; esac"));
    let found = devices(&arena.dyno(&["devices", "cuda", "--json"]));
    let why = found[0].unconfined.clone().unwrap_or_default();
    assert!(
        found[0].model == "A GPU" && why.contains("code 3") && why.contains("--isolation basic"),
        "{found:?}"
    );
    let shown = arena.dyno(&["devices", "cuda:0"]).stdout;
    assert!(shown.contains("behind the layers that isolate plugins"), "{shown}");
    // Who does not isolate plugins does not isolate drivers either.
    arena.set("DYNO_ISOLATION", "basic");
    let found = devices(&arena.dyno(&["devices", "cuda", "--json"]));
    assert_eq!((found[0].model.as_str(), &found[0].unconfined), ("A GPU", &None));
}

#[test]
fn openvino_and_qnn_are_asked_by_their_libraries() {
    let library = fixtures::driver("libopenvino_c", "libopenvino_c.so", &[]);
    let found = probe_with(&library, "libopenvino_c.so", "openvino").unwrap();
    let shown: Vec<(String, &str)> =
        found.iter().map(|device| (device.label(), device.model.as_str())).collect();
    assert_eq!(shown, [("openvino:0 (software)".to_owned(), "CPU"), ("openvino:1".to_owned(), "NPU")]);
    assert_eq!(found[1].interface.as_deref(), Some("OpenVINO 2025.4.0"));
    let library = fixtures::driver("libQnnHtp", "libQnnHtp.so", &[]);
    let found = probe_with(&library, "libQnnHtp.so", "qnn").unwrap();
    assert_eq!(
        (found[0].model.as_str(), found[0].interface.as_deref()),
        ("HTP_QTI_AISW", Some("QNN 2.25.0"))
    );
    // A library of that name that is another one.
    let other = probe_with(&library, "libopenvino_c.so", "openvino").unwrap_err();
    assert!(other.contains("has no function `ov_get_openvino_version`"), "{other}");
}
