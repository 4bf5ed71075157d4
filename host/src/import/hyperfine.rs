//! hyperfine: what `--export-json` writes. Every run of a command is a process, so it is a launch.

use std::collections::HashMap;

use dyno_core::model::{Better, Measured, MeasuredCase, MeasuredMetric};
use serde_json::Value;

use super::{ImportError, json};

const TOOL: &str = "hyperfine";

/// Reads a document of hyperfine.
///
/// # Errors
/// A sentence that names the field that is not as it should be.
pub fn hyperfine(text: &str) -> Result<Measured, ImportError> {
    measured(&json::parse(text)?)
}

/// Whether a document looks like one.
pub(super) fn is_one(document: &Value) -> bool {
    let entries = document["results"].as_array();
    entries.is_some_and(|entries| entries.iter().any(|entry| entry["command"].is_string()))
}

pub(super) fn measured(document: &Value) -> Result<Measured, ImportError> {
    let list = &document["results"];
    let entries = list.as_array().ok_or_else(|| ImportError::damaged(TOOL, "`results`", list, "a list"))?;
    let mut out = Measured { source: TOOL.to_owned(), ..Measured::default() };
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for (place, entry) in entries.iter().enumerate() {
        let command = entry["command"].as_str().ok_or_else(|| {
            ImportError::damaged(TOOL, format!("`results[{place}].command`"), &entry["command"], "a command")
        })?;
        // One command may be measured several times: each is a case, and finds its own in another file by its place.
        let count = seen.entry(command).and_modify(|count| *count += 1).or_insert(1);
        let label = if *count == 1 { command.to_owned() } else { format!("{command} #{count}") };
        let seconds = values(&entry["times"], 1e9);
        // An export may leave the single times out.
        let nanoseconds = if seconds.is_empty() {
            let summary = json::number(&entry["median"]).or_else(|| json::number(&entry["mean"]));
            summary.map(|time| time * 1e9).into_iter().filter(|time| time.is_finite()).collect()
        } else {
            seconds
        };
        if nanoseconds.is_empty() {
            out.missing.push((label, "it has neither `times` nor a `median`".to_owned()));
            continue;
        }
        let metric = |name: &str, unit: &str, launches| MeasuredMetric {
            name: name.to_owned(),
            unit: unit.to_owned(),
            better: Better::Lower,
            launches,
        };
        let mut metrics = vec![metric("time", "ns", nanoseconds)];
        let memory = values(&entry["memory_usage_byte"], 1.0);
        if !memory.is_empty() {
            metrics.push(metric("peak_memory", "bytes", memory));
        }
        out.cases.push(MeasuredCase { label, metrics });
    }
    Ok(out)
}

/// The finite numbers of a list, in another unit.
fn values(list: &Value, factor: f64) -> Vec<f64> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(json::number).map(|value| value * factor).filter(|value| value.is_finite()).collect()
}
