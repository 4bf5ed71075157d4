//! The Python suite that dyno replaces: its result files, and the rows that its server answers queries with.

use std::collections::HashSet;

use dyno_core::model::{Better, CaseKey, ComparedSide, Measured, MeasuredCase, MeasuredMetric, Unjudged};
use serde_json::{Map, Value};

use super::{ImportError, json};

const TOOL: &str = "Python suite";
/// Spreads are not results: a small one says nothing about speed.
const SPREADS: [&str; 6] = ["std", "stddev", "stdev", "var", "variance", "cv"];
const HIGHER: [&str; 5] = ["throughput", "per_sec", "per_second", "speedup", "bandwidth"];
const LOWER: [&str; 4] = ["latency", "time", "memory", "duration"];
/// The columns of a row that are results.
const COLUMNS: [&str; 3] = ["average_latency_ms", "throughput_items_per_second", "memory_peak_mb"];

/// Reads a result file of the Python suite, or the rows of a query.
///
/// # Errors
/// A sentence that names the invalid field.
pub fn original(text: &str) -> Result<Measured, ImportError> {
    measured(&json::parse(text)?)
}

/// Whether a document looks like one.
pub(super) fn is_one(document: &Value) -> bool {
    let row = |row: &Value| row["model_name"].is_string();
    document["benchmarks"].is_object() || document.as_array().is_some_and(|rows| rows.iter().any(row))
}

pub(super) fn measured(document: &Value) -> Result<Measured, ImportError> {
    let mut out = Measured { source: TOOL.to_owned(), ..Measured::default() };
    if let Some(rows) = document.as_array() {
        read_rows(rows, &mut out)?;
        return Ok(out);
    }
    let benchmarks = &document["benchmarks"];
    let benchmarks = benchmarks
        .as_object()
        .ok_or_else(|| ImportError::damaged(TOOL, "`benchmarks`", benchmarks, "an object"))?;
    for (field, name) in [("platform", "platform"), ("python_version", "Python")] {
        let value = document["metadata"][field].as_str().filter(|value| *value != "unknown");
        out.environment.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }
    for (name, result) in benchmarks {
        let key = key(name, result);
        if result["success"].as_bool() == Some(false) {
            let message = result["error"].as_str().unwrap_or("the file gives no reason").to_owned();
            let why = Unjudged::Failed { side: ComparedSide::Candidate, stage: None, message };
            out.missing.push((key, why));
        } else if is_simulated(result) {
            out.missing.push((key, simulated()));
        } else {
            add(&mut out, key, result["metrics"].as_object().map(metrics).unwrap_or_default());
        }
    }
    Ok(out)
}

/// Rows of a query, newest first: the newest of every case counts.
fn read_rows(rows: &[Value], out: &mut Measured) -> Result<(), ImportError> {
    let mut seen = HashSet::new();
    for (place, row) in rows.iter().enumerate() {
        let field = |name: &str| match &row[name] {
            Value::Null => "unknown".to_owned(),
            other => json::text(other),
        };
        if !row["model_name"].is_string() {
            let place = format!("`[{place}].model_name`");
            return Err(ImportError::damaged(TOOL, place, &row["model_name"], "a name"));
        }
        let key = CaseKey {
            device: field("hardware_type"),
            // Two devices of a kind are two results.
            variant: row["device_name"].as_str().unwrap_or_default().to_owned(),
            ..CaseKey::named(format!("{} {}", field("model_name"), field("test_case")))
                .with("batch_size", field("batch_size"))
                .with("precision", field("precision"))
        };
        if !seen.insert(key.clone()) {
            continue;
        }
        if is_simulated(row) {
            out.missing.push((key, simulated()));
            continue;
        }
        let columns = COLUMNS.iter().map(|name| ((*name).to_owned(), row[*name].clone())).collect();
        add(out, key, metrics(&columns));
    }
    Ok(())
}

fn add(out: &mut Measured, key: CaseKey, metrics: Vec<MeasuredMetric>) {
    if metrics.is_empty() {
        let message = "it has no metric for which dyno knows whether higher or lower is better".to_owned();
        out.missing.push((key, Unjudged::Skipped { side: ComparedSide::Candidate, message }));
    } else {
        out.cases.push(MeasuredCase::foreign(key, metrics));
    }
}

fn simulated() -> Unjudged {
    let message = "its numbers are simulated, and simulated numbers are not compared".to_owned();
    Unjudged::Skipped { side: ComparedSide::Candidate, message }
}

fn is_simulated(result: &Value) -> bool {
    ["simulation_mode", "is_simulated"].iter().any(|flag| result[*flag].as_bool() == Some(true))
}

/// Benchmark, parameters and device, so that other parameters make another case although the suite keys by name.
fn key(name: &str, result: &Value) -> CaseKey {
    let params = result["params"].as_object();
    let mut shown: Vec<_> = params.into_iter().flatten().collect();
    // The order of a map depends on the program that wrote it; a label must not.
    shown.sort_by_key(|(name, _)| name.as_str());
    let mut key = CaseKey::named(name);
    for (name, value) in shown.into_iter().filter(|(name, _)| !name.starts_with("hardware")) {
        key = key.with(name, json::text(value));
    }
    let device = result["params"]["hardware"].as_str().or_else(|| result["hardware_info"]["name"].as_str());
    key.device = device.unwrap_or_default().to_owned();
    key
}

/// The metrics whose direction their name tells; sizes and counts have none.
fn metrics(fields: &Map<String, Value>) -> Vec<MeasuredMetric> {
    let mut out: Vec<MeasuredMetric> = fields
        .iter()
        .filter_map(|(name, value)| {
            let (better, unit) = meaning(name)?;
            let value = json::number(value)?;
            Some(MeasuredMetric {
                name: name.clone(),
                unit: unit.to_owned(),
                better,
                launches: vec![value],
                trend: None,
            })
        })
        .collect();
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

/// Direction and unit of a metric.
fn meaning(name: &str) -> Option<(Better, &'static str)> {
    let name = name.to_lowercase();
    if name.split('_').any(|word| SPREADS.contains(&word)) {
        return None;
    }
    let better = if HIGHER.iter().any(|word| name.contains(word)) {
        Better::Higher
    } else if LOWER.iter().any(|word| name.contains(word)) {
        Better::Lower
    } else {
        return None;
    };
    let unit = match name.rsplit('_').next().unwrap_or_default() {
        _ if name.contains("speedup") => "×",
        _ if better == Better::Higher && name.contains("bandwidth") => "",
        _ if better == Better::Higher => "items/s",
        "ns" => "ns",
        "us" => "us",
        "ms" => "ms",
        "s" | "sec" | "seconds" => "s",
        "kb" => "kB",
        "mb" => "MB",
        "gb" => "GB",
        "bytes" => "bytes",
        _ if name.contains("latency") => "ms",
        _ if name.contains("memory") => "MB",
        _ => "s",
    };
    Some((better, unit))
}
