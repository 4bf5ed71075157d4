//! Every finding of `limits`, by readings that were made for it.

use dyno_core::model::{Doctor, EnergyCounter, NoiseCase};

use super::*;

#[track_caller]
fn after(topic: &str, change: impl FnOnce(&mut Readings)) -> Finding {
    let doctor: Doctor = serde_json::from_str(include_str!("testdata/doctor.json")).unwrap();
    let mut readings = doctor.readings;
    change(&mut readings);
    findings(&readings)
        .into_iter()
        .find(|finding| finding.topic == topic)
        .unwrap_or_else(|| panic!("no {topic}"))
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
fn memory_and_swap() {
    is(
        &after("memory", |it| it.memory.available_bytes = Some(1 << 30)),
        Severity::Warning,
        &["1.000 GiB", "4.000 GiB", "--sort=-rss"],
    );
    is(
        &after("memory", |it| {
            it.group.memory_bytes = Some(1 << 29);
            it.group.memory_file = Some("/sys/fs/cgroup/memory.max".to_owned());
        }),
        Severity::Warning,
        &["512.0 MiB", "echo max | sudo tee /sys/fs/cgroup/memory.max"],
    );
    is(&after("swap", |it| it.memory.swap_bytes = Some(1 << 30)), Severity::Note, &["swapoff"]);
    is(
        &after("swap", |it| {
            it.memory.swap_bytes = Some(1 << 30);
            it.memory.swap_used_bytes = Some(1 << 20);
        }),
        Severity::Warning,
        &["1.000 MiB"],
    );
    is(
        &after("huge-pages", |it| it.memory.huge_pages = Some("never".to_owned())),
        Severity::Warning,
        &["transparent_hugepage"],
    );
    is(
        &after("huge-pages", |it| it.memory.huge_pages = Some("always".to_owned())),
        Severity::Note,
        &["madvise"],
    );
    is(
        &after("numa", |it| {
            it.memory.numa_nodes = 2;
            it.memory.numa_balancing = Some(true);
        }),
        Severity::Warning,
        &["2 NUMA nodes", "numa_balancing=0"],
    );
}

#[test]
fn control_groups() {
    let quota = |quota: f64, throttled| {
        after("quota", move |it| {
            it.group.cpu_quota = Some(quota);
            it.group.cpu_file = Some("/sys/fs/cgroup/cpu.max".to_owned());
            it.group.throttled = throttled;
        })
    };
    is(
        &quota(1.5, Some(3)),
        Severity::Problem,
        &["1.50", "stopped 3 times", "echo max | sudo tee /sys/fs/cgroup/cpu.max"],
    );
    is(&quota(4.0, None), Severity::Note, &["4.00"]);
    is(&quota(4.0, Some(1)), Severity::Warning, &["stopped 1 times"]);
}

#[test]
fn what_the_kernel_allows() {
    is(
        &after("layout", |it| it.kernel.can_fix_layout = Some(false)),
        Severity::Warning,
        &["randomize_va_space=0"],
    );
    is(
        &after("layout", |it| {
            it.kernel.can_fix_layout = Some(false);
            it.kernel.aslr = Some(0);
        }),
        Severity::Good,
        &["off for all"],
    );
    is(
        &after("virtualisation", |it| it.kernel.virtualisation = Some("KVM".to_owned())),
        Severity::Note,
        &["(KVM)", "dyno ab"],
    );
    is(
        &after("counters", |it| it.kernel.perf_units.clear()),
        Severity::Note,
        &["hardware counters are not available"],
    );
    is(
        &after("counters", |it| it.kernel.perf_paranoid = Some(3)),
        Severity::Note,
        &["perf_event_paranoid=2"],
    );
    is(
        &after("counters", |it| {
            it.kernel.perf_paranoid = Some(4);
            it.kernel.perf_privileged = true;
        }),
        Severity::Good,
        &["can be read"],
    );
    is(&after("energy", |it| it.kernel.energy.clear()), Severity::Note, &["no RAPL"]);
    is(
        &after("energy", |it| {
            it.kernel.energy = vec![EnergyCounter {
                name: "package-0".to_owned(),
                file: "/e".to_owned(),
                unreadable: Some("permission denied".to_owned()),
            }];
        }),
        Severity::Note,
        &["permission denied", "chmod a+r"],
    );
    is(&after("realtime", |it| it.kernel.realtime = false), Severity::Note, &["rtprio"]);
    is(&after("copies", |it| it.kernel.memfd_noexec = Some(2)), Severity::Problem, &["memfd_noexec=0"]);
}

#[test]
fn folders() {
    is(
        &after("temporary", |it| it.folders.temporary_free_bytes = Some(9)),
        Severity::Problem,
        &["df -h '/tmp'"],
    );
    is(&after("temporary", |it| it.folders.temporary_free_bytes = None), Severity::Problem, &["TMPDIR"]);
    is(
        &after("leases", |it| it.folders.leases_problem = Some("it is not a folder".to_owned())),
        Severity::Problem,
        &["it is not a folder", "DYNO_LEASES"],
    );
}

#[test]
fn known_noise() {
    let of = |comparisons, alarms, upper_bound| {
        let case = NoiseCase {
            label: "gemm n=8".to_owned(),
            comparisons,
            alarms,
            upper_bound,
            pairs: 1,
            spread: 0.0,
        };
        noise(&NoiseReport {
            comparisons,
            alarms,
            upper_bound: Some(upper_bound),
            cases: vec![case],
            ..NoiseReport::default()
        })
    };
    is(&noise(&NoiseReport::default()), Severity::Note, &["was never measured", "dyno aa"]);
    is(&of(300, 0, 0.0099), Severity::Good, &["0 of 300"]);
    is(&of(100, 0, 0.0295), Severity::Note, &["a rate below 1 % is not proven yet", "200 more"]);
    is(&of(300, 5, 0.035), Severity::Warning, &["5 of 300", "above 1 %", "gemm n=8"]);
    let unreadable = NoiseReport { unreadable: Some("locked".to_owned()), ..NoiseReport::default() };
    is(&noise(&unreadable), Severity::Warning, &["locked"]);
}
