//! From readings to findings: of memory, of what control group and kernel allow, of folders, and of known noise. Pure.

use dyno_core::{
    model::{Finding, NoiseReport, Readings, Severity},
    units,
};

use super::finding::{Improve, percent, said};

/// Largest bound of the false-alarm rate at which a machine's alarms may gate a change.
const TOO_OFTEN: f64 = 0.01;
/// Minimum free space [bytes]: a launch needs little beside the plugin, but nothing works on a full disk.
const FREE_BYTES: u64 = 64 << 20;
/// Without privileges user-space counting of one's own threads is allowed up to here.
const PARANOID_FOR_ALL: i32 = 2;

pub(super) fn findings(readings: &Readings) -> Vec<Finding> {
    [
        memory(readings),
        swap(readings),
        huge_pages(readings),
        numa(readings),
        quota(readings),
        layout(readings),
        virtualisation(readings),
        counters(readings),
        energy(readings),
        realtime(readings),
        plugins(readings),
        groups(readings),
        copies(readings),
        temporary(readings),
        leases(readings),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn bytes(bytes: u64) -> String {
    units::bytes(bytes as f64)
}

fn memory(readings: &Readings) -> Option<Finding> {
    let memory = &readings.memory;
    let available = memory.available_bytes?;
    let group = readings.group.memory_bytes.filter(|limit| *limit < memory.total_bytes);
    let most = group.map_or(available, |limit| limit.min(available));
    if most < memory.worker_bytes {
        let found = said(
            "memory",
            Severity::Warning,
            format!(
                "{} of memory is available, but a worker may use {}: large cases would be killed",
                bytes(most),
                bytes(memory.worker_bytes)
            ),
        );
        return Some(match (&readings.group.memory_file, group) {
            (Some(file), Some(limit)) if limit == most => found.by(format!("echo max | sudo tee {file}")),
            _ => found.by("ps -eo pid,user,rss,args --sort=-rss | head"),
        });
    }
    Some(said("memory", Severity::Good, format!("{} of memory is available", bytes(most))))
}

fn swap(readings: &Readings) -> Option<Finding> {
    let memory = &readings.memory;
    let used = memory.swap_used_bytes?;
    Some(match memory.swap_bytes? {
        0 => said("swap", Severity::Good, "there is no swap space: pages stay in memory"),
        _ if used > 0 => said(
            "swap",
            Severity::Warning,
            format!("{} is swapped out: a launch may wait for the disk", bytes(used)),
        )
        .by("sudo swapoff -a"),
        all => said(
            "swap",
            Severity::Note,
            format!("there is swap space ({}), which is not used now", bytes(all)),
        )
        .by("sudo swapoff -a"),
    })
}

fn huge_pages(readings: &Readings) -> Option<Finding> {
    let mode = readings.memory.huge_pages.as_deref()?;
    Some(match mode {
        "never" => said(
            "huge-pages",
            Severity::Warning,
            "the kernel provides no huge pages: pairs of memory-bound benchmarks differ about ten times as much",
        )
        .by("echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"),
        "always" => said(
            "huge-pages",
            Severity::Note,
            "the kernel may give huge pages to any program: launches without --huge-pages may or may not have them",
        )
        .by("echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"),
        mode => said("huge-pages", Severity::Good, format!("huge pages are available (`{mode}`)")),
    })
}

fn numa(readings: &Readings) -> Option<Finding> {
    let memory = &readings.memory;
    if memory.numa_nodes <= 1 {
        return None;
    }
    let nodes = memory.numa_nodes;
    Some(if memory.numa_balancing == Some(true) {
        said(
            "numa",
            Severity::Warning,
            format!("the kernel moves pages among {nodes} NUMA nodes while programs run"),
        )
        .by("sudo sysctl kernel.numa_balancing=0")
    } else {
        said("numa", Severity::Good, format!("{nodes} NUMA nodes; pages stay where they are"))
            .or("a pinned worker has its memory on the node of its processor")
    })
}

fn quota(readings: &Readings) -> Option<Finding> {
    let group = &readings.group;
    let throttled = group.throttled.filter(|times| *times > 0);
    let so_often =
        throttled.map(|times| format!("; it was stopped {times} times so far")).unwrap_or_default();
    let Some(quota) = group.cpu_quota else {
        return Some(said("quota", Severity::Good, "the control group does not limit processor time"));
    };
    // With as much time as processors, no thread is ever throttled.
    let enough = quota >= readings.cpus.allowed.len() as f64;
    let severity = match (enough, throttled) {
        (true, None) => Severity::Note,
        (true, Some(_)) => Severity::Warning,
        (false, _) => Severity::Problem,
    };
    let found = said(
        "quota",
        severity,
        format!(
            "the control group allows {quota:.2} processors' time on {} processors{}{so_often}",
            readings.cpus.allowed.len(),
            if enough { "" } else { ": when it is used up, all threads stop for up to a tenth of a second" },
        ),
    );
    Some(match group.cpu_file.as_deref() {
        Some(file) if file.ends_with("cfs_quota_us") => found.by(format!("echo -1 | sudo tee {file}")),
        Some(file) => found.by(format!("echo max | sudo tee {file}")),
        None => found,
    }
    .or("for a container: start it without `--cpus`; give it processors of its own with `--cpuset-cpus` instead"))
}

fn layout(readings: &Readings) -> Option<Finding> {
    let kernel = &readings.kernel;
    Some(match (kernel.can_fix_layout?, kernel.aslr) {
        (true, _) => said(
            "layout",
            Severity::Good,
            "workers run without address randomisation; other programs keep theirs",
        ),
        (false, Some(0)) => {
            said("layout", Severity::Good, "address randomisation is off for all programs")
        }
        (false, _) => said(
            "layout",
            Severity::Warning,
            "workers may not switch address randomisation off: launches of one build differ by their memory layout",
        )
        .by("sudo sysctl kernel.randomize_va_space=0")
        .or("in a container: allow the system call `personality` (`docker run --security-opt seccomp=unconfined`)"),
    })
}

fn virtualisation(readings: &Readings) -> Option<Finding> {
    let Some(kind) = readings.kernel.virtualisation.as_deref() else {
        return Some(said("virtualisation", Severity::Good, "no hypervisor was detected"));
    };
    Some(
        said(
            "virtualisation",
            Severity::Note,
            format!(
                "this is a virtual machine ({kind}): neighbours on its host share caches, memory and clocks"
            ),
        )
        .or("compare by pairs with `dyno ab`: both builds of a pair meet the same neighbours"),
    )
}

fn counters(readings: &Readings) -> Option<Finding> {
    let kernel = &readings.kernel;
    if kernel.perf_units.is_empty() {
        let text = if kernel.virtualisation.is_some() {
            "hardware counters are not available: the hypervisor provides none"
        } else {
            "hardware counters are not available: the kernel found none"
        };
        return Some(
            said("counters", Severity::Note, text).or("ask the owner of the host to enable the virtual PMU"),
        );
    }
    let level = kernel.perf_paranoid?;
    Some(if level <= PARANOID_FOR_ALL || kernel.perf_privileged {
        said("counters", Severity::Good, "hardware counters can be read (`--counters`)")
    } else {
        said(
            "counters",
            Severity::Note,
            format!("hardware counters are forbidden (kernel.perf_event_paranoid is {level}; it must be 2 or less)"),
        )
        .by("sudo sysctl kernel.perf_event_paranoid=2")
    })
}

fn energy(readings: &Readings) -> Option<Finding> {
    let counters = &readings.kernel.energy;
    let Some(first) = counters.first() else {
        return Some(said(
            "energy",
            Severity::Note,
            "energy cannot be measured: the kernel has no RAPL counter",
        ));
    };
    let unreadable = counters.iter().find_map(|counter| counter.unreadable.as_deref());
    Some(match unreadable {
        None => {
            let names: Vec<&str> = counters.iter().map(|counter| counter.name.as_str()).collect();
            said("energy", Severity::Good, format!("energy can be measured ({})", names.join(", ")))
        }
        Some(why) => {
            said("energy", Severity::Note, format!("the energy counter {} cannot be read: {why}", first.file))
                .by("sudo chmod a+r /sys/class/powercap/*rapl*/energy_uj")
        }
    })
}

fn realtime(readings: &Readings) -> Option<Finding> {
    (!readings.kernel.realtime).then(|| {
        said("realtime", Severity::Note, "real-time priority (`--realtime`) is not allowed")
            .by("echo \"$USER - rtprio 10\" | sudo tee /etc/security/limits.d/dyno.conf")
            .or("then log in again")
    })
}

fn plugins(readings: &Readings) -> Option<Finding> {
    let isolation = readings.isolation.as_ref()?;
    Some(if isolation.missing.is_empty() {
        let layers = isolation.layers.join(", ");
        said("plugins", Severity::Good, format!("native plugins are confined: {layers} hold"))
    } else {
        said("plugins", Severity::Warning, isolation.missing.join("; "))
            .or("run only native plugins that you trust, or others as WASM components")
    })
}

fn groups(readings: &Readings) -> Option<Finding> {
    Some(match &readings.isolation.as_ref()?.ungrouped {
        None => said(
            "groups",
            Severity::Good,
            "each worker has a control group: the kernel bounds memory and number of all its processes together",
        ),
        Some(why) => said(
            "groups",
            Severity::Note,
            format!(
                "memory and processes that a plugin's copies of itself take are not bounded together: {why}"
            ),
        )
        .by("systemd-run --user --scope -p 'Delegate=memory pids' dyno doctor")
        .or("run dyno in a control group that is handed to it, as the unit in `examples/deploy` does"),
    })
}

fn copies(readings: &Readings) -> Option<Finding> {
    (readings.kernel.memfd_noexec == Some(2)).then(|| {
        said(
            "copies",
            Severity::Problem,
            "the kernel forbids code in memory files: native plugins, loaded from private copies in memory, cannot run",
        )
        .by("sudo sysctl vm.memfd_noexec=0")
    })
}

fn temporary(readings: &Readings) -> Option<Finding> {
    let folder = &readings.folders.temporary;
    Some(match readings.folders.temporary_free_bytes {
        None => {
            said("temporary", Severity::Problem, format!("the temporary folder `{folder}` cannot be used"))
                .by("export TMPDIR=/var/tmp")
        }
        Some(free) if free < FREE_BYTES => said(
            "temporary",
            Severity::Problem,
            format!("the temporary folder `{folder}` has {} left: launches need a folder there", bytes(free)),
        )
        .by(format!("df -h '{folder}'"))
        .or("free some of it, or name another with TMPDIR"),
        Some(free) => {
            said("temporary", Severity::Good, format!("`{folder}` has {} free for launches", bytes(free)))
        }
    })
}

fn leases(readings: &Readings) -> Option<Finding> {
    let folders = &readings.folders;
    Some(match &folders.leases_problem {
        None => said("leases", Severity::Good, format!("leases work in `{}`", folders.leases)),
        Some(why) => said(
            "leases",
            Severity::Problem,
            format!("no device can be leased in `{}`: {why}", folders.leases),
        )
        .by("export DYNO_LEASES=\"$HOME/.dyno-leases\"")
        .or("all processes that use a device must name the same folder"),
    })
}

/// The result of A/A comparisons on this machine.
pub(super) fn noise(noise: &NoiseReport) -> Finding {
    let try_it = "dyno aa cpu-kernels --benchmark stream_triad";
    if let Some(why) = &noise.unreadable {
        return said(
            "noise",
            Severity::Warning,
            format!("the false-alarm rate of this machine cannot be read: {why}"),
        );
    }
    let Some(bound) = noise.upper_bound else {
        return said(
            "noise",
            Severity::Note,
            "the false-alarm rate of this machine was never measured, so its alarms are untested",
        )
        .by(try_it)
        .or("better: name your own plugin and its benchmarks");
    };
    let seen = format!(
        "{} of {} comparisons of equal builds alarmed here (true rate: at most {}, with 95 % confidence)",
        noise.alarms,
        noise.comparisons,
        percent(bound)
    );
    if bound <= TOO_OFTEN {
        return said("noise", Severity::Good, seen);
    }
    // As many as show 1 %, when none of them alarms: the rule of three.
    let more = 300_u32.saturating_sub(noise.comparisons).max(1);
    if noise.alarms == 0 {
        return said("noise", Severity::Note, format!("{seen}; a rate below 1 % is not proven yet"))
            .by(try_it)
            .or(format!(
                "{more} more comparisons without an alarm would prove it; run them with `dyno aa … --comparisons N`"
            ));
    }
    let worst = noise.cases.iter().filter(|case| case.alarms > 0).max_by_key(|case| case.alarms);
    let worst = worst.map(|case| format!("; most by {}", case.label)).unwrap_or_default();
    said(
        "noise",
        Severity::Warning,
        format!("{seen}: above 1 %, so repeat a comparison that alarms here{worst}"),
    )
    .by(try_it)
    .or("fix the findings above, and measure the noise again")
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
