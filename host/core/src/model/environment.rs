//! The machine: once per run ([`Machine`]) and around every launch ([`Environment`]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The machine, as far as it does not change while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Name of the host.
    pub hostname: String,
    /// Operating system and kernel release. // eg: "Linux 6.1.0"
    pub os: String,
    /// Architecture. // eg: "x86_64"
    pub arch: String,
    /// The processor.
    pub cpu: CpuTopology,
    /// Main memory [bytes].
    pub memory_bytes: u64,
    /// How the kernel randomises addresses (`kernel.randomize_va_space`): 0 is not at all. Workers switch it off for
    /// themselves if they may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aslr: Option<u32>,
    /// Processor time that the control group allows: 1.5 is one and a half processors. Absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<f64>,
    /// Maximum memory that the control group allows [bytes]. Absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// A hash of everything that decides speed (processor, caches, cores, memory, virtualisation): equal on equal
    /// machines.
    pub fingerprint: String,
    /// The devices that a run was to use, beside the processor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<super::DeviceInfo>,
}

impl Machine {
    /// Whether both are equal machines, whatever their settings are: everything of the fingerprint but the governor. Memory
    /// counts in steps of a gibibyte, since kernels reserve more or less.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let hardware = |it: &Self| (it.arch.clone(), it.memory_bytes >> 30);
        let counts = |cpu: &CpuTopology| (cpu.sockets, cpu.cores, cpu.threads, cpu.smt);
        let (a, b) = (&self.cpu, &other.cpu);
        hardware(self) == hardware(other)
            && counts(a) == counts(b)
            && (&a.model, &a.caches, &a.simd, &a.virtualisation)
                == (&b.model, &b.caches, &b.simd, &b.virtualisation)
    }
}

/// The processor and its settings. Empty or absent: the machine does not report it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CpuTopology {
    /// Model name.
    pub model: String,
    /// Sockets.
    pub sockets: u32,
    /// Physical cores.
    pub cores: u32,
    /// Logical processors that this process may use.
    pub threads: u32,
    /// Whether cores run more than one thread.
    pub smt: bool,
    /// Caches that processor 0 sees, smallest level first: name and size [bytes]. // eg: ("L1d", 32768)
    pub caches: Vec<(String, u64)>,
    /// Widest SIMD extensions, narrowest first. // eg: ["sse4.2", "avx2", "avx512f"]
    pub simd: Vec<String>,
    /// Frequency governor. // eg: "performance"
    pub governor: Option<String>,
    /// Whether the processor may run above its nominal clock.
    pub turbo: Option<bool>,
    /// Highest clock that is set [Hz].
    pub max_clock_hz: Option<u64>,
    /// Hypervisor, if there is one. // eg: "KVM"
    pub virtualisation: Option<String>,
    /// Whether the kernel gives huge pages to the heap. // eg: "madvise"
    pub huge_pages: Option<String>,
    /// NUMA nodes.
    pub numa_nodes: u32,
    /// Its cores, by their first thread; empty in older records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub core_list: Vec<Core>,
    /// All its caches, smallest level first, equal ones counted together; empty in older records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cache_list: Vec<Cache>,
    /// Isolated processors: the kernel gives them only to programs that ask for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub isolated: Vec<u32>,
}

/// A core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Core {
    /// Its threads, as a list of processors. // eg: "0,4"
    pub threads: String,
    /// Number of its package.
    pub package: u32,
    /// Number of its NUMA node.
    pub node: u32,
}

/// Equal caches, counted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cache {
    /// Level and kind. // eg: "L1d", "L3"
    pub name: String,
    /// Size of one [bytes].
    pub bytes: u64,
    /// How many there are.
    pub count: u32,
    /// How many threads share one.
    pub shared_by: u32,
}

/// Conditions of a launch: readings from before and after.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Just before the worker started.
    pub before: Load,
    /// Just after it ended.
    pub after: Load,
    /// Share of the machine's processor time that the hypervisor gave to others during the launch, 0 to 1.
    pub steal: Option<f64>,
    /// Share of the other processors' time that other work used during the launch, 0 to 1. Not known of a case that may use all
    /// processors: it would count its own work.
    pub others_busy: Option<f64>,
    /// How often another thread preempted the measured one while it was sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preemptions: Option<u64>,
    /// Share of the samples that were discarded because of that, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retaken_share: Option<f64>,
    /// Score of all disturbances, from 0 (none) to 1: see `docs/statistics.md`. Absent in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbance: Option<f64>,
    /// Causes that disturbed the launch, a sentence each; empty if there were none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbances: Vec<String>,
}

/// One reading of the machine's changing state. Absent: the machine does not report it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Load average over one minute.
    pub load_1m: Option<f64>,
    /// Share of time in which some task waited for a processor, over ten seconds, 0 to 1.
    pub cpu_pressure: Option<f64>,
    /// Share of time in which some task waited for memory, over ten seconds, 0 to 1.
    pub memory_pressure: Option<f64>,
    /// Share of time in which some task waited for I/O, over ten seconds, 0 to 1.
    pub io_pressure: Option<f64>,
    /// Clock of the measured processor [Hz].
    pub clock_hz: Option<u64>,
    /// Memory that is available to programs [bytes].
    pub available_bytes: Option<u64>,
    /// Hottest sensor [°C].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f64>,
    /// How often the measured processor, or its package, was slowed down by heat since the machine started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttles: Option<u64>,
}
