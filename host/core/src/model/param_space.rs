//! The values that a descriptor allows for the parameters of a benchmark: the defaults, the ends of the ranges, and any in
//! between.

use dyno_plugin_api::descriptor::{BenchmarkInfo, ParamInfo, ParamKind};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{ParamValue, Params};

/// The default of each parameter.
///
/// # Errors
/// When a default is not allowed, a sentence.
pub fn default_params(benchmark: &BenchmarkInfo) -> Result<Params, String> {
    let one = |param: &ParamInfo| {
        ParamValue::resolve(param, &param.default).map(|value| (param.name.clone(), value))
    };
    benchmark.params.iter().map(one).collect()
}

/// For each parameter its smallest value, its largest, and each of its choices, while the others have their defaults.
/// Defaults are left out. What has no end has none here.
///
/// # Errors
/// When the descriptor contradicts itself, a sentence.
pub fn extreme_params(benchmark: &BenchmarkInfo) -> Result<Vec<Params>, String> {
    let defaults = default_params(benchmark)?;
    let mut all = Vec::new();
    for param in &benchmark.params {
        let flags = [false.into(), true.into()];
        let values = match (&param.choices, param.kind) {
            (Some(choices), _) => choices.iter().collect(),
            (None, ParamKind::Bool) => flags.iter().collect(),
            (None, _) => param.min.iter().chain(&param.max).collect::<Vec<_>>(),
        };
        for value in values {
            let value = ParamValue::resolve(param, value)?;
            if defaults.get(&param.name) != Some(&value) {
                let mut params = defaults.clone();
                params.insert(param.name.clone(), value);
                all.push(params);
            }
        }
    }
    Ok(all)
}

/// Values at random, the same for the same seed. Numbers from zero on are spread over their orders of magnitude, so that most
/// are small; a range without an end has its default there.
///
/// # Errors
/// When the descriptor contradicts itself, a sentence.
pub fn random_params(benchmark: &BenchmarkInfo, seed: u64) -> Result<Params, String> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut params = default_params(benchmark)?;
    for param in &benchmark.params {
        let value = match (&param.choices, param.kind) {
            (Some(choices), _) if !choices.is_empty() => {
                ParamValue::resolve(param, &choices[random.random_range(0..choices.len())])?
            }
            (_, ParamKind::Bool) => ParamValue::Bool(random.random()),
            (_, ParamKind::Integer) => {
                let (low, high) = range(param, serde_json::Value::as_i64);
                let place = between(low as f64, high as f64, random.random());
                ParamValue::Integer((place.round() as i64).clamp(low, high))
            }
            (_, ParamKind::Float) => {
                let (low, high) = range(param, serde_json::Value::as_f64);
                ParamValue::Float(between(low, high, random.random()).clamp(low, high))
            }
            (_, ParamKind::String | ParamKind::Enum) => continue,
        };
        params.insert(param.name.clone(), value);
    }
    Ok(params)
}

/// The ends of a range, in order.
fn range<T: PartialOrd + Copy + Default>(
    param: &ParamInfo,
    read: impl Fn(&serde_json::Value) -> Option<T>,
) -> (T, T) {
    let default = read(&param.default).unwrap_or_default();
    let end = |value: &Option<serde_json::Value>| value.as_ref().and_then(&read).unwrap_or(default);
    let (low, high) = (end(&param.min), end(&param.max));
    if low <= high { (low, high) } else { (default, default) }
}

/// The number at a place from 0 to 1 of a range.
fn between(low: f64, high: f64, place: f64) -> f64 {
    if low < 0.0 {
        return low + (high - low) * place;
    }
    (low.ln_1p() + (high.ln_1p() - low.ln_1p()) * place).exp_m1()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn benchmark() -> BenchmarkInfo {
        serde_json::from_value(json!({
            "name": "gemm", "hardware": ["cpu"],
            "params": [
                {"name": "n", "type": "integer", "default": 256, "min": 1, "max": 8192},
                {"name": "dtype", "type": "enum", "default": "f32", "choices": ["f32", "f64"]},
                {"name": "shift", "type": "float", "default": 0.0, "min": -1.0, "max": 1.0},
                {"name": "cold", "type": "bool", "default": false},
                {"name": "open", "type": "integer", "default": 7},
                {"name": "label", "type": "string", "default": "x"},
            ],
        }))
        .unwrap()
    }

    #[test]
    fn the_ends_are_tried_one_parameter_at_a_time_and_defaults_are_not() {
        let defaults = default_params(&benchmark()).unwrap();
        let changed: Vec<String> = extreme_params(&benchmark())
            .unwrap()
            .iter()
            .map(|params| {
                let other = params.iter().filter(|(name, value)| defaults[*name] != **value);
                other.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
            })
            .collect();
        assert_eq!(changed, ["n=1", "n=8192", "dtype=f64", "shift=-1", "shift=1", "cold=true"]);
    }

    proptest! {
        #[test]
        fn random_values_are_allowed_and_the_seed_decides(seed: u64) {
            let benchmark = benchmark();
            let params = random_params(&benchmark, seed).unwrap();
            prop_assert_eq!(&params, &random_params(&benchmark, seed).unwrap());
            for param in &benchmark.params {
                let value = serde_json::to_value(&params[&param.name]).unwrap();
                prop_assert!(param.admits(&value).is_ok(), "{} = {}", param.name, value);
            }
        }
    }

    #[test]
    fn most_random_sizes_are_small_and_some_are_large() {
        let sizes: Vec<i64> = (0..400)
            .map(|seed| match random_params(&benchmark(), seed).unwrap()["n"] {
                ParamValue::Integer(n) => n,
                _ => unreachable!("it is an integer"),
            })
            .collect();
        assert!(sizes.iter().filter(|n| **n < 512).count() > 200 && sizes.iter().any(|n| *n > 4096));
    }
}
