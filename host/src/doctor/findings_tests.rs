//! Every finding of `findings`, by readings that were made for it.

use dyno_core::model::{BusyProcess, CpuBusy, Doctor, IsolationReadings};

use super::*;

/// A machine on which nothing is wrong.
fn quiet() -> Readings {
    let doctor: Doctor = serde_json::from_str(include_str!("testdata/doctor.json")).unwrap();
    doctor.readings
}

/// The finding about a topic after the readings of a quiet machine were changed.
#[track_caller]
fn after(topic: &str, change: impl FnOnce(&mut Readings)) -> Finding {
    let mut readings = quiet();
    change(&mut readings);
    let noise = NoiseReport { upper_bound: Some(0.0), ..NoiseReport::default() };
    let all = findings(&readings, &noise);
    assert!(all.is_sorted_by_key(|finding| finding.severity), "worst first: {all:?}");
    let found: Vec<Finding> = all.into_iter().filter(|finding| finding.topic == topic).collect();
    assert_eq!(found.len(), 1, "one finding about {topic}: {found:?}");
    found.into_iter().next().unwrap()
}

#[track_caller]
fn is(found: &Finding, severity: Severity, fragments: &[&str]) {
    assert_eq!(found.severity, severity, "{found:?}");
    let all = format!("{found:?}");
    for fragment in fragments {
        assert!(all.contains(fragment), "`{fragment}` is not in {all}");
    }
}

#[test]
fn on_a_quiet_machine_all_is_good() {
    let noise = NoiseReport { upper_bound: Some(0.0), ..NoiseReport::default() };
    let all = findings(&quiet(), &noise);
    let bad: Vec<&Finding> = all.iter().filter(|finding| finding.severity != Severity::Good).collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert!(all.len() > 15, "what is good is said, too: {}", all.len());
    let mut topics: Vec<&str> = all.iter().map(|finding| finding.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    assert_eq!(topics.len(), all.len(), "each topic once");
}

#[test]
fn what_is_bad_says_what_to_do() {
    let mut readings = Readings::default();
    readings.cpus.allowed = vec![0];
    readings.kernel.can_fix_layout = Some(false);
    for finding in findings(&readings, &NoiseReport::default()) {
        let helped = finding.command.is_some() || finding.advice.is_some();
        let is_note = matches!(finding.severity, Severity::Good | Severity::Note);
        assert!(is_note || helped, "{finding:?}");
        assert!(finding.text.len() > 15 && !finding.text.contains('\n'), "{finding:?}");
    }
}

#[test]
fn nothing_known_is_no_panic() {
    let all = findings(&Readings::default(), &NoiseReport::default());
    assert!(
        all.iter().all(|finding| !finding.text.contains("NaN") && !finding.text.contains("None")),
        "{all:?}"
    );
}

#[test]
fn processors_and_their_threads() {
    is(
        &after("processors", |it| {
            it.cpus.measured = None;
            it.cpus.allowed = vec![2];
        }),
        Severity::Problem,
        &["one processor", "this process may use 2"],
    );
    is(&after("processors", |it| it.cpus.allowed = vec![1, 3]), Severity::Note, &["0-3", "1,3", "taskset"]);
    is(
        &after("smt", |it| it.cpus.siblings = vec![1]),
        Severity::Warning,
        &["shares its core with 1", "cpu1/online"],
    );
    is(&after("smt", |it| it.cpus.siblings = vec![7]), Severity::Good, &["one thread"]);
    is(&after("isolation", |it| it.cpus.isolated.clear()), Severity::Note, &["isolcpus=3"]);
    is(&after("isolation", |it| it.cpus.isolated = vec![9]), Severity::Warning, &["taskset -c 9"]);
}

#[test]
fn clocks() {
    is(
        &after("governor", |it| it.clocks.governors = vec!["ondemand".to_owned()]),
        Severity::Warning,
        &["`ondemand`", "echo performance | sudo tee"],
    );
    is(&after("governor", |it| it.clocks.governors.clear()), Severity::Note, &["does not report"]);
    is(
        &after("turbo", |it| it.clocks.turbo = Some(true)),
        Severity::Warning,
        &["echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"],
    );
    is(
        &after("turbo", |it| {
            it.clocks.turbo = Some(true);
            it.clocks.turbo_file = Some("/sys/devices/system/cpu/intel_pstate/no_turbo".to_owned());
        }),
        Severity::Warning,
        &["echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"],
    );
    is(
        &after("clock", |it| it.clocks.lowest_hz = Some(800_000_000)),
        Severity::Note,
        &["0.80 GHz to 3.00 GHz", "echo 3000000 | sudo tee"],
    );
    is(&after("heat", |it| it.clocks.throttles = Some(3)), Severity::Note, &["3 times"]);
    is(&after("heat", |it| it.clocks.temperature_c = Some(93.0)), Severity::Warning, &["93 °C"]);
    is(
        &after("time", |it| it.clocks.source = Some("hpet".to_owned())),
        Severity::Problem,
        &["`hpet`", "echo tsc | sudo tee"],
    );
    is(
        &after("time", |it| {
            it.clocks.source = Some("kvm-clock".to_owned());
            it.clocks.sources.clear();
        }),
        Severity::Note,
        &["does not offer `tsc`"],
    );
}

#[test]
fn what_goes_on() {
    is(&after("steal", |it| it.activity.steal = Some(0.2)), Severity::Problem, &["20 %"]);
    is(
        &after("steal", |it| it.kernel.virtualisation = Some("KVM".to_owned())),
        Severity::Good,
        &["no processor time"],
    );
    let busy = |it: &mut Readings, cpus: u32| {
        it.activity.busy =
            (0..4).map(|cpu| CpuBusy { cpu, share: if cpu < cpus { 0.9 } else { 0.0 } }).collect();
        it.activity.processes = vec![BusyProcess { pid: 42, name: "rustc".to_owned(), share: 0.9 }];
    };
    is(
        &after("load", |it| busy(it, 1)),
        Severity::Warning,
        &["0 90 %", "rustc (process 42, 90 %)", "ps -eo"],
    );
    is(&after("load", |it| busy(it, 3)), Severity::Problem, &["1 90 %"]);
    is(
        &after("pressure", |it| it.activity.memory_pressure = Some(0.3)),
        Severity::Warning,
        &["for memory 30 %"],
    );
    is(
        &after("pressure", |it| {
            it.activity.cpu_pressure = None;
            it.activity.memory_pressure = None;
            it.activity.io_pressure = None;
        }),
        Severity::Note,
        &["psi=1"],
    );
}

#[test]
fn what_stands_between_plugins_and_the_machine_is_told() {
    let isolation = |missing: &[&str]| IsolationReadings {
        layers: vec!["file_rules".to_owned(), "call_filter".to_owned()],
        missing: missing.iter().map(|why| (*why).to_owned()).collect(),
        ungrouped: None,
    };
    let found = after("plugins", |it| it.isolation = Some(isolation(&[])));
    is(&found, Severity::Good, &["confined: file_rules, call_filter hold"]);
    let why = "the plugin can open all files of this user: the kernel has no Landlock";
    let found = after("plugins", |it| it.isolation = Some(isolation(&[why])));
    is(&found, Severity::Warning, &[why, "WASM components"]);
    let found = after("groups", |it| it.isolation = Some(isolation(&[])));
    is(&found, Severity::Good, &["each worker has a control group"]);
    let why = "the control group `/x` was not handed over to dyno";
    let found = after("groups", |it| {
        it.isolation = Some(IsolationReadings { ungrouped: Some(why.to_owned()), ..isolation(&[]) });
    });
    is(&found, Severity::Note, &[why, "Delegate=memory pids"]);
}
