//! One typed parameter of a benchmark: what it allows, and on what hardware.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::printable;

/// One typed parameter of a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParamInfo {
    /// Letters, digits and `_`, starting with a letter; unique in the benchmark.
    pub name: String,
    /// Type of the value.
    #[serde(rename = "type")]
    pub kind: ParamKind,
    /// Default value; inside the range.
    pub default: Value,
    /// Smallest value, for integers and floats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Value>,
    /// Largest value, for integers and floats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Value>,
    /// The allowed values; required for an enum, allowed for integers, floats and strings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<Value>>,
    /// Those of the choices that there are on a kind of hardware, where it has not all of them. // eg: {"cpu": ["fp32", "int8"]}
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub choices_on: BTreeMap<String, Vec<Value>>,
    /// Unit of the value. // eg: "elements"
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// One sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParamKind {
    /// A signed 64-bit integer.
    Integer,
    /// A finite 64-bit float.
    Float,
    /// `true` or `false`.
    Bool,
    /// Any text.
    String,
    /// One of a fixed set of texts.
    Enum,
}

impl fmt::Display for ParamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Enum => "enum",
        })
    }
}

impl ParamInfo {
    pub(crate) fn check(&self) -> Result<(), String> {
        let numeric = matches!(self.kind, ParamKind::Integer | ParamKind::Float);
        for (field, bound) in [("min", &self.min), ("max", &self.max)] {
            let Some(bound) = bound else { continue };
            if !numeric {
                return Err(format!("{field} is only for integer and float, not for {}", self.kind));
            }
            if !self.has_type(bound) {
                return Err(format!("{field} {bound} is not of type {}", self.kind));
            }
        }
        match &self.choices {
            None if self.kind == ParamKind::Enum => return Err("an enum needs choices".to_owned()),
            Some(choices) if choices.is_empty() => return Err("choices is empty".to_owned()),
            Some(choices) => {
                if let Some(wrong) = choices.iter().find(|choice| !self.has_type(choice)) {
                    return Err(format!("choice {wrong} is not of type {}", self.kind));
                }
            }
            None => {}
        }
        match self.admits(&self.default) {
            Ok(()) => Ok(()),
            Err(why) => Err(format!("default {} is not allowed: {why}", self.default)),
        }
    }

    pub(crate) fn check_choices_on(&self, hardware: &[String]) -> Result<(), String> {
        for (kind, choices) in &self.choices_on {
            let shown = printable(kind);
            if !hardware.contains(kind) {
                return Err(format!("choices_on names `{shown}`, which is not in hardware"));
            }
            if choices.is_empty() {
                return Err(format!("choices_on has no choice for `{shown}`"));
            }
            let all = self.choices.as_deref().unwrap_or_default();
            if let Some(wrong) = choices.iter().find(|choice| !self.is_among(choice, all)) {
                return Err(format!("choices_on has {wrong} for `{shown}`, which is not among choices"));
            }
        }
        Ok(())
    }

    fn is_among(&self, value: &Value, choices: &[Value]) -> bool {
        choices.iter().any(|choice| match self.kind {
            ParamKind::Float => choice.as_f64() == value.as_f64(),
            _ => choice == value,
        })
    }

    /// The choices on a kind of hardware; `None` if this parameter has no fixed set of values.
    #[must_use]
    pub fn choices_for(&self, hardware: &str) -> Option<&[Value]> {
        self.choices_on.get(hardware).or(self.choices.as_ref()).map(Vec::as_slice)
    }

    /// Why a value that this parameter admits is not one on a kind of hardware; `None` if it is. // eg:
    /// "precision=fp16 does not run on cpu, where it can be fp32, int8"
    #[must_use]
    pub fn lacks(&self, value: &Value, hardware: &str) -> Option<String> {
        let choices = self.choices_on.get(hardware)?;
        let word = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let list: Vec<String> = choices.iter().map(word).collect();
        (!self.is_among(value, choices)).then(|| {
            format!(
                "{}={} does not run on {hardware}, where it can be {}",
                self.name,
                word(value),
                list.join(", ")
            )
        })
    }

    fn has_type(&self, value: &Value) -> bool {
        match self.kind {
            ParamKind::Integer => value.is_i64(),
            ParamKind::Float => value.as_f64().is_some_and(f64::is_finite),
            ParamKind::Bool => value.is_boolean(),
            ParamKind::String | ParamKind::Enum => value.is_string(),
        }
    }

    /// Whether a value has the type of this parameter and lies in its range.
    ///
    /// # Errors
    /// A sentence that says what is allowed, from [`ParamInfo::allowed`].
    pub fn admits(&self, value: &Value) -> Result<(), String> {
        let inside = |bound: &Option<Value>, ordered: fn(f64, f64) -> bool| {
            bound.as_ref().is_none_or(|bound| match (value.as_i64(), bound.as_i64()) {
                // Integers are compared as integers: above 2^53 a float cannot tell neighbours apart.
                (Some(value), Some(bound)) if value != bound => {
                    ordered(if value < bound { 0.0 } else { 1.0 }, 0.5)
                }
                (Some(_), Some(_)) => true,
                _ => value.as_f64().zip(bound.as_f64()).is_some_and(|(value, bound)| ordered(value, bound)),
            })
        };
        let good = self.has_type(value)
            && inside(&self.min, |value, min| value >= min)
            && inside(&self.max, |value, max| value <= max)
            && self.choices.as_ref().is_none_or(|choices| self.is_among(value, choices));
        if good { Ok(()) } else { Err(self.allowed()) }
    }

    /// What this parameter allows, for people. // eg: "an integer from 1 to 8192"
    #[must_use]
    pub fn allowed(&self) -> String {
        if let Some(choices) = &self.choices {
            let list: Vec<String> = choices
                .iter()
                .map(|choice| choice.as_str().map_or(choice.to_string(), str::to_owned))
                .collect();
            return format!("one of {}", list.join(", "));
        }
        let noun = match self.kind {
            ParamKind::Integer => "an integer",
            ParamKind::Float => "a finite float",
            ParamKind::Bool => "true or false",
            ParamKind::String | ParamKind::Enum => "a text",
        };
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => format!("{noun} from {min} to {max}"),
            (Some(min), None) => format!("{noun} of at least {min}"),
            (None, Some(max)) => format!("{noun} of at most {max}"),
            (None, None) => noun.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn large_integers_are_compared_exactly() {
        let param = ParamInfo {
            name: "n".into(),
            kind: ParamKind::Integer,
            default: json!(1),
            min: None,
            max: Some(json!(i64::MAX - 1)),
            choices: None,
            choices_on: BTreeMap::new(),
            unit: String::new(),
            description: String::new(),
        };
        assert!(param.admits(&json!(i64::MAX - 1)).is_ok());
        assert!(param.admits(&json!(i64::MAX)).is_err());
        assert!(param.admits(&json!(1.5)).is_err());
    }
}
