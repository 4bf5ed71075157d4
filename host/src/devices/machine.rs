//! The machine's fixed properties, read from the kernel's files; a property that they lack is unknown.

use std::{fs, path::Path, sync::OnceLock};

use dyno_core::{
    model::{CpuTopology, Machine},
    text::hex,
};
use sha2::{Digest, Sha256};

use super::{
    files::{Files, text as file},
    topology,
};

/// The machine. Read once per process.
#[must_use]
pub fn machine() -> Machine {
    static MACHINE: OnceLock<Machine> = OnceLock::new();
    MACHINE.get_or_init(read).clone()
}

fn read() -> Machine {
    let cpu = cpu(Path::new("/sys/devices/system"), &text("/proc/cpuinfo").unwrap_or_default());
    let memory_bytes =
        text("/proc/meminfo").and_then(|meminfo| meminfo_bytes(&meminfo, "MemTotal")).unwrap_or(0);
    let group = super::group::read(&Files::of_this_machine());
    let mut machine = Machine {
        hostname: text("/proc/sys/kernel/hostname").unwrap_or_else(|| "unknown".to_owned()),
        os: format!(
            "{} {}",
            text("/proc/sys/kernel/ostype").unwrap_or_else(|| std::env::consts::OS.to_owned()),
            text("/proc/sys/kernel/osrelease").unwrap_or_default()
        )
        .trim_end()
        .to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cpu,
        memory_bytes,
        aslr: text("/proc/sys/kernel/randomize_va_space").and_then(|value| value.parse().ok()),
        cpu_quota: group.cpu_quota,
        // A limit above the machine's memory limits nothing.
        memory_limit_bytes: group.memory_bytes.filter(|limit| *limit < memory_bytes),
        fingerprint: String::new(),
        devices: Vec::new(),
    };
    machine.fingerprint = fingerprint(&machine);
    machine
}

/// Equal on machines that should run at equal speed. Memory counts in steps of a gibibyte: kernels reserve more or less.
fn fingerprint(machine: &Machine) -> String {
    let cpu = &machine.cpu;
    let about = format!(
        "{}|{}|{}|{}|{}|{}|{:?}|{:?}|{:?}|{:?}|{}",
        machine.arch,
        cpu.model,
        cpu.sockets,
        cpu.cores,
        cpu.threads,
        cpu.smt,
        cpu.caches,
        cpu.simd,
        cpu.governor,
        cpu.virtualisation,
        machine.memory_bytes >> 30
    );
    hex(&Sha256::digest(about.as_bytes())[..8])
}

fn cpu(system: &Path, cpuinfo: &str) -> CpuTopology {
    let cpu0 = system.join("cpu/cpu0");
    let field = |name: &str| cpuinfo_field(cpuinfo, name);
    let count = |name: &str| {
        let mut values: Vec<&str> = cpuinfo.lines().filter_map(|line| value_of(line, name)).collect();
        values.sort_unstable();
        values.dedup();
        values.len() as u32
    };
    let threads = super::allowed_threads();
    let siblings = file(&cpu0.join("topology/thread_siblings_list")).unwrap_or_default();
    let smt = siblings.contains([',', '-']);
    let sockets = count("physical id").max(1);
    let per_socket = field("cpu cores").and_then(|cores| cores.parse::<u32>().ok());
    CpuTopology {
        model: field("model name").unwrap_or_else(|| "unknown".to_owned()),
        sockets,
        // Not every architecture lists its cores in `/proc/cpuinfo`: without the list, a thread counts as a core.
        cores: per_socket.map_or(threads, |cores| cores * sockets),
        threads,
        smt,
        caches: caches(&cpu0.join("cache")),
        simd: simd(&field("flags").unwrap_or_default()),
        governor: file(&cpu0.join("cpufreq/scaling_governor")),
        turbo: turbo(system),
        max_clock_hz: file(&cpu0.join("cpufreq/scaling_max_freq"))
            .and_then(|khz| khz.parse::<u64>().ok())
            .map(|khz| khz * 1000),
        virtualisation: virtualisation(&field("flags").unwrap_or_default()),
        huge_pages: text("/sys/kernel/mm/transparent_hugepage/enabled").as_deref().and_then(bracketed),
        numa_nodes: numa_nodes(&system.join("node")),
        core_list: topology::cores(system),
        cache_list: topology::caches(system),
        isolated: topology::list(&system.join("cpu/isolated")),
    }
}

fn turbo(system: &Path) -> Option<bool> {
    // Intel's driver has its own switch, with the opposite meaning.
    let intel = file(&system.join("cpu/intel_pstate/no_turbo")).map(|value| value == "0");
    intel.or_else(|| file(&system.join("cpu/cpufreq/boost")).map(|value| value == "1"))
}

fn caches(folder: &Path) -> Vec<(String, u64)> {
    let mut out = Vec::new();
    // More entries than any processor has.
    for index in 0..8 {
        let cache = folder.join(format!("index{index}"));
        let (Some(level), Some(kind), Some(size)) =
            (file(&cache.join("level")), file(&cache.join("type")), file(&cache.join("size")))
        else {
            continue;
        };
        if let Some(bytes) = topology::cache_bytes(&size) {
            out.push((topology::cache_name(&level, &kind), bytes));
        }
    }
    out
}

/// The extensions that decide how wide vectors are, narrowest first.
fn simd(flags: &str) -> Vec<String> {
    const KNOWN: [&str; 12] = [
        "sse2",
        "sse4_2",
        "avx",
        "fma",
        "avx2",
        "avx512f",
        "avx512bw",
        "avx512_vnni",
        "avx512_bf16",
        "amx_tile",
        "asimd",
        "sve",
    ];
    let present: Vec<&str> = flags.split_whitespace().collect();
    KNOWN.into_iter().filter(|name| present.contains(name)).map(str::to_owned).collect()
}

fn virtualisation(flags: &str) -> Option<String> {
    if let Some(kind) = text("/sys/hypervisor/type") {
        return Some(kind);
    }
    // Every common hypervisor sets this flag for its guests.
    if !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return None;
    }
    let product = text("/sys/class/dmi/id/product_name").unwrap_or_default();
    Some(if product.is_empty() { "hypervisor".to_owned() } else { product })
}

/// The choice in brackets. // eg: `always [madvise] never`
pub(super) fn bracketed(text: &str) -> Option<String> {
    Some(text.split_once('[')?.1.split_once(']')?.0.to_owned())
}

fn numa_nodes(folder: &Path) -> u32 {
    let nodes = fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| {
        let name = entry.file_name();
        name.to_str()
            .and_then(|name| name.strip_prefix("node"))
            .is_some_and(|number| number.parse::<u32>().is_ok())
    });
    u32::try_from(nodes.count()).unwrap_or(1).max(1)
}

fn value_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_once(':').filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

fn cpuinfo_field(cpuinfo: &str, name: &str) -> Option<String> {
    cpuinfo.lines().find_map(|line| value_of(line, name)).map(str::to_owned)
}

pub(super) fn meminfo_bytes(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| value_of(line, name))?;
    line.strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// A small file of the kernel, trimmed; `None` if it is missing or empty.
pub(super) fn text(path: &str) -> Option<String> {
    file(Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPUINFO: &str = "processor\t: 0\nmodel name\t: Some CPU @ 2.5GHz\nphysical id\t: 0\ncpu cores\t: 2\n\
                           flags\t\t: fpu sse2 sse4_2 avx2 hypervisor\n\nprocessor\t: 1\nphysical id\t: 1\n";

    #[test]
    fn a_machine_is_read_from_its_files() {
        let system = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = system.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("cpu/cpu0/cache/index0/level", "1\n");
        write("cpu/cpu0/cache/index0/type", "Data\n");
        write("cpu/cpu0/cache/index0/size", "32K\n");
        write("cpu/cpu0/topology/thread_siblings_list", "0,1\n");
        write("cpu/cpu0/cpufreq/scaling_governor", "performance\n");
        write("cpu/intel_pstate/no_turbo", "1\n");
        write("node/node0/x", "");
        write("node/node1/x", "");
        let cpu = cpu(system.path(), CPUINFO);
        assert_eq!(cpu.model, "Some CPU @ 2.5GHz");
        assert_eq!((cpu.sockets, cpu.cores, cpu.numa_nodes), (2, 4, 2));
        assert_eq!(cpu.caches, [("L1d".to_owned(), 32 * 1024)]);
        assert_eq!(cpu.simd, ["sse2", "sse4_2", "avx2"]);
        assert_eq!((cpu.smt, cpu.turbo, cpu.governor.as_deref()), (true, Some(false), Some("performance")));
    }

    #[test]
    fn what_is_not_said_stays_unknown() {
        let cpu = cpu(Path::new("/nonexistent"), "");
        assert_eq!((cpu.governor, cpu.turbo, cpu.max_clock_hz, cpu.virtualisation), (None, None, None, None));
        assert!(cpu.caches.is_empty() && cpu.simd.is_empty());
    }

    #[test]
    fn small_texts_are_read() {
        assert_eq!(bracketed("always [madvise] never"), Some("madvise".to_owned()));
        assert_eq!(meminfo_bytes("MemTotal:       16 kB\n", "MemTotal"), Some(16384));
        assert_eq!(meminfo_bytes("MemTotal: x kB", "MemTotal"), None);
    }
}
