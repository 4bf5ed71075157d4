//! Translates a request in the fields of the original suite.

use std::hash::Hash;

use dyno_core::model::{CaseRequest, EngineChoice, Priority, RunSpec, Settings};
use dyno_plugin_api::descriptor::BenchmarkInfo;
use indexmap::{IndexMap, IndexSet};
use serde_json::{Value, json};

use super::request::Original;
use crate::{
    app::{self, Catalog},
    server::problem::Problem,
};

/// The request as dyno carries it out, and its priority in the queue.
pub(super) fn translated(asked: &Original, catalog: &Catalog) -> Result<(Priority, RunSpec), Problem> {
    let wishes = Wishes::of(asked)?;
    let mut named: Vec<&str> = Vec::new();
    let mut requests: Vec<BatchRequest> = Vec::new();
    for entry in catalog.entries.iter().filter(|entry| entry.incompatible.is_none()) {
        for benchmark in &entry.descriptor.benchmarks {
            let wanted = wishes.wanted(benchmark);
            named.extend(&wanted);
            let name = format!("{}/{}", entry.descriptor.plugin.id, benchmark.name);
            let is_other_build = requests.iter().any(|it| it.request.benchmark == name);
            if !wanted.is_empty() && !is_other_build {
                requests.extend(wishes.requests(name, benchmark, &wanted, catalog));
            }
        }
    }
    if let Some(missing) = wishes.models.iter().flatten().find(|model| !named.contains(model)) {
        return Err(Problem::bad(format!(
            "there is no model or benchmark `{missing}`; GET /api/benchmark/models lists them"
        )));
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

/// A checked request.
struct Wishes<'a> {
    priority: Priority,
    /// The tags that select a benchmark; `""` selects those without such a tag.
    tiers: &'static [&'static str],
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
        let (tiers, priority): (&[&str], Priority) = match asked.priority.as_str() {
            "critical" => (&["critical"], Priority::Critical),
            "high" => (&["critical", "high", ""], Priority::High),
            "medium" => (&["critical", "high", "", "medium"], Priority::Medium),
            "all" => (&["critical", "high", "", "medium", "low"], Priority::Low),
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

    /// The names by which the request selects a benchmark: its own, or those of its models. Empty if it does not.
    fn wanted<'b>(&self, benchmark: &'b BenchmarkInfo) -> Vec<&'b str>
    where
        'a: 'b,
    {
        let Some(models) = &self.models else {
            let tier = ["critical", "high", "medium", "low"]
                .into_iter()
                .find(|tier| benchmark.tags.iter().any(|tag| tag == tier))
                .unwrap_or_default();
            return self.tiers.contains(&tier).then_some(benchmark.name.as_str()).into_iter().collect();
        };
        let is_meant =
            |model: &&str| *model == benchmark.name || benchmark.models.iter().any(|it| it == model);
        models.iter().copied().filter(is_meant).collect()
    }

    /// The requests for a benchmark, one per batch size. Empty if it lacks the precision, or runs on none of the devices.
    fn requests(
        &self,
        name: String,
        benchmark: &BenchmarkInfo,
        wanted: &[&str],
        catalog: &Catalog,
    ) -> Vec<BatchRequest> {
        let of_param = |name: &str| benchmark.params.iter().find(|param| param.name == name);
        let mut params: IndexMap<String, Vec<Value>> = IndexMap::new();
        if of_param("model").is_some() && !wanted.contains(&benchmark.name.as_str()) {
            params.insert("model".to_owned(), wanted.iter().map(|name| json!(name)).collect());
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
    let asked = asked.to_lowercase();
    let short = asked.replace("fp", "f").replace("int", "i").replace("float", "f");
    let Some(choices) = choices else { return Some(json!(asked)) };
    choices
        .iter()
        .find(|choice| choice.as_str().is_some_and(|word| word.eq_ignore_ascii_case(&asked) || word == short))
        .cloned()
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
}
