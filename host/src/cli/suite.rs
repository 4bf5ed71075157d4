//! Suite files: TOML, or JSON in the form of the original suite. Both list benchmarks with parameters.

use std::path::Path;

use dyno_core::model::{CaseRequest, EngineChoice, SuiteInfo};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::Failure;
use crate::{toml_text, user_file::read_text};

/// A suite as it is written. In `params`, a list is a sweep, and `hardware` names devices (the original suite's way).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SuiteFile {
    #[serde(default = "unnamed")]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    benchmarks: Vec<Item>,
    #[serde(default)]
    pub(super) settings: SuiteSettings,
}

/// How the suite asks to be measured; flags override it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SuiteSettings {
    pub(super) launches: Option<u32>,
    pub(super) time: Option<String>,
    pub(super) samples: Option<u32>,
    pub(super) precision: Option<String>,
    pub(super) engine: Option<EngineChoice>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    name: String,
    #[serde(default)]
    params: IndexMap<String, Value>,
    #[serde(default)]
    hardware: Vec<String>,
    engine: Option<EngineChoice>,
}

fn unnamed() -> String {
    "Unnamed Suite".to_owned()
}

/// A suite as requests.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) info: SuiteInfo,
    pub(super) requests: Vec<CaseRequest>,
    pub(super) settings: SuiteSettings,
}

/// Flags that apply to every item of a suite; `None` leaves it to the suite.
#[derive(Debug, Clone)]
pub(super) struct Overrides {
    pub(super) hardware: Vec<String>,
    pub(super) engine: Option<EngineChoice>,
}

pub(super) fn read(path: &Path, overrides: &Overrides) -> Result<Suite, Failure> {
    let refused = |message: String| Failure::Usage(format!("suite `{}`: {message}", path.display()));
    let text = read_text(path).map_err(|error| refused(error.to_string()))?;
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let file: SuiteFile = if is_json {
        serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?
    } else {
        toml::from_str(&text).map_err(|error| refused(toml_text::fault(&text, &error)))?
    };
    if file.benchmarks.is_empty() {
        return Err(refused("lists no benchmarks; add `[[benchmarks]]` with a `name`".to_owned()));
    }
    let engine = overrides.engine.or(file.settings.engine);
    let requests = file
        .benchmarks
        .into_iter()
        .map(|item| {
            let mut params = item.params;
            let named = params.shift_remove("hardware").map(|value| texts(&value)).unwrap_or_default();
            let hardware = [&overrides.hardware, &item.hardware, &named]
                .into_iter()
                .find(|list| !list.is_empty())
                .cloned()
                .unwrap_or_else(|| vec!["cpu".to_owned()]);
            CaseRequest {
                benchmark: item.name,
                params: params.into_iter().map(|(name, value)| (name, sweep(value))).collect(),
                hardware,
                engine: overrides.engine.or(item.engine).or(engine).unwrap_or_default(),
                sha256: None,
            }
        })
        .collect();
    Ok(Suite {
        info: SuiteInfo { name: file.name, description: file.description },
        requests,
        settings: file.settings,
    })
}

/// A list is a sweep, anything else a single value.
pub(super) fn sweep(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        value => vec![value],
    }
}

fn texts(value: &Value) -> Vec<String> {
    sweep(value.clone())
        .iter()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn suite(name: &str, text: &str) -> Result<Suite, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read(&path, &Overrides { hardware: Vec::new(), engine: None }).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_form_of_the_original_suite_is_read() {
        let text = json!({"name": "Model Performance Suite", "description": "d", "benchmarks": [
            {"name": "model_inference", "params": {"hardware": "cuda", "batch_size": 16}},
            {"name": "model_inference", "params": {"hardware": "cuda", "batch_size": 8}},
        ]});
        let suite = suite("s.json", &text.to_string()).unwrap();
        assert_eq!(suite.info.name, "Model Performance Suite");
        assert_eq!(suite.requests.len(), 2);
        assert_eq!(suite.requests[0].hardware, ["cuda"]);
        assert_eq!(suite.requests[1].params["batch_size"], [json!(8)]);
    }

    #[test]
    fn toml_sweeps_and_settings_are_read() {
        let suite = suite(
            "s.toml",
            "[settings]\nlaunches = 3\nengine = 'all'\n[[benchmarks]]\nname = 'gemm'\nparams = { n = [1, 2], dtype = 'f32' }",
        )
        .unwrap();
        assert_eq!(suite.settings.launches, Some(3));
        assert_eq!(suite.requests[0].engine, EngineChoice::All);
        assert_eq!(suite.requests[0].params["n"], [json!(1), json!(2)]);
        assert_eq!(suite.requests[0].hardware, ["cpu"]);
    }

    #[test]
    fn mistakes_name_the_file_and_the_key() {
        let message = suite("s.toml", "[[benchmarks]]\nnaem = 'x'").unwrap_err();
        assert!(message.contains("s.toml") && message.contains("naem"), "{message}");
        assert!(suite("s.json", "{}").unwrap_err().contains("lists no benchmarks"));
        assert!(suite("s.json", "{").unwrap_err().contains("s.json"));
    }
}
