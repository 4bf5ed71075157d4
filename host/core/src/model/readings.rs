//! Readings of a machine that decide how well it measures. Absent: the machine does not report it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All readings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Readings {
    /// The processors.
    pub cpus: CpuReadings,
    /// How they are clocked, and the clock source.
    pub clocks: ClockReadings,
    /// Activity during the readings.
    pub activity: Activity,
    /// Memory.
    pub memory: MemoryReadings,
    /// What the control group allows.
    pub group: GroupReadings,
    /// What the kernel allows.
    pub kernel: KernelReadings,
    /// The folders that launches need.
    pub folders: FolderReadings,
    /// What stands between a native plugin and the machine; absent if no worker could be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<IsolationReadings>,
}

/// What stands between a native plugin and the machine, as a worker found it out on itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IsolationReadings {
    /// Layers that hold. // eg: ["file_rules", "call_filter"]
    pub layers: Vec<String>,
    /// What plugins can do for want of a layer, and why it is not there, a sentence each.
    pub missing: Vec<String>,
    /// Why workers have no control groups of their own; absent if they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ungrouped: Option<String>,
}

/// The processors, by number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CpuReadings {
    /// Processors that are online.
    pub online: Vec<u32>,
    /// Processors that this process may use.
    pub allowed: Vec<u32>,
    /// Isolated processors: the kernel gives them only to programs that ask for them.
    pub isolated: Vec<u32>,
    /// The processor that a launch would be measured on.
    pub measured: Option<u32>,
    /// The other threads of its core that are online.
    pub siblings: Vec<u32>,
}

/// Clocks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClockReadings {
    /// Frequency governors of the allowed processors, each once.
    pub governors: Vec<String>,
    /// Whether processors may run above their nominal clock.
    pub turbo: Option<bool>,
    /// The kernel's file with this value.
    pub turbo_file: Option<String>,
    /// Lowest clock that is set [Hz].
    pub lowest_hz: Option<u64>,
    /// Highest clock that is set [Hz].
    pub highest_hz: Option<u64>,
    /// How often the processors were slowed down because of heat since the machine started.
    pub throttles: Option<u64>,
    /// Hottest sensor [°C].
    pub temperature_c: Option<f64>,
    /// The kernel's clock source. // eg: "tsc"
    pub source: Option<String>,
    /// The clock sources that the kernel offers.
    pub sources: Vec<String>,
}

/// Activity during the readings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Activity {
    /// Length of the observation [ms].
    pub window_ms: u64,
    /// Share of processor time that the hypervisor gave to others, 0 to 1.
    pub steal: Option<f64>,
    /// How busy each allowed processor was.
    pub busy: Vec<CpuBusy>,
    /// The processes that used most processor time, the largest first.
    pub processes: Vec<BusyProcess>,
    /// Load average over one minute.
    pub load_1m: Option<f64>,
    /// Share of the last ten seconds in which some task waited for a processor, 0 to 1.
    pub cpu_pressure: Option<f64>,
    /// The same for memory.
    pub memory_pressure: Option<f64>,
    /// The same for I/O.
    pub io_pressure: Option<f64>,
}

/// How busy a processor was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CpuBusy {
    /// Its number.
    pub cpu: u32,
    /// Share of time that it was busy, 0 to 1.
    pub share: f64,
}

/// A process that used processor time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BusyProcess {
    /// Its number.
    pub pid: u32,
    /// Name of its program.
    pub name: String,
    /// Processor time divided by time: 1 is one whole processor.
    pub share: f64,
}

/// Memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MemoryReadings {
    /// Total memory [bytes].
    pub total_bytes: u64,
    /// Memory that is available to programs [bytes].
    pub available_bytes: Option<u64>,
    /// Maximum memory of a worker, by the settings [bytes].
    pub worker_bytes: u64,
    /// Swap space [bytes].
    pub swap_bytes: Option<u64>,
    /// Used swap space [bytes].
    pub swap_used_bytes: Option<u64>,
    /// Whether the kernel gives huge pages. // eg: "madvise"
    pub huge_pages: Option<String>,
    /// NUMA nodes.
    pub numa_nodes: u32,
    /// Whether the kernel moves pages between them by itself.
    pub numa_balancing: Option<bool>,
}

/// What the control group of this process allows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GroupReadings {
    /// Processor time that it may use: 1.5 is one and a half processors. Absent: no limit.
    pub cpu_quota: Option<f64>,
    /// The kernel's file with this value.
    pub cpu_file: Option<String>,
    /// How often it was throttled because its time was used up.
    pub throttled: Option<u64>,
    /// Maximum memory [bytes]. Absent: no limit.
    pub memory_bytes: Option<u64>,
    /// The kernel's file with this value.
    pub memory_file: Option<String>,
}

/// What the kernel allows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KernelReadings {
    /// `kernel.randomize_va_space`.
    pub aslr: Option<u32>,
    /// Whether a process may switch address randomisation off for itself.
    pub can_fix_layout: Option<bool>,
    /// Hypervisor, if there is one.
    pub virtualisation: Option<String>,
    /// `kernel.perf_event_paranoid`.
    pub perf_paranoid: Option<i32>,
    /// The units of hardware counters. // eg: ["cpu"]
    pub perf_units: Vec<String>,
    /// Whether this process may use counters although the kernel forbids them to others.
    pub perf_privileged: bool,
    /// Counters of energy and whether they can be read.
    pub energy: Vec<EnergyCounter>,
    /// `vm.memfd_noexec`.
    pub memfd_noexec: Option<u32>,
    /// Whether this process may ask for real-time priority.
    pub realtime: bool,
}

/// A counter of energy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyCounter {
    /// What it counts. // eg: "package-0"
    pub name: String,
    /// The kernel's file of the counter.
    pub file: String,
    /// Why it cannot be read; absent if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// The folders that launches need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FolderReadings {
    /// Folder for temporary files.
    pub temporary: String,
    /// Free space there [bytes].
    pub temporary_free_bytes: Option<u64>,
    /// Folder for leases.
    pub leases: String,
    /// Why it cannot be used for leases; absent if it can.
    pub leases_problem: Option<String>,
}
