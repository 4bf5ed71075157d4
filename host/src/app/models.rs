//! Use cases: the models and benchmarks that the plugins offer, and which hardware of the machine can run them.

use std::{cmp::Reverse, fmt};

use dyno_core::model::{DeviceInfo, DeviceKind};
use dyno_plugin_api::descriptor::{BenchmarkInfo, ModelInfo, ParamInfo};
use indexmap::IndexMap;
use schemars::JsonSchema;
use semver::Version;
use serde::Serialize;
use serde_json::Value;

use super::{error::AppError, plugins::Plugins};
use crate::{
    catalog::{Catalog, Entry},
    devices::Freshness,
};

/// A model as a benchmark offers it, or a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Model {
    /// Name of the model or benchmark. // eg: "bert-tiny"
    pub name: String,
    /// Family of the model; category of the benchmark if the plugin does not give a family. // eg: "bert"
    pub family: String,
    /// `model`, or `benchmark` if it is not a model.
    #[serde(rename = "type")]
    pub kind: ModelKind,
    /// Kinds of input of the model, like `text` or `image`; the kinds of device that the benchmark runs on, separated by
    /// commas, if the plugin does not give a modality.
    pub modality: String,
    /// Full name of the benchmark. // eg: "model-inference/inference"
    pub benchmark: String,
    /// Number of weights; null if the plugin does not give it. // eg: 4385920
    pub parameters: Option<u64>,
    /// Priority that its tags give it; null if none does. It is the tag of the benchmark for a model without such a tag.
    pub priority: Option<Tier>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Precisions that it can run in; empty if the plugin does not give any. // eg: ["fp32", "bf16"]
    pub precisions: Vec<String>,
    /// The kinds of device that it runs on, and whether this machine has them.
    pub hardware: Vec<ModelHardware>,
}

/// What an entry of the list of models is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// A benchmark, with the defaults of its parameters.
    Benchmark,
    /// A model that a benchmark runs.
    Model,
}

/// A kind of device that a model runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ModelHardware {
    /// Kind of device. // eg: "cuda"
    pub kind: String,
    /// Whether a device of this kind can run it here.
    pub available: bool,
    /// Why none can; null if one can.
    pub reason: Option<String>,
    /// Precisions that the model can run in on it; empty if the plugin does not give any, or if `reason` says that the model has none of
    /// this kind's. // eg: ["fp32", "int8"]
    pub precisions: Vec<String>,
}

/// The tags that are priorities, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The tag `critical`.
    Critical,
    /// The tag `high`.
    High,
    /// The tag `medium`.
    Medium,
    /// The tag `low`.
    Low,
}

impl Tier {
    /// The most urgent priority among these tags.
    #[must_use]
    pub fn of(tags: &[String]) -> Option<Self> {
        let tier = |tag: &String| match tag.as_str() {
            "critical" => Some(Self::Critical),
            "high" => Some(Self::High),
            "medium" => Some(Self::Medium),
            "low" => Some(Self::Low),
            _ => None,
        };
        tags.iter().filter_map(tier).min()
    }

    /// The priority of one of a benchmark's models: that of its own tags, or else of the benchmark's.
    #[must_use]
    pub fn of_model(benchmark: &BenchmarkInfo, model: &str) -> Option<Self> {
        let own = model_details(benchmark, model).and_then(|details| Self::of(&details.tags));
        own.or_else(|| Self::of(&benchmark.tags))
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        })
    }
}

/// What a benchmark says about one of its models, if it does.
#[must_use]
pub fn model_details<'a>(benchmark: &'a BenchmarkInfo, model: &str) -> Option<&'a ModelInfo> {
    benchmark.model_details.iter().find(|details| details.name == model)
}

impl Plugins<'_> {
    /// The models and benchmarks of a catalog, in its order, each benchmark before its models. The newest version of a
    /// benchmark counts, and of its builds one that this dyno can run. With a server, its devices count.
    ///
    /// # Errors
    /// When a server refuses to list its devices.
    pub fn models(&self, catalog: &Catalog) -> Result<Vec<Model>, AppError> {
        let app = self.app();
        let devices = match app.hardware().of_server(None, false)? {
            Some(there) => there.devices,
            None => app.hardware().devices(&kinds(catalog), Freshness::Known),
        };
        Ok(models(catalog, &devices))
    }
}

/// The kinds of device that the benchmarks name.
fn kinds(catalog: &Catalog) -> Vec<DeviceKind> {
    let benchmarks = || catalog.entries.iter().flat_map(|entry| &entry.descriptor.benchmarks);
    let is_named =
        |kind: &DeviceKind| benchmarks().any(|it| it.hardware.iter().any(|word| word == kind.word()));
    DeviceKind::ALL.into_iter().filter(is_named).collect()
}

fn models(catalog: &Catalog, devices: &[DeviceInfo]) -> Vec<Model> {
    let mut chosen: IndexMap<(&str, &str), (&Entry, &BenchmarkInfo)> = IndexMap::new();
    for entry in &catalog.entries {
        for benchmark in &entry.descriptor.benchmarks {
            let key = (entry.descriptor.plugin.id.as_str(), benchmark.name.as_str());
            let place = chosen.entry(key).or_insert((entry, benchmark));
            // Of equal ones, the first stays: a native build stands before a component.
            if rank(entry) < rank(place.0) {
                *place = (entry, benchmark);
            }
        }
    }
    let mut all = Vec::new();
    for (entry, benchmark) in chosen.into_values() {
        let whole = of_benchmark(entry, benchmark, devices);
        let models: Vec<Model> =
            benchmark.models.iter().map(|name| of_model(&whole, benchmark, name)).collect();
        all.push(whole);
        all.extend(models);
    }
    all
}

/// The smaller, the better: a build that can run comes before others, then the newest version.
fn rank(entry: &Entry) -> (bool, Reverse<Option<Version>>) {
    (entry.incompatible.is_some(), Reverse(Version::parse(&entry.descriptor.plugin.version).ok()))
}

fn of_benchmark(entry: &Entry, benchmark: &BenchmarkInfo, devices: &[DeviceInfo]) -> Model {
    let param = |name: &str| benchmark.params.iter().find(|param| param.name == name);
    let precision = param("precision").or_else(|| param("dtype"));
    let choices = precision.and_then(|param| param.choices.as_deref());
    Model {
        name: benchmark.name.clone(),
        family: benchmark.category.clone(),
        kind: ModelKind::Benchmark,
        modality: benchmark.hardware.join(", "),
        benchmark: format!("{}/{}", entry.descriptor.plugin.id, benchmark.name),
        parameters: None,
        priority: Tier::of(&benchmark.tags),
        tags: benchmark.tags.clone(),
        precisions: words(choices),
        hardware: benchmark.hardware.iter().map(|kind| hardware(entry, kind, precision, devices)).collect(),
    }
}

fn of_model(whole: &Model, benchmark: &BenchmarkInfo, name: &str) -> Model {
    let details = model_details(benchmark, name).cloned().unwrap_or_default();
    let given = |own: String, other: &String| if own.is_empty() { other.clone() } else { own };
    let precisions =
        if details.precisions.is_empty() { whole.precisions.clone() } else { details.precisions };
    let mut hardware = whole.hardware.clone();
    for kind in &mut hardware {
        if kind.precisions.is_empty() {
            kind.precisions.clone_from(&precisions);
            continue;
        }
        let there = kind.precisions.join(", ");
        kind.precisions.retain(|word| precisions.contains(word));
        if kind.precisions.is_empty() && !precisions.is_empty() {
            kind.available = false;
            let its = precisions.join(", ");
            kind.reason =
                Some(format!("none of its precisions ({its}) is among those of {} ({there})", kind.kind));
        }
    }
    Model {
        name: name.to_owned(),
        family: given(details.family, &whole.family),
        kind: ModelKind::Model,
        modality: given(details.modality, &whole.modality),
        benchmark: whole.benchmark.clone(),
        parameters: details.parameters,
        priority: Tier::of_model(benchmark, name),
        tags: details.tags,
        precisions,
        hardware,
    }
}

fn words(choices: Option<&[Value]>) -> Vec<String> {
    choices.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn hardware(
    entry: &Entry,
    kind: &str,
    precision: Option<&ParamInfo>,
    devices: &[DeviceInfo],
) -> ModelHardware {
    let mut of_kind = devices.iter().filter(|device| device.kind.word() == kind).peekable();
    let reason = match (&entry.incompatible, of_kind.peek()) {
        (Some(why), _) => Some(why.clone()),
        (None, None) => Some(format!("this dyno knows no device of kind `{kind}`")),
        (None, Some(first)) => {
            let why = first.unavailable.clone();
            if of_kind.any(|device| device.unavailable.is_none()) { None } else { why }
        }
    };
    let precisions = words(precision.and_then(|param| param.choices_for(kind)));
    ModelHardware { kind: kind.to_owned(), available: reason.is_none(), reason, precisions }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A catalog of plugins `zoo` of these versions, each with its benchmark and what keeps it from running.
    fn catalog(builds: &[(&str, Value, Option<&str>)]) -> Catalog {
        let entry = |(version, benchmark, incompatible): &(&str, Value, Option<&str>)| {
            json!({
                "path": format!("/zoo-{version}.so"), "kind": "native", "sha256": version, "size": 1, "warnings": [],
                "incompatible": incompatible,
                "descriptor": {
                    "schema": dyno_plugin_api::descriptor::SCHEMA,
                    "plugin": {"id": "zoo", "version": version},
                    "abi": {"kind": "native", "version": 1, "layout_hash": "00"},
                    "benchmarks": [benchmark],
                },
            })
        };
        let entries: Vec<Value> = builds.iter().map(entry).collect();
        serde_json::from_value(json!({"entries": entries, "problems": [], "folders": []})).unwrap()
    }

    fn device(kind: DeviceKind, unavailable: Option<&str>) -> DeviceInfo {
        DeviceInfo { unavailable: unavailable.map(str::to_owned), ..DeviceInfo::new(kind, 0) }
    }

    fn benchmark() -> Value {
        json!({
            "name": "run", "category": "inference", "hardware": ["cpu", "cuda", "tpu"], "tags": ["low"],
            "models": ["vit", "plain"],
            "model_details": [{"name": "vit", "family": "transformer", "modality": "image", "parameters": 7,
                "tags": ["b", "high", "critical"], "precisions": ["fp32"]}],
            "params": [{"name": "precision", "type": "enum", "default": "fp32", "choices": ["fp32", "bf16"],
                "choices_on": {"cuda": ["bf16"]}}],
        })
    }

    #[test]
    fn what_a_plugin_does_not_say_about_a_model_is_that_of_its_benchmark() {
        let devices = [
            device(DeviceKind::Cpu, None),
            device(DeviceKind::Cuda, Some("it is in use")),
            device(DeviceKind::Cuda, Some("it is broken")),
        ];
        let all = models(&catalog(&[("1.0.0", benchmark(), None)]), &devices);
        let shown: Vec<_> = all
            .iter()
            .map(|it| {
                assert_eq!(it.benchmark, "zoo/run");
                (
                    it.name.as_str(),
                    it.family.as_str(),
                    it.modality.as_str(),
                    it.priority,
                    it.precisions.join(" "),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("run", "inference", "cpu, cuda, tpu", Some(Tier::Low), "fp32 bf16".to_owned()),
                ("vit", "transformer", "image", Some(Tier::Critical), "fp32".to_owned()),
                ("plain", "inference", "cpu, cuda, tpu", Some(Tier::Low), "fp32 bf16".to_owned()),
            ]
        );
        let document = json!(all[1]);
        assert_eq!((&document["type"], &document["priority"]), (&json!("model"), &json!("critical")));
        assert_eq!(
            document["hardware"],
            json!([
                {"kind": "cpu", "available": true, "reason": null, "precisions": ["fp32"]},
                {"kind": "cuda", "available": false, "reason": "none of its precisions (fp32) is among those of cuda (bf16)",
                    "precisions": []},
                {"kind": "tpu", "available": false, "reason": "this dyno knows no device of kind `tpu`", "precisions": ["fp32"]},
            ])
        );
        let of_plain: Vec<String> = all[2].hardware.iter().map(|it| it.precisions.join(" ")).collect();
        assert_eq!(of_plain, ["fp32 bf16", "bf16", "fp32 bf16"], "a kind may have fewer");
        assert_eq!(all[2].hardware[1].reason.as_deref(), Some("it is in use"));
    }

    #[test]
    fn one_available_device_of_a_kind_is_enough() {
        let devices = [device(DeviceKind::Cuda, Some("it is in use")), device(DeviceKind::Cuda, None)];
        let all = models(&catalog(&[("1.0.0", benchmark(), None)]), &devices);
        assert!(all[0].hardware[1].available && all[0].hardware[1].reason.is_none());
    }

    #[test]
    fn the_newest_build_that_can_run_is_listed() {
        let of = |family: &str| {
            let mut benchmark = benchmark();
            benchmark["category"] = json!(family);
            benchmark
        };
        let builds = [
            ("1.10.0", of("newest"), None),
            ("1.9.0", of("older"), None),
            ("2.0.0", of("foreign"), Some("it is built for another dyno")),
        ];
        let devices = [device(DeviceKind::Cpu, None)];
        let all = models(&catalog(&builds), &devices);
        assert_eq!((all.len(), all[0].family.as_str()), (3, "newest"));
        let foreign = models(&catalog(&builds[2..]), &devices);
        assert_eq!(foreign[0].hardware[0].reason.as_deref(), Some("it is built for another dyno"));
    }
}
