//! A comparison: what goes in ([`Measured`], wherever it came from) and what comes out ([`Comparison`]).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Better, CaseRecord, CaseStatus, Interval, Layout, Params, RunRecord, Sample};
use crate::stats::median;

/// The name of the comparison file format.
pub const COMPARISON_SCHEMA: &str = "dyno.comparison";
/// The version of the comparison file format.
pub const COMPARISON_VERSION: u32 = 1;

/// The results of one source: a run of ours, or a file of another tool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Where they came from, for people. // eg: "run 0193…", "old.json (hyperfine)"
    pub source: String,
    /// What may explain a difference beside the code: name and value. // eg: ("governor", "powersave")
    #[serde(default)]
    pub environment: Vec<(String, String)>,
    /// The cases that gave results.
    pub cases: Vec<MeasuredCase>,
    /// Cases that were asked for and gave none: label and reason.
    #[serde(default)]
    pub missing: Vec<(String, String)>,
}

/// One case of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeasuredCase {
    /// Benchmark, parameters, engine and device on one line: the same for the same case in any source of its kind.
    pub label: String,
    /// Its metrics.
    pub metrics: Vec<MeasuredMetric>,
}

/// One metric of a case: a value per launch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeasuredMetric {
    /// Name. // eg: "time"
    pub name: String,
    /// Unit of the values. // eg: "ns"
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
    /// One value per launch, all finite. A tool that knows no launches gives one value.
    pub launches: Vec<f64>,
}

/// What can be said of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Worse by more than the threshold.
    Regressed,
    /// Better by more than the threshold.
    Improved,
    /// Within the threshold in both directions.
    Equivalent,
    /// Not known.
    Inconclusive,
}

impl Verdict {
    /// The word for it, as in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Equivalent => "equivalent",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// How the two sides were measured, which decides how far a verdict may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Design {
    /// In turn, in pairs of launches: drift hits both sides alike.
    Paired,
    /// At different times: drift of the machine is part of the difference.
    Stored,
}

/// Two sides beside one another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Always `dyno.comparison`.
    pub schema: String,
    /// Version of the format.
    pub version: u32,
    /// How the sides were measured.
    pub design: Design,
    /// What is compared against.
    pub baseline: String,
    /// What is judged.
    pub candidate: String,
    /// Smallest relative change that matters. // eg: 0.05
    pub threshold: f64,
    /// Chance of a wrong alarm over all cases where paired; accepted share of wrong alarms among alarms where stored.
    pub alpha: f64,
    /// What differs between the sides beside the code, a sentence each.
    #[serde(default)]
    pub differences: Vec<String>,
    /// Every case that both sides have.
    pub cases: Vec<CaseComparison>,
    /// Cases that only the candidate has.
    #[serde(default)]
    pub added: Vec<String>,
    /// Cases that only the baseline has, with the reason where the candidate says one.
    #[serde(default)]
    pub removed: Vec<String>,
}

impl Comparison {
    /// Whether any metric of any case has this verdict.
    #[must_use]
    pub fn has(&self, verdict: Verdict) -> bool {
        self.cases.iter().flat_map(|case| &case.metrics).any(|metric| metric.verdict == verdict)
    }

    /// How many metrics of all cases have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.cases.iter().flat_map(|case| &case.metrics).filter(|metric| metric.verdict == verdict).count()
    }
}

/// One case on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseComparison {
    /// Benchmark, parameters, engine and device on one line.
    pub label: String,
    /// Every metric that both sides have.
    pub metrics: Vec<MetricComparison>,
    /// How pairs of launches went; absent where the sides were measured at different times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PairsInfo>,
}

/// One metric on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricComparison {
    /// Name. // eg: "time"
    pub name: String,
    /// Unit of the medians.
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
    /// Median over launches of the baseline.
    pub baseline: f64,
    /// Median over launches of the candidate.
    pub candidate: f64,
    /// Launches of either side.
    pub launches: (u32, u32),
    /// Relative change, candidate over baseline minus one; absent where there is no such number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
    /// Interval on the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Chance of a difference this large between equal sides (Welch); absent where pairs were taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// Smallest change that so many launches could have told from none, relative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable: Option<f64>,
    /// What can be said.
    pub verdict: Verdict,
    /// Why nothing can be said, or why a verdict was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// What one pair said.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairEffect {
    /// Natural logarithm of candidate over baseline.
    pub effect: f64,
    /// Whether the candidate's worker was started first.
    pub candidate_first: bool,
}

/// How the pairs of a case went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairsInfo {
    /// One per pair.
    pub effects: Vec<PairEffect>,
    /// Pairs that raised a small alarm, which the pairs in `effects` were then to confirm; empty where none did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unconfirmed: Vec<PairEffect>,
    /// Pairs with random layouts that an alarm in the fixed one had to bear; empty where there was no alarm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_layouts: Vec<PairEffect>,
    /// Iterations of every slice on both sides.
    pub iterations: u64,
    /// Slices per side in a pair.
    pub slices: u32,
    /// Slices thrown away on both sides and taken again because something disturbed one of them.
    pub retaken: u32,
    /// Memory on huge pages, of the side that had less [bytes].
    #[serde(default)]
    pub huge_bytes: u64,
    /// Wall time of everything: starting workers, setting up, measuring [ns].
    pub elapsed_ns: u64,
    /// Time spent inside the timed calls [ns].
    pub measured_ns: u64,
    /// By which rule the verdict was found. // eg: "group-sequential"
    pub rule: String,
    /// Standard deviation of the effects, without what starting first is worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std_dev: Option<f64>,
}

/// The case, by what makes it the same in another run: benchmark, parameters, engine, device.
#[must_use]
pub fn case_label(case: &CaseRecord) -> String {
    label_of(&case.benchmark, &case.params, &case.plugin.kind.to_string(), &case.device)
}

/// The same from its parts.
#[must_use]
pub fn label_of(benchmark: &str, params: &Params, kind: &str, device: &str) -> String {
    let params: String = params.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    format!("{benchmark}{params} ({kind}, {device})")
}

impl From<&RunRecord> for Measured {
    fn from(run: &RunRecord) -> Self {
        let cpu = &run.machine.cpu;
        let settings = &run.spec.settings;
        let mut environment = vec![
            ("machine".to_owned(), format!("{} (fingerprint {})", cpu.model, run.machine.fingerprint)),
            ("kernel".to_owned(), run.machine.os.clone()),
            ("governor".to_owned(), cpu.governor.clone().unwrap_or_else(|| "unknown".to_owned())),
            (
                "address layout".to_owned(),
                had(run, settings.layout == Layout::Fixed, "fixed_layout", ["fixed", "random"]),
            ),
            ("pages of the heap".to_owned(), format!("{:?}", settings.pages).to_lowercase()),
            ("priority".to_owned(), if settings.realtime { "real-time" } else { "normal" }.to_owned()),
            ("dyno".to_owned(), run.dyno_version.clone()),
        ];
        environment.extend(run.source.as_ref().map(|source| {
            let dirty = if source.dirty { ", with changes that are not committed" } else { "" };
            ("commit".to_owned(), format!("{}{dirty}", source.commit))
        }));
        let engine = run.cases.iter().flat_map(|case| &case.launches).find_map(|launch| {
            launch
                .engine
                .as_ref()
                .filter(|engine| engine.name != "native")
                .map(|engine| format!("{} {}", engine.name, engine.version))
        });
        environment.extend(engine.map(|engine| ("WASM engine".to_owned(), engine)));
        for device in run.cases.iter().filter_map(CaseRecord::device_info) {
            let name = format!("device {}", device.name);
            if environment.iter().all(|(known, _)| *known != name) {
                let model = if device.software { " (software)" } else { "" };
                environment.push((name, format!("{}{model}", device.model)));
            }
        }
        let (mut cases, mut missing) = (Vec::new(), Vec::new());
        for case in &run.cases {
            let metrics = measured_metrics(case);
            if metrics.is_empty() {
                missing.push((case_label(case), reason(&case.status)));
            } else {
                cases.push(MeasuredCase { label: case_label(case), metrics });
            }
        }
        Self { source: format!("run {}", run.id), environment, cases, missing }
    }
}

/// What the launches of a run had, of two words: the first where it was asked for and the kernel granted it. A record without
/// launches says what was asked for.
fn had(run: &RunRecord, asked: bool, layer: &str, [granted, other]: [&str; 2]) -> String {
    let launches = || run.cases.iter().flat_map(|case| &case.launches).filter(|it| !it.isolation.is_empty());
    let refused = launches().filter(|launch| !launch.isolation.iter().any(|word| word == layer)).count();
    match (asked, refused) {
        (false, _) => other.to_owned(),
        (true, 0) => granted.to_owned(),
        (true, refused) if refused == launches().count() => {
            format!("{other} ({granted} was refused by the kernel)")
        }
        (true, _) => format!("{granted} in some launches, {other} in others"),
    }
}

fn reason(status: &CaseStatus) -> String {
    match status {
        CaseStatus::Failed { stage, reason } => format!("failed in {stage}: {reason}"),
        CaseStatus::TimedOut { stage, limit_s, .. } => format!("timed out in {stage} after {limit_s} s"),
        CaseStatus::Skipped { reason } => format!("skipped: {reason}"),
        other => other.word().replace('_', " "),
    }
}

/// A value per completed launch for every metric that the case was summarised by. A record without samples has only
/// its summaries: those then count as one launch.
fn measured_metrics(case: &CaseRecord) -> Vec<MeasuredMetric> {
    let completed = case.launches.iter().filter(|launch| launch.status == CaseStatus::Completed);
    let launches: Vec<_> = completed.collect();
    let of_samples = |value: &dyn Fn(&Sample) -> Option<f64>| -> Vec<f64> {
        launches
            .iter()
            .filter_map(|launch| median(&launch.samples.iter().filter_map(value).collect::<Vec<_>>()))
            .collect()
    };
    let rate = |work: f64, sample: &Sample| {
        (work > 0.0 && sample.wall_ns > 0).then(|| work * 1e9 / sample.wall_ns as f64)
    };
    case.metrics
        .iter()
        .map(|metric| {
            let mut values = match metric.name.as_str() {
                "time" => of_samples(&|sample| Some(sample.ns_per_iteration())),
                "items_per_second" => of_samples(&|sample| rate(sample.work.items, sample)),
                "bytes_per_second" => of_samples(&|sample| rate(sample.work.bytes, sample)),
                "flop_per_second" => of_samples(&|sample| rate(sample.work.flop, sample)),
                "device_time" => of_samples(&|sample| {
                    (sample.device_ns > 0.0).then(|| sample.device_ns / sample.iterations.max(1) as f64)
                }),
                "latency" => {
                    launches.iter().filter_map(|launch| median(&launch.load.as_ref()?.latencies())).collect()
                }
                "samples_per_second" => {
                    launches.iter().filter_map(|launch| launch.load.as_ref()?.samples_per_second()).collect()
                }
                "peak_memory" => launches
                    .iter()
                    .filter_map(|launch| launch.peak_memory_bytes.map(|bytes| bytes as f64))
                    .collect(),
                "energy" if launches.iter().any(|launch| launch.energy_j.is_some()) => {
                    launches.iter().filter_map(|launch| launch.energy_j).collect()
                }
                name if launches.iter().any(|launch| launch.counters.contains_key(name)) => launches
                    .iter()
                    .filter_map(|launch| launch.counters.get(name).and_then(|values| median(values)))
                    .collect(),
                name => launches.iter().filter_map(|launch| launch.custom.get(name).copied()).collect(),
            };
            if values.is_empty() {
                values.push(metric.median);
            }
            MeasuredMetric {
                name: metric.name.clone(),
                unit: metric.unit.clone(),
                better: metric.better,
                launches: values,
            }
        })
        .collect()
}
