//! The record of a run: what is stored, exported as `dyno.result`, and shown.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Better, CaseStatus, DeviceInfo, Environment, Interval, LoadRecord, Machine, Params, PluginBuild,
    PluginKind, RunSpec, RunStatus, Sample, Source, Stage, StoreBypass,
};

/// The name of the result file format.
pub const RESULT_SCHEMA: &str = "dyno.result";
/// The version of the result file format.
pub const RESULT_VERSION: u32 = 1;

/// One run with all its results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// Always `dyno.result`.
    pub schema: String,
    /// Version of the format.
    pub version: u32,
    /// Identifier of the run: a UUID that sorts by time.
    pub id: String,
    /// When it was accepted (RFC 3339, UTC).
    pub created_at: String,
    /// When it ended (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// Status of the run.
    pub status: RunStatus,
    /// The request.
    pub spec: RunSpec,
    /// Version of the dyno that ran it.
    pub dyno_version: String,
    /// The commit that it measured: the one checked out in the folder that it was started in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The machine that it ran on.
    pub machine: Machine,
    /// One entry per case, in the order of the request. Every combination of parameters is a case of its own.
    pub cases: Vec<CaseRecord>,
}

impl RunRecord {
    /// The device of one of its cases for people, marked if it is a software adapter. // eg: "webgpu:0 (software)"
    #[must_use]
    pub fn device_label(&self, case: &CaseRecord) -> String {
        let known = || self.machine.devices.iter().find(|device| device.name == case.device);
        let device = case.device_info().or_else(known);
        device.map_or_else(|| case.device.clone(), DeviceInfo::label)
    }
}

/// The plugin file that a case ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginRef {
    /// Identifier from the descriptor.
    pub id: String,
    /// Version from the descriptor.
    pub version: String,
    /// Native or WASM.
    pub kind: PluginKind,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Path at which the file was found.
    pub path: String,
    /// How its code was compiled, if the descriptor says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<PluginBuild>,
}

/// The warning about a debug build; `None` for a release build, and for a plugin whose build is not known.
#[must_use]
pub fn build_remark(plugin_id: &str, build: Option<PluginBuild>) -> Option<String> {
    (build == Some(PluginBuild::Debug)).then(|| {
        format!(
            "`{plugin_id}` is a debug build: its times are not those of a release build; build it with --release \
             (cargo) or -O2 (cc)"
        )
    })
}

/// Metrics that mean the same for every benchmark.
const COMMON_METRICS: [&str; 10] = [
    "time",
    "latency",
    "items_per_second",
    "bytes_per_second",
    "flop_per_second",
    "samples_per_second",
    "schedule_error",
    "peak_qps",
    "device_time",
    "peak_memory",
];

/// One case: a benchmark with parameter values on a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRecord {
    /// Place in the run, from 0.
    pub index: u32,
    /// The plugin that was run.
    // Shared with the plan and with other cases of the plugin, since a run may have 100,000 cases.
    pub plugin: Arc<PluginRef>,
    /// Name of the benchmark.
    pub benchmark: String,
    /// Category of the benchmark.
    #[serde(default)]
    pub category: String,
    /// All parameters, including defaults.
    // Shared with the plan.
    pub params: Arc<Params>,
    /// Name of the device. // eg: "cpu"
    pub device: String,
    /// Status of the case.
    pub status: CaseStatus,
    /// One summary per metric; the first is `time`. Empty if nothing was measured.
    #[serde(default)]
    pub metrics: Vec<MetricSummary>,
    /// The launches, in order.
    #[serde(default)]
    pub launches: Vec<LaunchRecord>,
}

impl CaseRecord {
    /// The parameter `model`, or else the benchmark: what the original suite calls a model.
    #[must_use]
    pub fn model(&self) -> String {
        self.params.get("model").map_or_else(|| self.benchmark.clone(), ToString::to_string)
    }

    /// The summary of that metric.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&MetricSummary> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// The rates of its work, the most informative first: operations, traffic, items; of an inference, items before all.
    pub fn rates(&self) -> impl Iterator<Item = &MetricSummary> {
        let is_inference = self.category == "inference";
        let first = is_inference.then_some("items_per_second");
        let last = (!is_inference).then_some("items_per_second");
        let names = ["peak_qps", "samples_per_second"].into_iter().chain(first);
        let names = names.chain(["flop_per_second", "bytes_per_second"]).chain(last);
        names.filter_map(|name| self.metric(name))
    }

    /// The metrics that only this benchmark has.
    pub fn own_metrics(&self) -> impl Iterator<Item = &MetricSummary> {
        self.metrics.iter().filter(|metric| !COMMON_METRICS.contains(&metric.name.as_str()))
    }

    /// The device of its launches; `None` if that is the CPU, or there was no launch.
    #[must_use]
    pub fn device_info(&self) -> Option<&DeviceInfo> {
        self.launches.iter().rev().find_map(|launch| launch.device.as_ref())
    }

    /// The warning about a software adapter; `None` for any other device.
    #[must_use]
    pub fn device_remark(&self) -> Option<String> {
        let device = self.device_info().filter(|device| device.software)?;
        let model = if device.model.is_empty() { "of unknown make" } else { &device.model };
        Some(format!("software adapter: {model}; its numbers are this processor's, not a GPU's"))
    }

    /// The warning about a debug build of its plugin; `None` if there is none.
    #[must_use]
    pub fn build_remark(&self) -> Option<String> {
        build_remark(&self.plugin.id, self.plugin.build)
    }
}

/// One launch: a fresh worker process that sets the case up and samples it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LaunchRecord {
    /// Place in the case, from 0.
    pub index: u32,
    /// When the worker was started (RFC 3339, UTC).
    pub started_at: String,
    /// Status of the launch.
    pub status: CaseStatus,
    /// Result of the calibration; absent if the launch ended before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The samples, in the order in which they were taken.
    #[serde(default)]
    pub samples: Vec<Sample>,
    /// Number of samples that were taken, if older ones were thinned since and `samples` has fewer. The summaries of the case
    /// were computed from all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_taken: Option<u32>,
    /// The queries, if a load scenario was requested: there are no samples then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadRecord>,
    /// Number of disturbed samples that were discarded and taken again.
    #[serde(default)]
    pub retaken: u32,
    /// The plugin's own metrics.
    #[serde(default)]
    pub custom: IndexMap<String, f64>,
    /// Peak memory of the worker [bytes].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// Memory on huge pages after `setup` [bytes]; 0 if they were not requested.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub huge_bytes: u64,
    /// Memory of the worker before it loaded the plugin [bytes].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_memory_bytes: Option<u64>,
    /// How the plugin was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineInfo>,
    /// The device that it ran on; absent for the CPU, which the run's machine describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceInfo>,
    /// Layers that isolated the plugin from the machine. // eg: ["process_group", "no_new_privs"]
    #[serde(default)]
    pub isolation: Vec<String>,
    /// Whether its processor could speculate past stores; absent if the kernel does not report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_bypass: Option<StoreBypass>,
    /// The processor that the worker was pinned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_cpu: Option<u32>,
    /// The processors that it was pinned to, if there were several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pinned_cpus: Vec<u32>,
    /// Hardware counters per iteration, by name: a value for each sample during which the counters ran. Only if
    /// requested.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub counters: IndexMap<String, Vec<f64>>,
    /// Energy that the whole machine used per iteration, by the counters of its packages [J]. Only if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_j: Option<f64>,
    /// Requested features that were not available, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What the plugin was granted besides computing. // eg: ["read:/srv/models", "env:MODEL_LICENCE"]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<String>,
    /// System calls of the plugin that were refused. // eg: ["socket"]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_calls: Vec<String>,
    /// How long each stage took [ns], in order.
    #[serde(default)]
    pub stages: Vec<(Stage, u64)>,
    /// The machine's state during the launch.
    #[serde(default)]
    pub environment: Environment,
    /// The first and last lines that the plugin wrote.
    #[serde(default)]
    pub output: Vec<OutputLine>,
    /// Number of lines of output that were not kept.
    #[serde(default)]
    pub output_dropped: u64,
    /// The seed of its inputs; absent in results of older versions, whose launches all have that of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Side effects of the plugin while it was measured.
    #[serde(default, skip_serializing_if = "SideEffects::is_none")]
    pub side_effects: SideEffects,
}

/// Side effects of a plugin from the end of calibration to the last sample. Each costs time that is in the samples, or
/// comes from threads that compete with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SideEffects {
    /// Written to output, files and anything else [bytes].
    pub written_bytes: u64,
    /// Threads that were started and did not end.
    pub threads_left: u32,
    /// Whether another thread computes while the plugin has nothing to do.
    pub thread_running: bool,
    /// Descriptors (files, sockets, pipes) that were opened and not closed.
    pub descriptors_left: u32,
    /// Files and folders left in the worker's directory after it ended.
    pub files_left: u32,
}

impl SideEffects {
    /// Whether there are none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Merges those of another launch in: the larger of each.
    #[must_use]
    pub fn or_larger(self, other: Self) -> Self {
        Self {
            written_bytes: self.written_bytes.max(other.written_bytes),
            threads_left: self.threads_left.max(other.threads_left),
            thread_running: self.thread_running || other.thread_running,
            descriptors_left: self.descriptors_left.max(other.descriptors_left),
            files_left: self.files_left.max(other.files_left),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Result of the calibration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Iterations per sample.
    pub iterations: u64,
    /// Expected length of a sample [ns].
    pub slice_ns: u64,
    /// Cost of a timed call that does nothing, including clock readings [ns]; every sample contains it.
    pub call_overhead_ns: f64,
    /// Smallest difference that the clock can show [ns].
    pub clock_resolution_ns: f64,
    /// Calls made to warm up.
    pub warm_up_calls: u64,
    /// Time spent warming up [ns].
    pub warm_up_ns: u64,
}

/// How a plugin was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineInfo {
    /// `native` or `wasmtime`.
    pub name: String,
    /// Version of the engine; of the ABI for `native`.
    pub version: String,
    /// Settings that change speed, and for `native` the doors that were checked.
    pub settings: Vec<String>,
}

/// One line of a worker's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutputLine {
    /// The stream that it came from.
    pub stream: Stream,
    /// The line, without its end; control characters are replaced.
    pub text: String,
}

/// The stream of a line of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output of the plugin.
    Stdout,
    /// Standard error of the plugin.
    Stderr,
    /// The plugin's calls of `log`.
    Log,
}

/// One metric of one case, summarised over all launches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricSummary {
    /// Name: `time`, `items_per_second`, `bytes_per_second`, `flop_per_second`, `device_time`, `peak_memory`, or one
    /// that the descriptor declares.
    pub name: String,
    /// Unit of every value below. // eg: "ns", "bytes/s"
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
    /// Launches that gave values.
    pub launches: u32,
    /// Values over all launches.
    pub samples: u32,
    /// Headline: the median over launches of the medians within launches.
    pub median: f64,
    /// Confidence interval of the median; absent with fewer than two launches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Arithmetic mean of all values.
    pub mean: f64,
    /// Standard deviation of all values; absent with fewer than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std_dev: Option<f64>,
    /// Median absolute deviation of all values, unscaled.
    pub mad: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Percentiles that the number of samples supports.
    pub percentiles: Vec<Percentile>,
    /// Relative standard deviation within launches (root mean square over launches).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rsd_within: Option<f64>,
    /// Relative standard deviation of the launches' medians.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rsd_between: Option<f64>,
    /// Values outside Tukey's fences: counted, never removed.
    pub outliers: Outliers,
    /// How the values climb or fall within launches, if they do: there is then no stable level for the interval to
    /// cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
}

/// Values that climb or fall from the first to the last of a launch, in launch after launch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// Change over a launch relative to its beginning, the median over launches. // eg: 0.3, -0.05
    pub change: f64,
    /// Launches that were examined.
    pub launches: u32,
}

impl Trend {
    /// From this change on there is no verdict: the time then depends mostly on how long is measured. Smaller ones,
    /// such as those of a branch predictor that still learns its input, are equal on both sides of a comparison.
    const DECISIVE: f64 = 0.2;

    /// Whether it is too large for a verdict.
    #[must_use]
    pub fn is_decisive(&self) -> bool {
        self.change.abs() >= Self::DECISIVE
    }
}

/// One percentile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Percentile {
    /// The percentile, 0 to 100. // eg: 99.9
    pub p: f64,
    /// Its value.
    pub value: f64,
}

/// Values outside Tukey's fences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outliers {
    /// More than three quartile ranges below the first quartile.
    pub low_severe: u32,
    /// More than one and a half.
    pub low_mild: u32,
    /// More than one and a half above the third quartile.
    pub high_mild: u32,
    /// More than three.
    pub high_severe: u32,
}
