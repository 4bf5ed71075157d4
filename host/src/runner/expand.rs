//! From a request to cases: patterns to benchmarks, lists of values to their Cartesian product, hardware to devices.

use std::{
    borrow::Borrow,
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use dyno_core::{
    model::{CaseKey, CaseRequest, DeviceInfo, ParamValue, Params, RunSpec},
    stats::sequential::Rule,
};
use dyno_plugin_api::descriptor::BenchmarkInfo;
use serde_json::Value;

use super::{Asking, Match, Planned, case::Subject};
use crate::{
    catalog::{self, Catalog, Entry, ResolveError, Resolved, glob},
    devices,
};

/// Maximum number of cases in one run or comparison: more are a mistake in a list of values.
const MAX_CASES: usize = 100_000;

/// Why a request cannot be turned into cases. The user can correct all of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandError {
    /// The benchmark does not exist, or its name is ambiguous.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// A parameter has an invalid value.
    #[error("benchmark `{benchmark}`: {message}")]
    Value {
        /// The benchmark.
        benchmark: String,
        /// Which parameter, what was given, what is allowed.
        message: String,
    },
    /// The benchmark has no parameter of that name.
    #[error("benchmark `{benchmark}` has no parameter `{name}`; {known}")]
    Param {
        /// The benchmark.
        benchmark: String,
        /// The requested name.
        name: String,
        /// Its parameters.
        known: String,
    },
    /// The plugin file is not the one that was asked for.
    #[error(
        "the plugin of `{benchmark}` has changed: the build with the hash {sha256}… is neither in the plugin folders nor in \
         the cache; put that build back, or run everything again with the new one"
    )]
    OtherBuild {
        /// What was asked for.
        benchmark: String,
        /// The beginning of the hash that was asked for.
        sha256: String,
    },
    /// The device is not known.
    #[error(transparent)]
    Device(#[from] devices::UnknownDevice),
    /// The two builds have nothing in common.
    #[error(
        "no benchmark `{name}` is in both builds; the baseline has {baseline}; the candidate has {candidate}"
    )]
    NotShared {
        /// The requested name.
        name: String,
        /// Benchmarks of the baseline.
        baseline: String,
        /// Benchmarks of the candidate.
        candidate: String,
    },
    /// Too many cases.
    #[error("the request makes more than {MAX_CASES} cases; shorten the lists of values")]
    TooMany,
    /// One case more than once: nothing would tell the results apart.
    #[error(
        "the request has the case `{case}` more than once, and nothing would tell its results apart; name it once, and \
         ask for more launches to measure it longer"
    )]
    Repeated {
        /// The case.
        case: String,
    },
    /// No case at all.
    #[error("the request names no benchmark; give a name, `--suite FILE`, or `'*'` for all")]
    Nothing,
}

/// Turns a request into cases, in its order. `builds` are those that it asks for by their hash.
///
/// # Errors
/// When a benchmark, parameter or device is not known, a value is not allowed, or there are too many cases.
pub fn expand(
    spec: &RunSpec,
    catalog: &Catalog,
    builds: &Catalog,
    devices: &[DeviceInfo],
) -> Result<Vec<Planned>, ExpandError> {
    let mut cases: Vec<Planned> = Vec::new();
    for request in &spec.requests {
        let found = match &request.sha256 {
            None => catalog.resolve(&request.benchmark, request.engine)?,
            Some(sha256) => {
                let mut found = builds.resolve(&request.benchmark, request.engine).unwrap_or_default();
                found.retain(|resolved| resolved.entry.sha256 == *sha256);
                if found.is_empty() {
                    return Err(ExpandError::OtherBuild {
                        benchmark: request.benchmark.clone(),
                        sha256: sha256.get(..12).unwrap_or(sha256).to_owned(),
                    });
                }
                found
            }
        };
        // A glob passes a parameter to those benchmarks that have it; a name must have it.
        let is_glob = request.benchmark.contains('*');
        for resolved in &found {
            let combinations: Vec<Arc<Params>> = combinations(request, resolved.benchmark, is_glob)?
                .into_iter()
                .map(|mut params| {
                    params.shrink_to_fit();
                    Arc::new(params)
                })
                .collect();
            for device in hardware(request, resolved.benchmark, devices)? {
                if !catalog.is_named && !catalog::meant(&request.benchmark, &found, resolved, device.kind)? {
                    continue;
                }
                let subject = Arc::new(subject(resolved, device));
                for params in &combinations {
                    if cases.len() >= MAX_CASES {
                        return Err(ExpandError::TooMany);
                    }
                    cases.push(Planned::new(Arc::clone(&subject), Arc::clone(params)));
                }
            }
        }
    }
    if cases.is_empty() {
        return Err(ExpandError::Nothing);
    }
    refuse_repeated(cases.iter().map(Planned::key))?;
    Ok(cases)
}

/// Refuses a request that has a case twice.
///
/// # Errors
/// Names the first such case.
pub fn refuse_repeated<K: Borrow<CaseKey>>(keys: impl Iterator<Item = K> + Clone) -> Result<(), ExpandError> {
    // The keys of 100,000 cases are large. Their hashes are not, and almost always prove that no two keys are equal.
    let (state, mut hashes) = (RandomState::new(), HashSet::new());
    if keys.clone().all(|key| hashes.insert(state.hash_one(key.borrow()))) {
        return Ok(());
    }
    let mut seen = HashSet::new();
    for key in keys {
        let key = key.borrow().clone();
        if seen.contains(&key) {
            return Err(ExpandError::Repeated { case: key.label() });
        }
        seen.insert(key);
    }
    Ok(())
}

/// The devices that a request means for a benchmark, each once. `all` means those of the kinds that the benchmark
/// supports.
fn hardware(
    request: &CaseRequest,
    benchmark: &BenchmarkInfo,
    devices: &[DeviceInfo],
) -> Result<Vec<DeviceInfo>, ExpandError> {
    let mut found: Vec<DeviceInfo> = Vec::new();
    for name in &request.hardware {
        let is_all = name.trim().eq_ignore_ascii_case(devices::ALL);
        for device in devices::find(devices, name)? {
            let runs = benchmark.hardware.iter().any(|kind| kind == device.kind.word());
            if (runs || !is_all) && found.iter().all(|other| other.name != device.name) {
                found.push(device);
            }
        }
    }
    Ok(found)
}

/// What two builds have in common.
#[derive(Debug, Clone)]
pub struct Matches {
    /// The cases of both.
    pub cases: Vec<Match>,
    /// Benchmarks that only the candidate has.
    pub added: Vec<String>,
    /// Benchmarks that only the baseline has.
    pub removed: Vec<String>,
}

/// The cases that two builds share, and the benchmarks that only the candidate or only the baseline has. Parameters are
/// equal by construction: what is not named has the baseline's default.
///
/// # Errors
/// When no benchmark is shared, or a parameter or device is not known to both sides.
pub fn matches(
    baseline: &Entry,
    candidate: &Entry,
    request: &CaseRequest,
    devices: &[DeviceInfo],
    rule: Rule,
) -> Result<Matches, ExpandError> {
    let name = request.benchmark.rsplit_once('/').map_or(request.benchmark.as_str(), |(_, name)| name);
    let wanted = |entry| -> Vec<&BenchmarkInfo> {
        benchmarks(entry).filter(|it| glob::matches(name, &it.name)).collect()
    };
    let (old, new) = (wanted(baseline), wanted(candidate));
    let mut found = Vec::new();
    for now in &new {
        let Some(before) = old.iter().find(|before| before.name == now.name) else { continue };
        let (before, now) =
            (Resolved { entry: baseline, benchmark: before }, Resolved { entry: candidate, benchmark: now });
        let subjects: Vec<[Arc<Subject>; 2]> = hardware(request, now.benchmark, devices)?
            .into_iter()
            .map(|device| [subject(&before, device.clone()), subject(&now, device)].map(Arc::new))
            .collect();
        for params in combinations(request, before.benchmark, name.contains('*'))? {
            let same = Arc::new(params_of(now.benchmark, &params)?);
            let params = Arc::new(params);
            for [before, now] in &subjects {
                let baseline = Planned::new(Arc::clone(before), Arc::clone(&params));
                let candidate = baseline.other_side(Arc::clone(now), Arc::clone(&same));
                let key = candidate.key();
                found.push(Match { label: key.label(), key, baseline, candidate, rule });
            }
        }
    }
    if found.is_empty() {
        let names = |entry| benchmarks(entry).map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(ExpandError::NotShared {
            name: name.to_owned(),
            baseline: names(baseline),
            candidate: names(candidate),
        });
    }
    let only = |these: &[&BenchmarkInfo], others: &[&BenchmarkInfo]| -> Vec<String> {
        let alone = these.iter().filter(|it| others.iter().all(|other| other.name != it.name));
        alone.map(|it| it.name.clone()).collect()
    };
    Ok(Matches { cases: found, added: only(&new, &old), removed: only(&old, &new) })
}

fn benchmarks(entry: &Entry) -> impl Iterator<Item = &BenchmarkInfo> {
    entry.descriptor.benchmarks.iter()
}

/// The baseline's values, as the candidate's parameters.
fn params_of(benchmark: &BenchmarkInfo, values: &Params) -> Result<Params, ExpandError> {
    if let Some(name) = values.keys().find(|name| !benchmark.params.iter().any(|param| param.name == **name))
    {
        return Err(unknown_param(benchmark, name));
    }
    let resolved = benchmark.params.iter().map(|param| {
        let given = match values.get(&param.name) {
            Some(value) => serde_json::to_value(value).unwrap_or(Value::Null),
            None => param.default.clone(),
        };
        ParamValue::resolve(param, &given)
            .map(|value| (param.name.clone(), value))
            .map_err(|message| ExpandError::Value { benchmark: benchmark.name.clone(), message })
    });
    resolved.collect()
}

/// A benchmark of a file on a device.
pub(super) fn subject(resolved: &Resolved<'_>, device: DeviceInfo) -> Subject {
    let entry = resolved.entry;
    // A plugin of another contract is run all the same: the worker refuses it before any of its code runs, and the case
    // fails with the sentence that names both sides. Skipping it would turn a stale plugin into a green run.
    let publisher = entry.signature.publisher().map(str::to_owned);
    let asking = Asking { capabilities: entry.descriptor.capabilities.clone(), publisher };
    Subject::new(entry.plugin(), entry.path.clone(), entry.size, resolved.benchmark, asking, device)
}

/// Every combination of the given values, the last parameter varying fastest.
fn combinations(
    request: &CaseRequest,
    benchmark: &BenchmarkInfo,
    is_glob: bool,
) -> Result<Vec<Params>, ExpandError> {
    for name in request.params.keys() {
        if !is_glob && !benchmark.params.iter().any(|param| param.name == *name) {
            return Err(unknown_param(benchmark, name));
        }
    }
    let mut all = vec![Params::new()];
    for param in &benchmark.params {
        let default = [param.default.clone()];
        let given: &[Value] = request.params.get(&param.name).map_or(&default, Vec::as_slice);
        if all.len().saturating_mul(given.len()) > MAX_CASES {
            return Err(ExpandError::TooMany);
        }
        let values = given
            .iter()
            .map(|value| ParamValue::resolve(param, value))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|message| ExpandError::Value { benchmark: benchmark.name.clone(), message })?;
        all = all
            .iter()
            .flat_map(|params| {
                values.iter().map(|value| {
                    let mut params = params.clone();
                    params.insert(param.name.clone(), value.clone());
                    params
                })
            })
            .collect();
    }
    Ok(all)
}

fn unknown_param(benchmark: &BenchmarkInfo, name: &str) -> ExpandError {
    let names: Vec<&str> = benchmark.params.iter().map(|param| param.name.as_str()).collect();
    let known = match names
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)))
    {
        None => "it has none".to_owned(),
        Some(near) if strsim::jaro_winkler(near, name) > 0.8 => {
            format!("did you mean `{near}`? It has {}", names.join(", "))
        }
        Some(_) => format!("it has {}", names.join(", ")),
    };
    ExpandError::Param { benchmark: benchmark.name.clone(), name: name.to_owned(), known }
}

#[cfg(test)]
mod tests {
    use dyno_core::model::{DeviceKind, EngineChoice};
    use serde_json::json;

    use super::*;

    fn benchmark() -> BenchmarkInfo {
        serde_json::from_value(json!({
            "name": "gemm", "hardware": ["cpu"],
            "params": [
                {"name": "n", "type": "integer", "default": 256, "min": 1, "max": 8192},
                {"name": "dtype", "type": "enum", "default": "f32", "choices": ["f32", "f64"]},
            ],
        }))
        .unwrap()
    }

    fn request(params: Value) -> CaseRequest {
        CaseRequest {
            benchmark: "gemm".into(),
            params: serde_json::from_value(params).unwrap(),
            hardware: vec!["cpu".into()],
            engine: EngineChoice::Auto,
            sha256: None,
        }
    }

    fn shown(params: Value) -> Result<Vec<String>, String> {
        let all = combinations(&request(params), &benchmark(), false).map_err(|error| error.to_string())?;
        Ok(all.iter().map(|p| format!("{} {}", p["n"], p["dtype"])).collect())
    }

    #[test]
    fn lists_make_a_cartesian_product_and_defaults_fill_the_rest() {
        assert_eq!(shown(json!({})).unwrap(), ["256 f32"]);
        assert_eq!(
            shown(json!({"n": ["1", 2], "dtype": ["f32", "f64"]})).unwrap(),
            ["1 f32", "1 f64", "2 f32", "2 f64"]
        );
    }

    #[test]
    fn mistakes_name_the_parameter() {
        let message = shown(json!({"n": ["-1"]})).unwrap_err();
        assert!(message.contains("`n`") && message.contains("integer") && message.contains("from 1 to 8192"));
        let message = shown(json!({"dtyp": ["f32"]})).unwrap_err();
        assert!(message.contains("no parameter `dtyp`; did you mean `dtype`?"), "{message}");
    }

    #[test]
    fn all_devices_are_those_that_the_benchmark_runs_on_and_each_is_there_once() {
        let devices = [
            DeviceInfo::new(DeviceKind::Cpu, 0),
            DeviceInfo::new(DeviceKind::Cuda, 0),
            DeviceInfo::unavailable(DeviceKind::Rocm, "no AMD ROCm"),
        ];
        let mut benchmark = benchmark();
        let mut named = |hardware: &[&str], asked: &[&str]| -> Vec<String> {
            benchmark.hardware = hardware.iter().map(|kind| (*kind).to_owned()).collect();
            let mut request = request(json!({}));
            request.hardware = asked.iter().map(|name| (*name).to_owned()).collect();
            let found = super::hardware(&request, &benchmark, &devices).unwrap();
            found.into_iter().map(|device| device.name).collect()
        };
        assert_eq!(named(&["cpu", "rocm"], &["all"]), ["cpu", "rocm"]);
        assert_eq!(named(&["cpu"], &["cpu", "cuda", "cuda:0", "all"]), ["cpu", "cuda:0"]);
    }

    #[test]
    fn a_product_that_explodes_is_refused() {
        let many: Vec<Value> = (1..=8192).map(Value::from).collect();
        let spec = request(json!({"n": many, "dtype": vec!["f32"; 100]}));
        assert!(matches!(combinations(&spec, &benchmark(), false), Err(ExpandError::TooMany)));
    }
}
