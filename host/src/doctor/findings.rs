//! From readings to findings: of processors, clocks and activity. Pure; findings of what the system allows are in
//! `limits`.

use dyno_core::{
    model::{Finding, NoiseReport, Readings, Severity},
    units,
};

use super::{
    finding::{Improve, percent, said},
    limits,
};

/// Share of the processors' time above which the hypervisor disturbs launches.
const STEAL_LIMIT: f64 = 0.01;
/// Share of time above which a processor counts as busy with other work.
const BUSY: f64 = 0.1;
/// Share of time in which some task waits for a processor, above which the machine is overloaded.
const CPU_PRESSURE: f64 = 0.1;
/// The same for memory and I/O.
const OTHER_PRESSURE: f64 = 0.05;
/// A sensor hotter than this is near to where processors slow down [°C].
const HOT_C: f64 = 85.0;
/// Number of processors from which on isolating one costs little.
const MANY: usize = 4;

/// What follows from the readings and the known noise, worst first.
#[must_use]
pub fn findings(readings: &Readings, noise: &NoiseReport) -> Vec<Finding> {
    let mut all: Vec<Finding> = [
        processors(readings),
        siblings(readings),
        isolation(readings),
        governor(readings),
        turbo(readings),
        clock_range(readings),
        heat(readings),
        time_source(readings),
        steal(readings),
        busy(readings),
        pressure(readings),
    ]
    .into_iter()
    .flatten()
    .chain(limits::findings(readings))
    .chain([limits::noise(noise)])
    .collect();
    all.sort_by_key(|finding| finding.severity);
    all
}

fn processors(readings: &Readings) -> Option<Finding> {
    let cpus = &readings.cpus;
    let (online, allowed) = (cpus.online.len(), cpus.allowed.len());
    Some(match (cpus.measured, allowed) {
        (_, 0) => return None,
        (None, _) | (_, 1) => {
            let found = said(
                "processors",
                Severity::Problem,
                "there is one processor: host, worker and everything else take turns on it, and launches are \
                 preempted",
            );
            if online > allowed {
                found.by("nproc --all; taskset -pc $$").or(format!(
                    "the machine has processors {}, this process may use {}: start dyno where it may use two or more",
                    units::cpus(&cpus.online),
                    units::cpus(&cpus.allowed)
                ))
            } else {
                found.or("measure on a machine with two processors or more")
            }
        }
        (Some(measured), _) if allowed < online => said(
            "processors",
            Severity::Note,
            format!(
                "of processors {} this process may use {}; a launch is measured on {measured}",
                units::cpus(&cpus.online),
                units::cpus(&cpus.allowed)
            ),
        )
        .by("taskset -pc $$"),
        (Some(measured), _) => said(
            "processors",
            Severity::Good,
            format!("{allowed} processors; a launch is measured on {measured}, and the host stays off it"),
        ),
    })
}

fn siblings(readings: &Readings) -> Option<Finding> {
    let cpus = &readings.cpus;
    let measured = cpus.measured?;
    let on: Vec<u32> = cpus
        .siblings
        .iter()
        .copied()
        .filter(|cpu| cpus.online.contains(cpu) || cpus.online.is_empty())
        .collect();
    let Some(first) = on.first() else {
        return Some(said(
            "smt",
            Severity::Good,
            "the measured core runs only one thread, so no other program shares it",
        ));
    };
    Some(
        said(
            "smt",
            Severity::Warning,
            format!(
                "processor {measured} shares its core with {}: what runs there slows launches down, by up to half",
                units::cpus(&on)
            ),
        )
        .by(format!("echo 0 | sudo tee /sys/devices/system/cpu/cpu{first}/online"))
        .or("or switch SMT off for all cores: `echo off | sudo tee /sys/devices/system/cpu/smt/control`"),
    )
}

fn isolation(readings: &Readings) -> Option<Finding> {
    let cpus = &readings.cpus;
    if !cpus.isolated.is_empty() {
        let usable: Vec<u32> =
            cpus.isolated.iter().copied().filter(|cpu| cpus.allowed.contains(cpu)).collect();
        return Some(if usable.is_empty() {
            said(
                "isolation",
                Severity::Warning,
                format!(
                    "processors {} are isolated, but this process may not use them",
                    units::cpus(&cpus.isolated)
                ),
            )
            .by(format!("taskset -c {} dyno …", units::cpus(&cpus.isolated)))
        } else {
            said("isolation", Severity::Good, format!("processors {} are isolated", units::cpus(&usable)))
        });
    }
    let last = cpus.measured.filter(|_| cpus.online.len() >= MANY)?;
    Some(
        said(
            "isolation",
            Severity::Note,
            "no processor is isolated: the kernel may run other programs on the measured one",
        )
        .or(format!("boot with `isolcpus={last} nohz_full={last}` to keep one for measuring")),
    )
}

fn governor(readings: &Readings) -> Option<Finding> {
    let governors = &readings.clocks.governors;
    if governors.is_empty() {
        let text = if readings.kernel.virtualisation.is_some() {
            "the hypervisor controls the clock: its governor cannot be seen from inside the virtual machine"
        } else {
            "the kernel does not report how processors are clocked"
        };
        return Some(
            said("governor", Severity::Note, text)
                .or("watch for launches that are marked as disturbed, and compare by pairs with `dyno ab`"),
        );
    }
    if governors.iter().all(|governor| governor == "performance") {
        return Some(said("governor", Severity::Good, "the governor is `performance`"));
    }
    Some(
        said(
            "governor",
            Severity::Warning,
            format!(
                "the governor is `{}`: processors start slow and change their clock while they are measured",
                governors.join("`, `")
            ),
        )
        .by("echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"),
    )
}

fn turbo(readings: &Readings) -> Option<Finding> {
    let clocks = &readings.clocks;
    Some(match clocks.turbo? {
        false => {
            said("turbo", Severity::Good, "turbo is off: the clock does not depend on heat and neighbours")
        }
        true => {
            let file = clocks.turbo_file.as_deref().unwrap_or("/sys/devices/system/cpu/cpufreq/boost");
            let off = u8::from(file.ends_with("no_turbo"));
            said(
                "turbo",
                Severity::Warning,
                "turbo is on: the clock depends on heat and on what the other cores do",
            )
            .by(format!("echo {off} | sudo tee {file}"))
        }
    })
}

fn clock_range(readings: &Readings) -> Option<Finding> {
    let clocks = &readings.clocks;
    let (low, high) = (clocks.lowest_hz?, clocks.highest_hz?);
    let gigahertz = |hertz: u64| format!("{:.2} GHz", hertz as f64 / 1e9);
    Some(if low == high {
        said("clock", Severity::Good, format!("the clock is fixed at {}", gigahertz(high)))
    } else {
        // With the governor `performance` the range is rarely used.
        let held = clocks.governors.iter().all(|governor| governor == "performance");
        let severity = if held && !clocks.governors.is_empty() { Severity::Note } else { Severity::Warning };
        said("clock", severity, format!("the clock can vary from {} to {}", gigahertz(low), gigahertz(high)))
            .by(format!(
                "echo {} | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_min_freq",
                high / 1000
            ))
    })
}

fn heat(readings: &Readings) -> Option<Finding> {
    let clocks = &readings.clocks;
    let temperature = clocks.temperature_c.map(|degrees| format!("{degrees:.0} °C")).unwrap_or_default();
    if clocks.temperature_c.is_some_and(|degrees| degrees > HOT_C) {
        return Some(
            said(
                "heat",
                Severity::Warning,
                format!("a sensor reports {temperature}: processors slow down at about 95 °C"),
            )
            .by("cat /sys/class/thermal/thermal_zone*/temp")
            .or("let the machine cool down, or cool it better"),
        );
    }
    match clocks.throttles {
        Some(0) => Some(said(
            "heat",
            Severity::Good,
            "no processor was slowed down by heat since the machine started",
        )),
        Some(times) => Some(
            said(
                "heat",
                Severity::Note,
                format!("processors were slowed down by heat {times} times since the machine started"),
            )
            .by("grep . /sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count"),
        ),
        None if temperature.is_empty() => None,
        None => Some(said("heat", Severity::Good, format!("the hottest sensor reports {temperature}"))),
    }
}

fn time_source(readings: &Readings) -> Option<Finding> {
    let clocks = &readings.clocks;
    let source = clocks.source.as_deref()?;
    // Those are read without entering the kernel.
    let fast = ["tsc", "arch_sys_counter", "kvm-clock", "hyperv_clocksource_tsc_page", "riscv_clocksource"];
    if source == "tsc" || source == "arch_sys_counter" || source == "riscv_clocksource" {
        return Some(said("time", Severity::Good, format!("the kernel tells time by `{source}`")));
    }
    let severity = if fast.contains(&source) { Severity::Note } else { Severity::Problem };
    let what = if fast.contains(&source) {
        "corrected by the hypervisor, which may make it jump"
    } else {
        "which takes a microsecond to read and enters the kernel"
    };
    let found = said("time", severity, format!("the kernel tells time by `{source}`, {what}"));
    Some(if clocks.sources.iter().any(|source| source == "tsc") {
        found.by("echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource")
    } else {
        found.or(
            "the kernel does not offer `tsc` here, because it was found unstable: see `dmesg | grep -i tsc`",
        )
    })
}

fn steal(readings: &Readings) -> Option<Finding> {
    let steal = readings.activity.steal?;
    if readings.kernel.virtualisation.is_none() && steal <= STEAL_LIMIT {
        return None;
    }
    Some(if steal > STEAL_LIMIT {
        said(
            "steal",
            Severity::Problem,
            format!(
                "the hypervisor took {} of the processors' time in the last {} ms: times show the load of other guests \
                 on the host",
                percent(steal),
                readings.activity.window_ms
            ),
        )
        .by("top -b -n 2 -d 5 | grep '%Cpu'")
        .or("measure at another time, or on a machine with processors of its own")
    } else {
        said("steal", Severity::Good, "the hypervisor takes no processor time right now")
    })
}

fn busy(readings: &Readings) -> Option<Finding> {
    let activity = &readings.activity;
    let mut busy: Vec<_> = activity.busy.iter().filter(|cpu| cpu.share > BUSY).collect();
    if activity.busy.is_empty() {
        return None;
    }
    if busy.is_empty() {
        return Some(said("load", Severity::Good, "the processors are otherwise idle"));
    }
    busy.sort_unstable_by_key(|cpu| cpu.cpu);
    let shown: Vec<String> =
        busy.iter().take(8).map(|cpu| format!("{} {}", cpu.cpu, percent(cpu.share))).collect();
    let more = if busy.len() > shown.len() {
        format!(" and {} more", busy.len() - shown.len())
    } else {
        String::new()
    };
    let users: Vec<String> = activity
        .processes
        .iter()
        .map(|process| format!("{} (process {}, {})", process.name, process.pid, percent(process.share)))
        .collect();
    let by = if users.is_empty() { String::new() } else { format!(", most by {}", users.join(", ")) };
    let severity = if busy.len() * 2 > activity.busy.len() { Severity::Problem } else { Severity::Warning };
    Some(
        said(
            "load",
            severity,
            format!("processors are busy with other work: {}{more}{by}", shown.join(", ")),
        )
        .by("ps -eo pid,user,pcpu,etime,args --sort=-pcpu | head")
        .or("stop or move programs that need not run during a measurement"),
    )
}

fn pressure(readings: &Readings) -> Option<Finding> {
    let activity = &readings.activity;
    let known = [
        ("a processor", activity.cpu_pressure, CPU_PRESSURE),
        ("memory", activity.memory_pressure, OTHER_PRESSURE),
        ("I/O", activity.io_pressure, OTHER_PRESSURE),
    ];
    if known.iter().all(|(_, share, _)| share.is_none()) {
        return Some(
            said(
                "pressure",
                Severity::Note,
                "the kernel does not report how long tasks wait for processors, memory and I/O",
            )
            .or("boot with `psi=1`"),
        );
    }
    let waits: Vec<String> = known
        .iter()
        .filter_map(|(what, share, limit)| {
            share
                .filter(|share| share > limit)
                .map(|share| format!("for {what} {} of the time", percent(share)))
        })
        .collect();
    Some(if waits.is_empty() {
        said("pressure", Severity::Good, "no task waits for processors, memory or I/O")
    } else {
        said(
            "pressure",
            Severity::Warning,
            format!("in the last ten seconds tasks waited {}", waits.join(", ")),
        )
        .by("grep . /proc/pressure/*")
        .or("wait until the machine is quieter")
    })
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
