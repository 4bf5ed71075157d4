//! hyperfine: what `--export-json` writes. Every run of a command is a process, so it is a launch.

use dyno_core::model::{Better, CaseKey, ComparedSide, Measured, MeasuredCase, MeasuredMetric, Unjudged};
use indexmap::IndexMap;
use serde_json::Value;

use super::{ImportError, json};

const TOOL: &str = "hyperfine";
/// Maximum number of exit codes that a sentence names.
const SHOWN: usize = 3;

/// Reads a document of hyperfine.
///
/// # Errors
/// A sentence that names the invalid field.
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
    // A name given with `-n` replaces the command, so that only the parameters tell the entries of a scan apart.
    let mut groups: IndexMap<CaseKey, Vec<&Value>> = IndexMap::new();
    for (place, entry) in entries.iter().enumerate() {
        let command = entry["command"].as_str().ok_or_else(|| {
            ImportError::damaged(TOOL, format!("`results[{place}].command`"), &entry["command"], "a command")
        })?;
        let mut key = CaseKey::named(command);
        for (name, value) in entry["parameters"].as_object().into_iter().flatten() {
            key = key.with(name, json::text(value));
        }
        groups.entry(key).or_default().push(entry);
    }
    let mut out = Measured { source: TOOL.to_owned(), ..Measured::default() };
    let side = ComparedSide::Candidate;
    for (key, entries) in groups {
        match entries.as_slice() {
            [entry] => match metrics(entry) {
                Ok(metrics) => out.cases.push(MeasuredCase::foreign(key, metrics)),
                Err(why) => out.missing.push((key, why)),
            },
            several => out.missing.push((key, Unjudged::Ambiguous { side, count: several.len() as u32 })),
        }
    }
    Ok(out)
}

/// What was measured of a command, or why it counts as not measured.
fn metrics(entry: &Value) -> Result<Vec<MeasuredMetric>, Unjudged> {
    let side = ComparedSide::Candidate;
    if let Some(message) = failed_runs(&entry["exit_codes"]) {
        return Err(Unjudged::Failed { side, stage: None, message });
    }
    let seconds = values(&entry["times"], 1e9);
    // An export may leave the single times out.
    let nanoseconds = if seconds.is_empty() {
        let summary = json::number(&entry["median"]).or_else(|| json::number(&entry["mean"]));
        summary.map(|time| time * 1e9).into_iter().filter(|time| time.is_finite()).collect()
    } else {
        seconds
    };
    if nanoseconds.is_empty() {
        let message = "it has neither `times` nor a `median` that is a finite number".to_owned();
        return Err(Unjudged::NotMeasured { side, message });
    }
    let metric = |name: &str, unit: &str, launches| MeasuredMetric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        better: Better::Lower,
        launches,
        trend: None,
    };
    let mut metrics = vec![metric("time", "ns", nanoseconds)];
    let memory = values(&entry["memory_usage_byte"], 1.0);
    if !memory.is_empty() {
        metrics.push(metric("peak_memory", "bytes", memory));
    }
    Ok(metrics)
}

/// What is wrong with the exit codes: a command that fails is often faster, and its time says nothing.
fn failed_runs(codes: &Value) -> Option<String> {
    let codes = codes.as_array()?;
    let failed: Vec<&Value> = codes.iter().filter(|code| code.as_i64() != Some(0)).collect();
    let mut said: Vec<String> = Vec::new();
    for code in &failed {
        // hyperfine writes `null` where a signal ended the run.
        let word = if code.is_null() {
            "killed by a signal".to_owned()
        } else {
            format!("exit code {}", json::text(code))
        };
        if !said.contains(&word) && said.len() < SHOWN {
            said.push(word);
        }
    }
    (!failed.is_empty()).then(|| {
        format!(
            "{} of {} runs failed ({}), so it counts as not measured",
            failed.len(),
            codes.len(),
            said.join(", ")
        )
    })
}

/// The finite numbers of a list, in another unit.
fn values(list: &Value, factor: f64) -> Vec<f64> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(json::number).map(|value| value * factor).filter(|value| value.is_finite()).collect()
}
