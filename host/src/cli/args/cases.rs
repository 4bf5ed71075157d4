//! Which cases to measure: the same parameters and devices for each benchmark that is named.

use clap::Args;
use dyno_core::model::{CaseRequest, EngineChoice};
use indexmap::IndexMap;
use serde_json::Value;

use crate::cli::{Failure, suite};

/// Parameters and devices of a comparison by pairs.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct CaseArgs {
    /// Comma-separated values of a parameter, e.g. `-p n=256,512`, each of which gives a case
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUES")]
    pub(in crate::cli) param: Vec<String>,
    /// Comma-separated devices [default: cpu]
    #[arg(long, value_name = "DEVICES", value_delimiter = ',')]
    hardware: Vec<String>,
}

impl CaseArgs {
    /// A request for each of these benchmarks.
    pub(in crate::cli) fn requests(&self, names: Vec<String>) -> Result<Vec<CaseRequest>, Failure> {
        Ok(requests(names, &params(None, &self.param)?, &self.hardware, EngineChoice::Auto))
    }
}

/// A request for each of these benchmarks; without `hardware`, on the CPU.
pub(super) fn requests(
    names: Vec<String>,
    params: &IndexMap<String, Vec<Value>>,
    hardware: &[String],
    engine: EngineChoice,
) -> Vec<CaseRequest> {
    let hardware = if hardware.is_empty() { vec!["cpu".to_owned()] } else { hardware.to_vec() };
    let request = |benchmark| CaseRequest {
        benchmark,
        params: params.clone(),
        hardware: hardware.clone(),
        engine,
        sha256: None,
    };
    names.into_iter().map(request).collect()
}

/// `-p` and `--params`, each value still as it was given.
pub(super) fn params(json: Option<&str>, given: &[String]) -> Result<IndexMap<String, Vec<Value>>, Failure> {
    let mut out = IndexMap::new();
    if let Some(text) = json {
        let object: IndexMap<String, Value> = serde_json::from_str(text).map_err(|error| {
            Failure::Usage(format!(
                "--params `{text}` is not a JSON object: {error}; write it like '{{\"n\": 512}}'"
            ))
        })?;
        out.extend(object.into_iter().map(|(name, value)| (name, suite::sweep(value))));
    }
    for text in given {
        let (name, values) =
            text.split_once('=').filter(|(name, values)| !name.is_empty() && !values.is_empty()).ok_or_else(
                || Failure::Usage(format!("-p `{text}` is not NAME=VALUES; write it like `-p n=256,512`")),
            )?;
        let values = values.split(',').map(|value| Value::String(value.trim().to_owned())).collect();
        if out.insert(name.trim().to_owned(), values).is_some() {
            return Err(Failure::Usage(format!(
                "parameter `{name}` is given twice; write all values in one list"
            )));
        }
    }
    Ok(out)
}
