//! What the kernel says of the machine that makes it measure well or badly, read once for the doctor.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dyno_core::model::{
    ClockReadings, CpuReadings, FolderReadings, KernelReadings, MemoryReadings, Readings,
};
use nix::{
    sys::{
        personality::{self, Persona},
        resource::{Resource, getrlimit},
    },
    unistd::{AccessFlags, access},
};

use super::{
    activity::Look,
    affinity, energy,
    files::{Files, numbers},
    group, heat, machine, placement, topology,
};
use crate::fault::free_bytes;

/// How long to observe activity: the kernel counts in hundredths of a second.
const WINDOW: Duration = Duration::from_millis(500);
/// Capabilities, by number.
const CAP_SYS_ADMIN: u32 = 21;
const CAP_SYS_NICE: u32 = 23;
const CAP_PERFMON: u32 = 38;

/// What launches need, by the settings.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Folder for leases.
    pub leases: PathBuf,
    /// Maximum memory of a worker [bytes].
    pub worker_bytes: u64,
}

/// Reads everything. Takes half a second, to observe other activity.
#[must_use]
pub fn readings(wanted: &Wanted) -> Readings {
    let files = Files::of_this_machine();
    let allowed = affinity::usable_cpus(&files);
    let (before, begin) = (Look::at_all(&files), Instant::now());
    std::thread::sleep(WINDOW);
    let after = Look::at_all(&files);
    let activity = before.until(&after, begin.elapsed(), &allowed, &files);
    let cpus = cpus(&files, allowed, placement::place(&[], 1).first());
    Readings {
        clocks: clocks(&files, &cpus.allowed),
        cpus,
        activity,
        memory: memory(&files, wanted.worker_bytes),
        group: group::read(&files),
        kernel: kernel(&files),
        folders: folders(&wanted.leases),
        isolation: None,
    }
}

fn cpus(files: &Files, allowed: Vec<u32>, measured: Option<u32>) -> CpuReadings {
    let list = |path: &str| files.text(path).as_deref().map(numbers).unwrap_or_default();
    let siblings = measured.map_or_else(Vec::new, |cpu| {
        let mut all = topology::siblings(files, cpu);
        all.retain(|sibling| *sibling != cpu);
        all
    });
    CpuReadings {
        online: list("sys/devices/system/cpu/online"),
        allowed,
        isolated: list("sys/devices/system/cpu/isolated"),
        measured,
        siblings,
    }
}

fn clocks(files: &Files, allowed: &[u32]) -> ClockReadings {
    let of = |cpu: u32, name: &str| format!("sys/devices/system/cpu/cpu{cpu}/cpufreq/{name}");
    let hertz = |name: &str| -> Vec<u64> {
        let all = allowed.iter().filter_map(|cpu| files.number::<u64>(&of(*cpu, name)));
        all.map(|kilohertz| kilohertz * 1000).collect()
    };
    let mut governors: Vec<String> =
        allowed.iter().filter_map(|cpu| files.text(&of(*cpu, "scaling_governor"))).collect();
    governors.sort_unstable();
    governors.dedup();
    let turbo_files = [
        ("sys/devices/system/cpu/intel_pstate/no_turbo", "0"),
        ("sys/devices/system/cpu/cpufreq/boost", "1"),
    ];
    let turbo = turbo_files.into_iter().find_map(|(file, on)| Some((file, files.text(file)? == on)));
    let source = "sys/devices/system/clocksource/clocksource0";
    ClockReadings {
        governors,
        turbo: turbo.map(|(_, on)| on),
        turbo_file: turbo.map(|(file, _)| format!("/{file}")),
        lowest_hz: hertz("scaling_min_freq").into_iter().min(),
        highest_hz: hertz("scaling_max_freq").into_iter().max(),
        throttles: heat::throttles(files, allowed),
        temperature_c: heat::temperature_c(files),
        source: files.text(&format!("{source}/current_clocksource")),
        sources: files
            .text(&format!("{source}/available_clocksource"))
            .map(|text| text.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
    }
}

fn memory(files: &Files, worker_bytes: u64) -> MemoryReadings {
    let meminfo = files.text("proc/meminfo").unwrap_or_default();
    let field = |name: &str| machine::meminfo_bytes(&meminfo, name);
    MemoryReadings {
        total_bytes: field("MemTotal").unwrap_or(0),
        available_bytes: field("MemAvailable"),
        worker_bytes,
        swap_bytes: field("SwapTotal"),
        swap_used_bytes: field("SwapTotal")
            .zip(field("SwapFree"))
            .map(|(all, free)| all.saturating_sub(free)),
        huge_pages: files
            .text("sys/kernel/mm/transparent_hugepage/enabled")
            .as_deref()
            .and_then(machine::bracketed),
        numa_nodes: machine().cpu.numa_nodes,
        numa_balancing: files.number::<u32>("proc/sys/kernel/numa_balancing").map(|value| value != 0),
    }
}

fn kernel(files: &Files) -> KernelReadings {
    let status = files.text("proc/self/status").unwrap_or_default();
    let capabilities = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok())
        .unwrap_or(0);
    let may = |capability: u32| capabilities >> capability & 1 == 1;
    let counts = |name: &String| ["cpu", "armv", "apple_"].iter().any(|kind| name.starts_with(kind));
    KernelReadings {
        aslr: files.number("proc/sys/kernel/randomize_va_space"),
        can_fix_layout: can_fix_layout(),
        virtualisation: machine().cpu.virtualisation,
        perf_paranoid: files.number("proc/sys/kernel/perf_event_paranoid"),
        perf_units: files.names("sys/bus/event_source/devices").into_iter().filter(counts).collect(),
        perf_privileged: may(CAP_PERFMON) || may(CAP_SYS_ADMIN),
        energy: energy::counters(files),
        memfd_noexec: files.number("proc/sys/vm/memfd_noexec"),
        realtime: may(CAP_SYS_NICE) || getrlimit(Resource::RLIMIT_RTPRIO).is_ok_and(|(soft, _)| soft > 0),
    }
}

/// Tries it, and takes it back: it would hold for programs started later only.
fn can_fix_layout() -> Option<bool> {
    let before = personality::get().ok()?;
    let allowed = personality::set(before | Persona::ADDR_NO_RANDOMIZE).is_ok();
    if allowed {
        // It was so a moment ago: there is nothing better to do if it is refused now.
        let _ = personality::set(before);
    }
    Some(allowed)
}

fn folders(leases: &Path) -> FolderReadings {
    let temporary = crate::fault::temporary_folder();
    let free = free_bytes(&temporary);
    // It is made where it is missing: what is there of the way to it must allow that.
    let there = leases.ancestors().find(|folder| folder.exists());
    let problem = match there.map(|folder| (folder, access(folder, AccessFlags::W_OK | AccessFlags::X_OK))) {
        None => Some("no folder of its path exists".to_owned()),
        Some((folder, _)) if !folder.is_dir() => Some(format!("`{}` is not a folder", folder.display())),
        Some((folder, Err(errno))) => {
            Some(format!("`{}` cannot be written to: {}", folder.display(), errno.desc()))
        }
        Some((_, Ok(()))) => None,
    };
    FolderReadings {
        temporary: temporary.display().to_string(),
        temporary_free_bytes: free,
        leases: leases.display().to_string(),
        leases_problem: problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_machine_is_read() {
        let root = tempfile::tempdir().unwrap();
        let cpu = "sys/devices/system/cpu";
        for (path, text) in [
            (format!("{cpu}/online"), "0-3"),
            (format!("{cpu}/isolated"), "3"),
            (format!("{cpu}/cpu2/topology/thread_siblings_list"), "0,2"),
            (format!("{cpu}/cpu0/cpufreq/scaling_governor"), "powersave"),
            (format!("{cpu}/cpu2/cpufreq/scaling_governor"), "powersave"),
            (format!("{cpu}/cpu0/cpufreq/scaling_min_freq"), "800000"),
            (format!("{cpu}/cpu2/cpufreq/scaling_max_freq"), "3000000"),
            (format!("{cpu}/cpufreq/boost"), "1"),
            (format!("{cpu}/cpu0/thermal_throttle/core_throttle_count"), "4"),
            ("sys/class/thermal/thermal_zone0/temp".to_owned(), "45000"),
            ("sys/class/thermal/thermal_zone1/temp".to_owned(), "-274000"),
            (
                "proc/meminfo".to_owned(),
                "MemTotal: 8 kB\nMemAvailable: 4 kB\nSwapTotal: 2 kB\nSwapFree: 1 kB\n",
            ),
            ("proc/self/status".to_owned(), "Name:\tx\nCapEff:\t0000004000000000\n"),
            ("sys/bus/event_source/devices/cpu/type".to_owned(), "4"),
            ("sys/bus/event_source/devices/software/type".to_owned(), "1"),
        ] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let files = Files::below(root.path());
        let cpus = cpus(&files, vec![0, 2], Some(2));
        assert_eq!((cpus.online.len(), cpus.isolated, cpus.siblings), (4, vec![3], vec![0]));
        let clocks = clocks(&files, &[0, 2]);
        assert_eq!(clocks.governors, ["powersave"]);
        assert_eq!((clocks.lowest_hz, clocks.highest_hz), (Some(800_000_000), Some(3_000_000_000)));
        assert_eq!((clocks.turbo, clocks.throttles, clocks.temperature_c), (Some(true), Some(4), Some(45.0)));
        let memory = memory(&files, 1);
        assert_eq!((memory.total_bytes, memory.swap_used_bytes), (8192, Some(1024)));
        let kernel = kernel(&files);
        assert_eq!((kernel.perf_units, kernel.perf_privileged), (vec!["cpu".to_owned()], true));
    }

    #[test]
    fn folders_that_cannot_be_used_say_why() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(folders(&root.path().join("new/leases")).leases_problem, None);
        std::fs::write(root.path().join("file"), "").unwrap();
        let problem = folders(&root.path().join("file/leases")).leases_problem.unwrap();
        assert!(problem.contains("is not a folder"), "{problem}");
    }

    #[test]
    fn this_machine_can_be_read() {
        let wanted = Wanted { leases: std::env::temp_dir(), worker_bytes: 1 };
        let readings = readings(&wanted);
        assert!(!readings.cpus.allowed.is_empty() && readings.memory.total_bytes > 0);
        assert!(readings.activity.window_ms >= WINDOW.as_millis() as u64);
    }
}
