//! Google Benchmark: what `--benchmark_out_format=json` writes, version 1. A repetition is a launch.

use std::collections::{HashMap, HashSet};

use dyno_core::model::{Better, CaseKey, ComparedSide, Measured, MeasuredCase, MeasuredMetric, Unjudged};
use indexmap::IndexMap;
use serde_json::Value;

use super::{ImportError, json};

const TOOL: &str = "Google Benchmark";
/// The highest `json_schema_version` that is known.
const VERSION: u64 = 1;
/// Counters of the library whose direction is known; what users count might be good or bad.
const RATES: [(&str, &str); 2] = [("items_per_second", "items/s"), ("bytes_per_second", "bytes/s")];
/// How libraries before 1.5, which have no `run_type`, end the names of aggregates.
const ENDINGS: [&str; 6] = ["_mean", "_median", "_stddev", "_cv", "_BigO", "_RMS"];

/// Reads a document of Google Benchmark.
///
/// # Errors
/// A sentence that names the invalid field.
pub fn gbench(text: &str) -> Result<Measured, ImportError> {
    measured(&json::parse(text)?)
}

/// Whether a document looks like one.
pub(super) fn is_one(document: &Value) -> bool {
    document["context"].is_object() && document["benchmarks"].is_array()
}

pub(super) fn measured(document: &Value) -> Result<Measured, ImportError> {
    let context = &document["context"];
    if let Some(found) = context["json_schema_version"].as_u64().filter(|version| *version > VERSION) {
        return Err(ImportError::Newer { tool: TOOL, found, known: VERSION });
    }
    let list = &document["benchmarks"];
    let entries =
        list.as_array().ok_or_else(|| ImportError::damaged(TOOL, "`benchmarks`", list, "a list"))?;
    let names: HashSet<&str> = entries.iter().filter_map(|entry| entry["name"].as_str()).collect();
    let mut groups: IndexMap<&str, Vec<&Value>> = IndexMap::new();
    for (place, entry) in entries.iter().enumerate() {
        let name = entry["run_name"].as_str().or_else(|| entry["name"].as_str()).ok_or_else(|| {
            ImportError::damaged(TOOL, format!("`benchmarks[{place}].name`"), &entry["name"], "a name")
        })?;
        if !(entry["run_type"].is_null() && aggregates(name, &names)) {
            groups.entry(name).or_default().push(entry);
        }
    }
    let mut out =
        Measured { source: TOOL.to_owned(), environment: environment(context), ..Measured::default() };
    for (name, entries) in groups {
        let instances = instances(&entries);
        let mut names: HashSet<&str> = HashSet::new();
        if let Some(same) = instances.iter().find(|one| !names.insert(one.label)) {
            let count = instances.iter().filter(|one| one.label == same.label).count() as u32;
            let why = Unjudged::Ambiguous { side: ComparedSide::Candidate, count };
            out.missing.push((CaseKey::named(name), why));
            continue;
        }
        for one in instances {
            let key = CaseKey { variant: one.label.to_owned(), ..CaseKey::named(name) };
            match metrics(name, &one.entries)? {
                Some(Ok(metrics)) => out.cases.push(MeasuredCase::foreign(key, metrics)),
                Some(Err(why)) => out.missing.push((key, why)),
                None => {}
            }
        }
    }
    Ok(out)
}

/// One registration of a benchmark: a program may have several of one name.
struct Instance<'a> {
    /// What the benchmark calls itself by `SetLabel`, where all its entries agree.
    label: &'a str,
    entries: Vec<&'a Value>,
}

/// The entries of one name by what they are of. Libraries before 1.6 do not number their benchmarks: all are then of one,
/// but for repetitions with a number that was seen already.
fn instances<'a>(entries: &[&'a Value]) -> Vec<Instance<'a>> {
    type Number = Option<u64>;
    type Repetition<'a> = (Number, Number, Number, Option<&'a str>);
    let mut all: IndexMap<(Number, Number, usize), Vec<&Value>> = IndexMap::new();
    let mut seen: HashMap<Repetition<'_>, usize> = HashMap::new();
    for entry in entries {
        let of = |field: &str| entry[field].as_u64();
        let (family, instance) = (of("family_index"), of("per_family_instance_index"));
        let aggregate = entry["aggregate_name"].as_str();
        let repetition = of("repetition_index");
        let times = seen.entry((family, instance, repetition, aggregate)).or_default();
        let number = if repetition.is_none() && aggregate.is_none() { 0 } else { *times };
        *times += 1;
        all.entry((family, instance, number)).or_default().push(entry);
    }
    // What describes a whole family (complexity) belongs to whatever else has the name.
    let label = |entries: &[&'a Value]| -> &'a str {
        let mut labels = entries.iter().filter_map(|entry| entry["label"].as_str());
        let first = labels.next().unwrap_or_default();
        if labels.all(|label| label == first) { first } else { "" }
    };
    all.into_values()
        .filter(|entries| all_but_complexity(entries))
        .map(|entries| Instance { label: label(&entries), entries })
        .collect()
}

/// Whether entries are of a benchmark, and not only of how a family of them grows.
fn all_but_complexity(entries: &[&Value]) -> bool {
    let complexity = ["BigO", "RMS"];
    entries
        .iter()
        .any(|entry| entry["aggregate_name"].as_str().is_none_or(|name| !complexity.contains(&name)))
}

/// Whether a name is that of an aggregate over another benchmark of the document.
fn aggregates(name: &str, names: &HashSet<&str>) -> bool {
    ENDINGS.iter().any(|ending| name.strip_suffix(ending).is_some_and(|stem| names.contains(stem)))
}

/// All entries of one benchmark: its metrics, or why there are none. `None`: they describe a whole family (complexity).
fn metrics(
    name: &str,
    entries: &[&Value],
) -> Result<Option<Result<Vec<MeasuredMetric>, Unjudged>>, ImportError> {
    let side = ComparedSide::Candidate;
    for entry in entries {
        let said = |field: &str, otherwise: &str| {
            entry[field].as_str().filter(|text| !text.is_empty()).unwrap_or(otherwise).to_owned()
        };
        if entry["error_occurred"].as_bool() == Some(true) {
            let message = said("error_message", "the file gives no reason");
            return Ok(Some(Err(Unjudged::Failed { side, stage: None, message })));
        }
        if entry["skipped"].as_bool() == Some(true) {
            let message = said("skip_message", "the file gives no reason");
            return Ok(Some(Err(Unjudged::Skipped { side, message })));
        }
    }
    let aggregate = |wanted: &str| -> Vec<&Value> {
        entries.iter().copied().filter(|entry| entry["aggregate_name"].as_str() == Some(wanted)).collect()
    };
    let mut runs: Vec<&Value> =
        entries.iter().copied().filter(|entry| entry["run_type"].as_str() != Some("aggregate")).collect();
    // With `--benchmark_report_aggregates_only` nothing else is there: one value, from one process.
    for wanted in ["median", "mean"] {
        if runs.is_empty() {
            runs = aggregate(wanted);
        }
    }
    if runs.is_empty() {
        return Ok(None);
    }
    let mut times = Vec::new();
    for entry in &runs {
        let factor = factor(name, &entry["time_unit"])?;
        times.extend(json::number(&entry["real_time"]).map(|time| time * factor).filter(|it| it.is_finite()));
    }
    if times.is_empty() {
        let message = "it has no `real_time` that is a finite number".to_owned();
        return Ok(Some(Err(Unjudged::NotMeasured { side, message })));
    }
    let metric = |name: &str, unit: &str, better, launches| MeasuredMetric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        better,
        launches,
        trend: None,
    };
    let mut metrics = vec![metric("time", "ns", Better::Lower, times)];
    for (rate, unit) in RATES {
        let values: Vec<f64> = runs.iter().filter_map(|entry| json::number(&entry[rate])).collect();
        if !values.is_empty() {
            metrics.push(metric(rate, unit, Better::Higher, values));
        }
    }
    Ok(Some(Ok(metrics)))
}

/// Nanoseconds per unit.
fn factor(name: &str, unit: &Value) -> Result<f64, ImportError> {
    match unit.as_str() {
        Some("ns") => Ok(1.0),
        Some("us") => Ok(1e3),
        Some("ms") => Ok(1e6),
        Some("s") => Ok(1e9),
        // Libraries before 1.0 knew no other.
        None if unit.is_null() => Ok(1.0),
        _ => Err(ImportError::damaged(TOOL, format!("`time_unit` of `{name}`"), unit, "ns, us, ms or s")),
    }
}

/// Properties that may explain a difference. Only the number of processors proves that it was another machine: a
/// container has a new host name each time, and a clock is read when it happens to be low or high.
fn environment(context: &Value) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if let Some(processors) = context["num_cpus"].as_u64() {
        out.push(("machine".to_owned(), format!("{processors} processors")));
    }
    for (field, name) in [
        ("host_name", "host"),
        ("library_version", "library"),
        ("library_build_type", "build of the library"),
    ] {
        out.extend(context[field].as_str().map(|value| (name.to_owned(), value.to_owned())));
    }
    for (field, name) in [("cpu_scaling_enabled", "CPU scaling"), ("aslr_enabled", "address randomisation")] {
        out.extend(
            context[field].as_bool().map(|on| (name.to_owned(), if on { "on" } else { "off" }.into())),
        );
    }
    out
}
