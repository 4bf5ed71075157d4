//! A comparison: what goes in ([`Measured`], wherever it came from) and what comes out ([`Comparison`]).

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Better, CaseKey, CaseRecord, CaseStatus, ComparedSide, Inputs, Interval, Layout, PluginBuild, RunRecord,
    Sample, ShortLabels, SideEffects, Trend, Unjudged,
};
use crate::stats::median;

/// The name of the comparison file format.
pub const COMPARISON_SCHEMA: &str = "dyno.comparison";
/// The version of the comparison file format.
pub const COMPARISON_VERSION: u32 = 1;

/// The results of one source: a run of dyno, or a file of another tool.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Where they came from, for people. // eg: "run 0193…", "old.json (hyperfine)"
    pub source: String,
    /// Fingerprint of the machine; absent for results of another tool.
    pub machine: Option<String>,
    /// Properties that may explain a difference, besides the code: name and value. // eg: ("governor", "powersave")
    pub environment: Vec<(String, String)>,
    /// Plugins that were debug builds, by their identifiers.
    pub debug_builds: BTreeSet<String>,
    /// The cases that gave results.
    pub cases: Vec<MeasuredCase>,
    /// Requested cases that gave no result. Which side of a comparison this becomes is not known yet, so the reasons
    /// speak of a candidate.
    pub missing: Vec<(CaseKey, Unjudged)>,
}

/// One case of it.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredCase {
    /// Identifies the same case in another source.
    pub key: CaseKey,
    /// SHA-256 of the plugin file, in hexadecimal; absent for results of another tool.
    pub build: Option<String>,
    /// Its metrics.
    pub metrics: Vec<MeasuredMetric>,
}

impl MeasuredCase {
    /// Whether both were measured from one plugin file. Results of other tools never are.
    #[must_use]
    pub fn is_same_build(&self, other: &Self) -> bool {
        self.build.is_some() && self.build == other.build
    }

    /// A case that another tool measured.
    #[must_use]
    pub fn foreign(key: CaseKey, metrics: Vec<MeasuredMetric>) -> Self {
        Self { key, build: None, metrics }
    }
}

/// One metric of a case: a value per launch.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredMetric {
    /// Name. // eg: "time"
    pub name: String,
    /// Unit of the values. // eg: "ns"
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
    /// One value per launch, all finite. A tool that knows no launches gives one value.
    pub launches: Vec<f64>,
    /// How the values climb or fall within launches, if they do.
    pub trend: Option<Trend>,
}

/// The verdict on a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Worse by more than the threshold.
    Regressed,
    /// Better by more than the threshold.
    Improved,
    /// Within the threshold in both directions.
    Equivalent,
    /// Not decided.
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

/// How the two sides were measured, which limits the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Design {
    /// In turn, in pairs of launches: drift affects both sides equally.
    Paired,
    /// At different times: drift of the machine is part of the difference.
    Stored,
}

/// Two sides, compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Always `dyno.comparison`.
    pub schema: String,
    /// Version of the format.
    pub version: u32,
    /// How the sides were measured.
    pub design: Design,
    /// Source of the baseline's results.
    pub baseline: String,
    /// Source of the candidate's results.
    pub candidate: String,
    /// Smallest relative change that matters. // eg: 0.05
    pub threshold: f64,
    /// If paired, chance of a false alarm over all cases; if stored, accepted share of false alarms among alarms.
    pub alpha: f64,
    /// Differences between the sides, besides the code, a sentence each.
    #[serde(default)]
    pub differences: Vec<String>,
    /// Every case that both sides have results of.
    pub cases: Vec<CaseComparison>,
    /// Cases that could not be compared because a side failed, was skipped, never ran, or cannot be told from another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unjudged: Vec<UnjudgedCase>,
    /// Cases that only the candidate has.
    #[serde(default)]
    pub added: Vec<String>,
    /// Cases that only the baseline has, and that the candidate was not asked for.
    #[serde(default)]
    pub removed: Vec<String>,
}

/// A case that could not be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnjudgedCase {
    /// Its name in this comparison, for people.
    pub label: String,
    /// Identifies the same case elsewhere.
    pub key: CaseKey,
    /// Why it could not be compared.
    pub why: Unjudged,
}

impl Comparison {
    /// Whether any metric of any case was compared, whatever the verdict.
    #[must_use]
    pub fn has_compared(&self) -> bool {
        self.cases.iter().any(|case| !case.metrics.is_empty())
    }

    /// Whether a metric, or a case that at least one side has, could not be judged.
    #[must_use]
    pub fn leaves_open(&self) -> bool {
        self.has(Verdict::Inconclusive) || !self.unjudged.is_empty()
    }

    /// The cases with a failure that a gate must not ignore: the candidate (in a comparison by pairs, either side)
    /// failed, timed out, or never ran.
    pub fn failures(&self) -> impl Iterator<Item = &UnjudgedCase> {
        let both = self.design == Design::Paired;
        self.unjudged.iter().filter(move |case| {
            case.why.is_failure() && (both || case.why.side() != Some(ComparedSide::Baseline))
        })
    }

    /// Names of its cases for other tools, in their order, no two equal: see [`super::series`].
    #[must_use]
    pub fn series(&self) -> Vec<String> {
        super::series(&self.cases.iter().map(CaseComparison::key_or_label).collect::<Vec<_>>())
    }

    /// Short names of its cases in their order, followed by those of the cases that could not be compared.
    #[must_use]
    pub fn short_labels(&self) -> ShortLabels {
        let compared = self.cases.iter().map(CaseComparison::key_or_label);
        super::short_labels(compared.chain(self.unjudged.iter().map(|case| case.key.clone())))
    }

    /// Withdraws the verdict on a difference between two sides that are the same file: the machine caused it.
    pub fn withdraw_same_build(&mut self) {
        for metric in self.cases.iter_mut().flat_map(|case| &mut case.metrics) {
            metric.withdraw_same_build();
        }
    }

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
    /// Benchmark, parameters, engine and device on one line; with the plugin if cases would otherwise have equal names.
    pub label: String,
    /// Identifies the same case elsewhere; absent in documents of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<CaseKey>,
    /// Every metric that both sides have.
    pub metrics: Vec<MetricComparison>,
    /// The pairs of launches; absent if the sides were measured at different times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PairsInfo>,
}

impl CaseComparison {
    /// The key, or one made from the label: documents of earlier versions have labels only.
    fn key_or_label(&self) -> CaseKey {
        self.key.clone().unwrap_or_else(|| CaseKey::named(self.label.clone()))
    }
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
    /// Value of the baseline, by the same estimator as the change.
    pub baseline: f64,
    /// Value of the candidate: the baseline times one plus the change.
    pub candidate: f64,
    /// The estimator of the two values.
    #[serde(default)]
    pub estimator: Estimator,
    /// Launches of either side.
    pub launches: (u32, u32),
    /// Relative change, candidate over baseline minus one; absent if it cannot be expressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
    /// Confidence interval of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Chance of a difference this large between equal sides (Welch); absent for pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// Smallest relative change that this number of launches could have detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable: Option<f64>,
    /// How much runs of equal builds of this case differed on this machine, if the database has any: the interval is at
    /// least that wide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftFloor>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why there is no verdict, or why it was withdrawn. Absent if there is a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Unjudged>,
    /// The same as a sentence for people, with other remarks on the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

impl MetricComparison {
    /// Withdraws the verdict.
    pub fn withdraw(&mut self, why: Unjudged) {
        self.verdict = Verdict::Inconclusive;
        self.remark = Some(why.to_string());
        self.why = Some(why);
    }

    /// Withdraws the verdict on a difference between two sides that are the same file; `equivalent` stays.
    pub fn withdraw_same_build(&mut self) {
        let Some(effect) = self.effect else { return };
        let why = Unjudged::SameBuild { effect };
        match self.verdict {
            Verdict::Equivalent => self.remark = Some(why.to_string()),
            Verdict::Regressed | Verdict::Improved => self.withdraw(why),
            // The earlier reason stays: more launches would help here as elsewhere.
            Verdict::Inconclusive => {
                let before = self.remark.take().map(|remark| format!("; {remark}")).unwrap_or_default();
                self.remark = Some(format!("{why}{before}"));
            }
        }
    }
}

/// The estimator: how several values of a side become one, and thereby the change between the sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// Medians over launches. The change is not their ratio, because it was estimated separately. Used in documents of earlier
    /// versions, and for metrics without a change.
    #[default]
    Median,
    /// Geometric means over launches, whose ratio is the change.
    GeometricMean,
    /// Arithmetic means over launches, since some values are zero.
    Mean,
    /// Of the baseline the median over pairs; of the candidate that, times the change that the pairs show.
    Pairs,
}

/// How much runs of equal builds of a case differed on a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KnownDrift {
    /// The case, without the version of its plugin.
    pub key: CaseKey,
    /// Name of the metric.
    pub metric: String,
    /// Runs that show it.
    pub runs: u32,
    /// Largest difference between two runs of one build, relative. // eg: 0.03
    pub share: f64,
}

/// How an interval was widened because runs of equal builds of the case differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DriftFloor {
    /// Largest difference between two runs of one build, relative.
    pub share: f64,
    /// Runs that show it.
    pub runs: u32,
    /// Whether the interval would have been narrower without it.
    pub applied: bool,
}

/// The effect of one pair.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairEffect {
    /// Natural logarithm of candidate over baseline.
    pub effect: f64,
    /// Whether the candidate's worker was started first.
    pub candidate_first: bool,
}

/// The pairs of a case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairsInfo {
    /// One per pair.
    pub effects: Vec<PairEffect>,
    /// Pairs that raised a small alarm, which the pairs in `effects` then had to confirm; empty if none did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unconfirmed: Vec<PairEffect>,
    /// Pairs with random layouts, which had to confirm an alarm in the fixed layout; empty without an alarm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_layouts: Vec<PairEffect>,
    /// Iterations of every slice on both sides.
    pub iterations: u64,
    /// Slices per side in a pair.
    pub slices: u32,
    /// Slices that were discarded on both sides and taken again because one of them was disturbed.
    pub retaken: u32,
    /// Memory on huge pages of the side that had less [bytes].
    #[serde(default)]
    pub huge_bytes: u64,
    /// Total wall time: starting workers, setting up, measuring [ns].
    pub elapsed_ns: u64,
    /// Time spent inside the timed calls [ns].
    pub measured_ns: u64,
    /// Time spent in calls before them: finding the number of iterations, and warming up [ns].
    #[serde(default)]
    pub warm_up_ns: u64,
    /// The rule that decided the verdict. // eg: "group-sequential"
    pub rule: String,
    /// Standard deviation of the effects, without the advantage of starting first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std_dev: Option<f64>,
    /// The seed of the comparison.
    #[serde(default)]
    pub seed: u64,
    /// Whether each pair has its own inputs, the same on both sides: those of pair `n`, counted from 0 over
    /// `unconfirmed`, `effects` and `other_layouts`, are drawn from `seed` and `n`.
    #[serde(default)]
    pub inputs: Inputs,
    /// Side effects of either build while it was measured.
    #[serde(default, skip_serializing_if = "SideEffects::is_none")]
    pub side_effects: SideEffects,
    /// How either side climbs or falls within launches, if it does: there is no verdict then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
    /// What was asked of the kernel and refused, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// System calls of the builds that were refused.
    #[serde(default, skip_serializing_if = "RefusedCalls::is_none")]
    pub refused_calls: RefusedCalls,
}

/// System calls of two builds that were refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedCalls {
    /// Those of the baseline. // eg: ["socket"]
    pub baseline: BTreeSet<String>,
    /// Those of the candidate.
    pub candidate: BTreeSet<String>,
}

impl RefusedCalls {
    /// Whether none was.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.baseline.is_empty() && self.candidate.is_empty()
    }
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
        let launches = || run.cases.iter().flat_map(|case| &case.launches);
        let bypass = launches().find_map(|launch| launch.store_bypass);
        environment
            .extend(bypass.map(|bypass| ("speculation past stores".to_owned(), bypass.word().to_owned())));
        environment.extend(run.source.as_ref().map(|source| {
            let dirty = if source.dirty { ", with changes that are not committed" } else { "" };
            ("commit".to_owned(), format!("{}{dirty}", source.commit))
        }));
        let engine = launches().find_map(|launch| {
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
            // What failed may have values of launches that came before: they are not what was asked for.
            if metrics.is_empty() || case.status.is_failure() {
                missing.push((case.key(), Unjudged::of_status(ComparedSide::Candidate, &case.status)));
            } else {
                let build = Some(case.plugin.sha256.clone()).filter(|hash| !hash.is_empty());
                cases.push(MeasuredCase { key: case.key(), build, metrics });
            }
        }
        let plugins = run.cases.iter().map(|case| &case.plugin);
        let debug_builds = plugins.filter(|plugin| plugin.build == Some(PluginBuild::Debug));
        Self {
            source: format!("run {}", run.id),
            machine: Some(run.machine.fingerprint.clone()),
            environment,
            debug_builds: debug_builds.map(|plugin| plugin.id.clone()).collect(),
            cases,
            missing,
        }
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
    let time_trend = case.metric("time").and_then(|time| time.trend);
    let is_of_time =
        |name: &str| matches!(name, "time" | "items_per_second" | "bytes_per_second" | "flop_per_second");
    case.metrics
        .iter()
        .map(|metric| {
            let mut values = match metric.name.as_str() {
                "time" => of_samples(&|sample| Some(sample.ns_per_iteration())),
                "items_per_second" => of_samples(&|sample| sample.per_second(sample.work.items)),
                "bytes_per_second" => of_samples(&|sample| sample.per_second(sample.work.bytes)),
                "flop_per_second" => of_samples(&|sample| sample.per_second(sample.work.flop)),
                "device_time" => of_samples(&Sample::device_ns_per_iteration),
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
            // A rate may be larger than any number.
            values.retain(|value| value.is_finite());
            if values.is_empty() {
                values.push(metric.median);
            }
            MeasuredMetric {
                name: metric.name.clone(),
                unit: metric.unit.clone(),
                better: metric.better,
                launches: values,
                trend: time_trend.filter(|_| is_of_time(&metric.name)),
            }
        })
        .collect()
}
