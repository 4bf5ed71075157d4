//! Translates a request in the fields of the original suite.

use std::hash::Hash;

use dyno_core::model::{CaseRequest, EngineChoice, Priority, RunSpec, Settings};
use dyno_plugin_api::descriptor::BenchmarkInfo;
use indexmap::{IndexMap, IndexSet};
use serde_json::{Value, json};

use super::request::Original;
use crate::{
    app::{self, Catalog, Tier, model_details},
    server::problem::Problem,
};

/// The request as dyno carries it out, and its priority in the queue.
pub(super) fn translated(asked: &Original, catalog: &Catalog) -> Result<(Priority, RunSpec), Problem> {
    let wishes = Wishes::of(asked)?;
    let usable = || catalog.entries.iter().filter(|entry| entry.incompatible.is_none());
    let is_known =
        |model: &str| usable().flat_map(|entry| &entry.descriptor.benchmarks).any(|it| has(it, model));
    if let Some(missing) = wishes.models.iter().flatten().find(|model| !is_known(model)) {
        return Err(Problem::bad(format!(
            "there is no model or benchmark `{missing}`; GET /api/benchmark/models lists them"
        )));
    }
    let mut requests: Vec<BatchRequest> = Vec::new();
    for entry in usable() {
        for benchmark in &entry.descriptor.benchmarks {
            let Some(selected) = wishes.selected(benchmark) else { continue };
            let name = format!("{}/{}", entry.descriptor.plugin.id, benchmark.name);
            let is_other_build = requests.iter().any(|it| it.request.benchmark == name);
            if !is_other_build {
                requests.extend(wishes.requests(name, benchmark, &selected, catalog));
            }
        }
    }
    if requests.is_empty() {
        return Err(Problem::bad(format!(
            "no benchmark has priority {} and precision {}; GET /api/benchmark/models lists all",
            asked.priority, asked.precision
        )));
    }
    if asked.progressive_mode {
        requests.sort_by_key(|it| it.batch);
    }
    let (seed, inputs) = app::seed(None);
    let spec = RunSpec {
        suite: None,
        requests: requests.into_iter().map(|it| it.request).collect(),
        settings: Settings { seed, inputs, ..Settings::default() },
        tags: Vec::new(),
    };
    Ok((wishes.priority, spec))
}

/// A request and its batch size; 0 for a benchmark without batches.
struct BatchRequest {
    batch: i64,
    request: CaseRequest,
}

/// What a request selects of a benchmark.
enum Selected<'a> {
    /// The benchmark, with the default of its parameter `model`.
    Defaults,
    /// These models; at least one.
    Models(Vec<&'a str>),
}

/// Whether a benchmark has that name, or a model of that name.
fn has(benchmark: &BenchmarkInfo, name: &str) -> bool {
    benchmark.name == name || benchmark.models.iter().any(|model| model == name)
}

/// A checked request.
struct Wishes<'a> {
    priority: Priority,
    /// The priorities that are selected; `None` selects what has no priority.
    tiers: &'static [Option<Tier>],
    devices: IndexSet<&'a str>,
    models: Option<IndexSet<&'a str>>,
    batches: IndexSet<i64>,
    precision: &'a str,
}

impl<'a> Wishes<'a> {
    fn of(asked: &'a Original) -> Result<Self, Problem> {
        if asked.skillset_dir.is_some() {
            return Err(Problem::bad(
                "`skillset_dir` is not accepted: plugin folders are set by the operator (`--plugins`)",
            ));
        }
        const ALL: &[Option<Tier>] =
            &[Some(Tier::Critical), Some(Tier::High), None, Some(Tier::Medium), Some(Tier::Low)];
        let (tiers, priority) = match asked.priority.as_str() {
            "critical" => (&ALL[..1], Priority::Critical),
            "high" => (&ALL[..3], Priority::High),
            "medium" => (&ALL[..4], Priority::Medium),
            "all" => (ALL, Priority::Low),
            other => {
                return Err(Problem::bad(format!(
                    "priority `{other}` is not known; give critical, high, medium or all"
                )));
            }
        };
        if asked.hardware.is_empty() {
            return Err(Problem::bad("hardware is empty; name a device, like \"cpu\""));
        }
        let models = asked.models.as_ref();
        Ok(Self {
            priority,
            tiers,
            batches: each_once("batch_sizes", asked.batch_sizes.iter().copied())?,
            devices: each_once("hardware", asked.hardware.iter().map(String::as_str))?,
            models: models.map(|all| each_once("models", all.iter().map(String::as_str))).transpose()?,
            precision: &asked.precision,
        })
    }

    /// What the request selects of a benchmark; `None` if nothing.
    fn selected<'b>(&'b self, benchmark: &'b BenchmarkInfo) -> Option<Selected<'b>> {
        let mut models: Vec<&str> = match &self.models {
            Some(named) if named.contains(benchmark.name.as_str()) => return Some(Selected::Defaults),
            Some(named) => named.iter().copied().filter(|model| has(benchmark, model)).collect(),
            None if benchmark.model_details.is_empty() => {
                return self.tiers.contains(&Tier::of(&benchmark.tags)).then_some(Selected::Defaults);
            }
            None => {
                let is_meant = |model: &&str| self.tiers.contains(&Tier::of_model(benchmark, model));
                benchmark.models.iter().map(String::as_str).filter(is_meant).collect()
            }
        };
        models.retain(|model| {
            let precisions = model_details(benchmark, model).map_or(&[] as &[String], |it| &it.precisions);
            precisions.is_empty() || precisions.iter().any(|word| is_precision(self.precision, word))
        });
        (!models.is_empty()).then_some(Selected::Models(models))
    }

    /// The requests for a benchmark, one per batch size. Empty if it lacks the precision, or runs on none of the devices.
    fn requests(
        &self,
        name: String,
        benchmark: &BenchmarkInfo,
        selected: &Selected<'_>,
        catalog: &Catalog,
    ) -> Vec<BatchRequest> {
        let of_param = |name: &str| benchmark.params.iter().find(|param| param.name == name);
        let mut params: IndexMap<String, Vec<Value>> = IndexMap::new();
        if let (Selected::Models(models), Some(_)) = (selected, of_param("model")) {
            params.insert("model".to_owned(), models.iter().map(|name| json!(name)).collect());
        }
        if let Some(param) = of_param("precision").or_else(|| of_param("dtype")) {
            let Some(value) = precision(self.precision, param.choices.as_deref()) else { return Vec::new() };
            params.insert(param.name.clone(), vec![value]);
        }
        let hardware = served(&self.devices, benchmark, catalog);
        if hardware.is_empty() {
            return Vec::new();
        }
        let request =
            CaseRequest { benchmark: name, params, hardware, engine: EngineChoice::Auto, sha256: None };
        if of_param("batch_size").is_none() || self.batches.is_empty() {
            return vec![BatchRequest { batch: 0, request }];
        }
        let sized = |batch: &i64| {
            let mut request = request.clone();
            request.params.insert("batch_size".to_owned(), vec![json!(batch)]);
            BatchRequest { batch: *batch, request }
        };
        self.batches.iter().map(sized).collect()
    }
}

/// Maximum length of a list in a request.
const MOST_VALUES: usize = 1_000;

/// The values of a list without repetitions, so that `[1, 8, 1]` requests no case twice.
fn each_once<T: Hash + Eq>(
    field: &str,
    values: impl ExactSizeIterator<Item = T>,
) -> Result<IndexSet<T>, Problem> {
    let count = values.len();
    if count > MOST_VALUES {
        return Err(Problem::bad(format!("{field} has {count} values; give up to {MOST_VALUES}")));
    }
    Ok(values.collect())
}

/// The requested devices that a benchmark is to run on. Leaves out a device if only another plugin's benchmark of the same name
/// runs on it. If none does, the device stays, and its case says on which hardware the benchmark runs.
fn served(devices: &IndexSet<&str>, benchmark: &BenchmarkInfo, catalog: &Catalog) -> Vec<String> {
    let runs = |it: &BenchmarkInfo, kind: &str| it.hardware.iter().any(|other| other == kind);
    let of_another = |kind: &str| {
        let all = catalog.entries.iter().filter(|entry| entry.incompatible.is_none());
        let mut named =
            all.flat_map(|entry| &entry.descriptor.benchmarks).filter(|it| it.name == benchmark.name);
        named.any(|it| runs(it, kind))
    };
    let is_meant = |device: &&&str| {
        let kind = device.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        runs(benchmark, &kind) || !of_another(&kind)
    };
    devices.iter().filter(is_meant).map(|device| (*device).to_owned()).collect()
}

/// The benchmark's own name for a precision. // eg: `f32` for `fp32`
fn precision(asked: &str, choices: Option<&[Value]>) -> Option<Value> {
    let Some(choices) = choices else { return Some(json!(asked.to_lowercase())) };
    choices.iter().find(|choice| choice.as_str().is_some_and(|word| is_precision(asked, word))).cloned()
}

/// Whether a word of a benchmark is the requested precision. // eg: `f32` for `fp32`
fn is_precision(asked: &str, word: &str) -> bool {
    let asked = asked.to_lowercase();
    let short = asked.replace("fp", "f").replace("int", "i").replace("float", "f");
    word.eq_ignore_ascii_case(&asked) || word == short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_is_found_in_the_words_of_the_benchmark() {
        let choices = [json!("f32"), json!("f64"), json!("bf16")];
        assert_eq!(precision("fp32", Some(&choices)), Some(json!("f32")));
        assert_eq!(precision("BF16", Some(&choices)), Some(json!("bf16")));
        assert_eq!(precision("int8", Some(&choices)), None);
        assert_eq!(precision("int8", Some(&[json!("int8")])), Some(json!("int8")));
    }

    /// A catalog of plugins with a benchmark `gemm` each, on the hardware that is named.
    fn catalog(plugins: &[(&str, &str)]) -> Catalog {
        let entry = |(plugin, hardware): &(&str, &str)| {
            json!({
                "path": format!("/{plugin}.so"), "kind": "native", "sha256": plugin, "size": 1, "warnings": [],
                "descriptor": {
                    "schema": dyno_plugin_api::descriptor::SCHEMA,
                    "plugin": {"id": plugin, "version": "1.0.0"},
                    "abi": {"kind": "native", "version": 1, "layout_hash": "00"},
                    "benchmarks": [{
                        "name": "gemm", "hardware": [hardware],
                        "params": [{"name": "batch_size", "type": "integer", "default": 1}],
                    }],
                },
            })
        };
        let entries: Vec<Value> = plugins.iter().map(entry).collect();
        serde_json::from_value(json!({"entries": entries, "problems": [], "folders": []})).unwrap()
    }

    fn asked(request: Value) -> Original {
        serde_json::from_value(request).unwrap()
    }

    #[test]
    fn a_list_is_a_set_in_its_order() {
        let catalog = catalog(&[("blas", "cpu")]);
        let request =
            json!({"batch_sizes": [8, 1, 8], "models": ["gemm", "gemm"], "progressive_mode": false});
        let (_, spec) = translated(&asked(request), &catalog).unwrap();
        let batches: Vec<&Value> = spec.requests.iter().map(|it| &it.params["batch_size"][0]).collect();
        assert_eq!(batches, [&json!(8), &json!(1)]);
        let many = asked(json!({"batch_sizes": vec![1; 1_001]}));
        let refused = json!(translated(&many, &catalog).unwrap_err());
        assert_eq!(refused["detail"], "batch_sizes has 1001 values; give up to 1000");
    }

    #[test]
    fn a_plugin_is_not_asked_for_hardware_that_another_one_serves() {
        let hardware = |plugins: &[(&str, &str)]| -> Vec<Vec<String>> {
            let request = asked(json!({"hardware": ["cpu", "cuda:0"], "batch_sizes": [1]}));
            let (_, spec) = translated(&request, &catalog(plugins)).unwrap();
            spec.requests.into_iter().map(|it| it.hardware).collect()
        };
        assert_eq!(hardware(&[("blas", "cpu"), ("cublas", "cuda")]), [["cpu"], ["cuda:0"]]);
        // Where no plugin has it, a case says so.
        assert_eq!(hardware(&[("blas", "cpu")]), [["cpu", "cuda:0"]]);
    }

    /// A catalog with a benchmark whose models have priorities, while the benchmark itself has none.
    fn zoo() -> Catalog {
        let mut catalog = catalog(&[("zoo", "cpu")]);
        catalog.entries[0].descriptor.benchmarks[0] = serde_json::from_value(json!({
            "name": "inference", "hardware": ["cpu"], "models": ["bert", "vit", "gpt2", "resnet"],
            "model_details": [
                {"name": "bert", "tags": ["text", "critical"], "precisions": ["fp32", "int8"]},
                {"name": "vit", "tags": ["high"], "precisions": ["fp32"]},
                {"name": "gpt2", "tags": ["low"]},
            ],
            "params": [
                {"name": "model", "type": "enum", "default": "bert", "choices": ["bert", "vit", "gpt2", "resnet"]},
                {"name": "precision", "type": "enum", "default": "fp32", "choices": ["fp32", "fp16", "bf16", "int8"]},
                {"name": "batch_size", "type": "integer", "default": 1},
            ],
        }))
        .unwrap();
        catalog
    }

    /// The models that a request selects, with the batch size 1; the refusal, if it selects none.
    fn selected(mut request: Value) -> Result<Value, Value> {
        request["batch_sizes"] = json!([1]);
        let (_, spec) =
            translated(&asked(request), &zoo()).map_err(|problem| json!(problem)["detail"].clone())?;
        assert_eq!(spec.requests.len(), 1);
        let request = &spec.requests[0];
        assert_eq!(request.benchmark, "zoo/inference");
        Ok(request.params.get("model").map_or(Value::Null, |models| json!(models)))
    }

    #[test]
    fn a_priority_selects_models_by_their_own_tags() {
        assert_eq!(selected(json!({"priority": "critical", "hardware": ["cpu"]})), Ok(json!(["bert"])));
        // A model that says nothing counts as high, like a benchmark that says nothing.
        assert_eq!(selected(json!({"priority": "high"})), Ok(json!(["bert", "vit", "resnet"])));
        assert_eq!(selected(json!({"priority": "all"})), Ok(json!(["bert", "vit", "gpt2", "resnet"])));
        assert_eq!(
            selected(json!({"priority": "critical", "models": ["gpt2", "vit"]})),
            Ok(json!(["gpt2", "vit"]))
        );
        assert_eq!(selected(json!({"priority": "critical", "models": ["inference"]})), Ok(Value::Null));
    }

    #[test]
    fn a_model_without_the_precision_is_left_out() {
        assert_eq!(
            selected(json!({"priority": "all", "precision": "int8"})),
            Ok(json!(["bert", "gpt2", "resnet"]))
        );
        assert_eq!(
            selected(json!({"models": ["vit"], "precision": "bf16"})),
            Err(json!(
                "no benchmark has priority high and precision bf16; GET /api/benchmark/models lists all"
            ))
        );
        assert_eq!(
            selected(json!({"models": ["vgg"]})),
            Err(json!("there is no model or benchmark `vgg`; GET /api/benchmark/models lists them"))
        );
    }
}
