//! The messages. One request at a time; a stage's answer comes before the next request is sent.

use std::{path::PathBuf, time::Duration};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::compiled::CompiledCode;
use crate::model::{
    EngineInfo, IsolationLayer, Pages, Params, Plan, PluginKind, Query, Reachable, Sample, Scenario,
    SideEffects, StoreBypass,
};

/// Version of the protocol. Host and worker are shipped together: versions that differ are refused.
pub const PROTOCOL_VERSION: u32 = 12;

/// The limit on file locks that a worker of this host takes, and everything that it starts inherits. The kernel has not
/// used that limit since Linux 2.4, and an ordinary process can only lower it: so it marks every descendant of a
/// worker, in whatever process group.
#[must_use]
pub fn mark(host: u32) -> u64 {
    (1 << 40) | u64::from(host)
}

/// Longest text that a worker takes from its plugin [bytes].
pub const MAX_TEXT_BYTES: usize = 4096;
/// Most lines that a plugin may log in one launch; one more says that the rest is dropped.
pub const MAX_LOG_LINES: u32 = 1_000;
/// Longest address of a socket that a worker sends to ask for a connection [bytes].
pub const MAX_ADDRESS_BYTES: usize = 128;
/// Connections that a worker can wait for at a time: it has a channel for each.
pub const CONNECTION_CHANNELS: usize = 16;
/// How long a connection of a plugin may take.
pub const MAX_CONNECTING: Duration = Duration::from_secs(10);
/// Most progress reports of one launch.
pub const MAX_PROGRESS: u32 = 10_000;
/// Queries that a worker sends at a time, as long as there are so many.
pub const QUERIES_PER_BATCH: usize = 4096;

/// What the host asks of the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// First message. Answer: [`Reply::Hello`].
    Hello {
        /// The host's [`PROTOCOL_VERSION`].
        protocol: u32,
    },
    /// Verify and load a plugin. Answer: [`Reply::Loaded`].
    Load(Box<Load>),
    /// Call `setup`. Answer: [`Reply::SetUp`].
    Setup,
    /// Call `verify`. Answer: [`Reply::Verified`].
    Verify,
    /// Warm up and find the iteration count. Answer: [`Reply::Calibrated`].
    Calibrate {
        /// Target length of a sample [ns].
        slice_ns: u64,
        /// Minimum time spent warming up [ns].
        warm_up_ns: u64,
        /// The iteration count, if it is known already: both sides of a comparison use the same.
        iterations: Option<u64>,
    },
    /// Take samples with the iteration count of the plan. Answer: [`Reply::Batch`] as they come, then
    /// [`Reply::Sampled`].
    Sample(Quota),
    /// Play a load scenario. Answer: [`Reply::Queries`] as they are answered, then [`Reply::Sampled`].
    Play {
        /// How queries arrive.
        scenario: Scenario,
        /// For how long they arrive [ns].
        duration_ns: u64,
        /// Maximum number of queries.
        max_queries: u32,
    },
    /// Call `execute` once, without believing it: also with no iteration at all. Answer: [`Reply::Called`].
    Call {
        /// The iterations.
        iterations: u64,
    },
    /// Call `cleanup` and `setup` again and again. Answer: [`Reply::Renewed`].
    Renew {
        /// How often.
        times: u32,
        /// Time after which it is enough [ns]; 0: there is no limit.
        budget_ns: u64,
    },
    /// Call `process_results`. Answer: [`Reply::Processed`].
    ProcessResults,
    /// Call `cleanup` and exit. Answer: [`Reply::Finished`], then the end of the stream.
    Finish,
}

/// Everything that a worker needs to know of a plugin and a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The verified bytes, in the content-addressed store.
    pub path: PathBuf,
    /// The same bytes in sealed memory of the host, which has verified them; absent where the kernel refused it.
    pub sealed: Option<PathBuf>,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
    /// The libraries that it brings along, each after those that it needs itself.
    pub libraries: Vec<Library>,
    /// Names of libraries that it needs, and that the host did not find.
    pub missing: Vec<String>,
    /// Native or WASM.
    pub kind: PluginKind,
    /// Name of the benchmark.
    pub benchmark: String,
    /// All parameters, in the order of the descriptor.
    pub params: Params,
    /// Seed for the inputs.
    pub seed: u64,
    /// The device that the case may use.
    pub device: DeviceGrant,
    /// Names of the metrics that the descriptor declares: others are refused.
    pub metrics: Vec<String>,
    /// Directory for compiled WASM code, which only the user can write to.
    pub code_cache: PathBuf,
    /// Maximum memory of the worker [bytes].
    pub memory_limit_bytes: u64,
    /// Which pages the instance's memory has.
    pub pages: Pages,
    /// The processors to pin to; empty: none.
    pub cpus: Vec<u32>,
    /// Whether to ask for real-time priority.
    pub realtime: bool,
    /// Whether to use hardware counters.
    pub counters: bool,
    /// What stands between the plugin and the machine.
    pub confinement: Confinement,
}

impl Load {
    /// Whether the worker receives descriptors after this request, over which it asks the host for connections.
    #[must_use]
    pub fn needs_connections(&self) -> bool {
        self.confinement.full && !self.confinement.connect.is_empty()
    }
}

/// What stands between a plugin and the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Whether the plugin is confined at all, beyond what every worker is.
    pub full: bool,
    /// Files and folders that the plugin may read besides those that every plugin may.
    pub read: Vec<PathBuf>,
    /// Variables of the environment, with their values.
    pub environment: IndexMap<String, String>,
    /// What the plugin may connect to. If there is any, a worker that is confined receives [`CONNECTION_CHANNELS`] descriptors after
    /// this request, over which it asks the host for connections.
    pub connect: Vec<Reachable>,
    /// Layers without which nothing is loaded.
    pub required: Vec<IsolationLayer>,
}

impl Confinement {
    /// What the plugin may connect to, as a part of a sentence; `None`: nothing.
    #[must_use]
    pub fn connections(&self) -> Option<String> {
        let all: Vec<String> = self.connect.iter().map(|it| format!("`{}`", it.endpoint)).collect();
        (!all.is_empty()).then(|| format!("it may connect to {}, and to nothing else", all.join(", ")))
    }
}

/// The sentence about libraries that a plugin needs and that are not there; `None` if none is missing.
#[must_use]
pub fn missing_libraries(names: &[String]) -> Option<String> {
    let (what, pronoun, is) = match names.len() {
        0 => return None,
        1 => ("the library", "it", "is"),
        _ => ("the libraries", "them", "are"),
    };
    Some(format!(
        "the plugin needs {what} {}, which {is} neither on this machine nor beside the plugin; install {pronoun}, or put \
         {pronoun} beside the plugin (`dyno pack` ships them together)",
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    ))
}

/// A library that a plugin brings along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// The name by which it is needed. // eg: "libfft.so.3"
    pub name: String,
    /// Its verified bytes, in the content-addressed store.
    pub path: PathBuf,
    /// The same in sealed memory, as those of the plugin.
    pub sealed: Option<PathBuf>,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
}

/// What making an instance again and again left in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// How often it was made.
    pub times: u32,
    /// How often it was made before the first look: what the first instances leave may be kept for the next.
    pub settled: u32,
    /// Memory at the first look and at the end, an instance being there [bytes].
    pub memory_bytes: [u64; 2],
    /// What else was left between the two.
    pub left: SideEffects,
}

/// The device that a case may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceGrant {
    /// Name. // eg: "cpu"
    pub name: String,
    /// Number among those of its kind.
    pub index: u32,
    /// Threads that a CPU case may use; a case that asks for more than one is not pinned.
    pub threads: u32,
}

impl DeviceGrant {
    /// Whether the plugin itself does the work, on the host's processors.
    #[must_use]
    pub fn is_cpu(&self) -> bool {
        self.name == "cpu"
    }
}

/// When the worker has taken enough samples: at `max_samples`, or when `budget_ns` is spent, but never fewer than
/// `min_samples`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Minimum number of samples; at least 1.
    pub min_samples: u32,
    /// Maximum number of samples.
    pub max_samples: u32,
    /// Time for sampling, `prepare` included [ns].
    pub budget_ns: u64,
    /// Whether the worker retakes disturbed samples by itself. In a comparison the host does, on both sides alike.
    pub retake: bool,
}

/// What the worker answers. `Log` and `Progress` may come at any time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// The worker is up.
    Hello {
        /// The worker's [`PROTOCOL_VERSION`].
        protocol: u32,
        /// Its version of dyno.
        version: String,
        /// Memory before anything was loaded [bytes].
        base_memory_bytes: u64,
    },
    /// From here on code of the plugin may run in the worker, so the host no longer trusts the worker's reports about
    /// the machine.
    Entering,
    /// The machine lacks a resource that a launch needs, which is not the plugin's fault. Trusted only before
    /// [`Reply::Entering`].
    HostFailed {
        /// The attempted step. // eg: "cannot make a private copy of the plugin"
        doing: String,
        /// The system's error number, where there is one.
        code: Option<i32>,
        /// The system's message.
        said: String,
    },
    /// The plugin is loaded and its contract checked.
    Loaded {
        /// How the plugin was loaded.
        engine: EngineInfo,
        /// Layers that now stand between the plugin and the machine.
        isolation: Vec<String>,
        /// Whether the processor can speculate past stores here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        store_bypass: Option<StoreBypass>,
        /// The processors that the worker is pinned to.
        pinned_cpus: Vec<u32>,
        /// Names of what it counts, in the order of every `counts` of a [`Reply::Batch`].
        counters: Vec<String>,
        /// Requested features that are not available, a sentence each.
        missing: Vec<String>,
        /// What is new about the compiled code of a component.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compiled: Option<CompiledCode>,
    },
    /// `setup` made an instance.
    SetUp {
        /// Memory on huge pages [bytes]; 0 where they were not asked for.
        huge_bytes: u64,
        /// Requested features that are not available, a sentence each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missing: Vec<String>,
    },
    /// `verify` agreed, or there is none.
    Verified {
        /// Whether the plugin has a `verify`.
        checked: bool,
    },
    /// The iteration count is found.
    Calibrated(Plan),
    /// Samples as they come.
    Batch {
        /// At least one.
        samples: Vec<Sample>,
        /// Counts during each of them; empty without counters. `None`: the counters never ran during it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        counts: Vec<Option<Vec<f64>>>,
    },
    /// Queries as they are answered.
    Queries {
        /// At least one.
        queries: Vec<Query>,
    },
    /// The quota is met.
    Sampled {
        /// Number of disturbed samples that were discarded and taken again.
        retaken: u32,
        /// Involuntary context switches during all of them.
        preemptions: u64,
    },
    /// `execute` returned.
    Called(Sample),
    /// The instance was made anew.
    Renewed(Renewal),
    /// `process_results` is done, or there is none.
    Processed {
        /// The metrics that the plugin reported, from `setup` on.
        metrics: IndexMap<String, f64>,
    },
    /// `cleanup` is done; the worker exits now.
    Finished {
        /// Peak memory of the worker [bytes].
        peak_memory_bytes: u64,
        /// Side effects of the plugin while it was measured.
        side_effects: SideEffects,
        /// System calls that were refused to the plugin, by name.
        refused_calls: Vec<String>,
    },
    /// The stage failed; the worker cleans up and exits.
    Failed {
        /// One sentence.
        message: String,
    },
    /// The case cannot run here, which is not a failure; the worker cleans up and exits.
    Skipped {
        /// One sentence.
        message: String,
    },
    /// The plugin logged a line.
    Log {
        /// `error`, `warn`, `info` or `debug`.
        level: String,
        /// The line.
        text: String,
    },
    /// Progress of the stage, as the plugin reports it.
    Progress {
        /// 0 to 1.
        fraction: f64,
    },
}
