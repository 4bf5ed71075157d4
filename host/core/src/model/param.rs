//! Parameter values: parsed once from flags, suites or REST into the type that the descriptor declares.

use std::{borrow::Cow, fmt};

use dyno_plugin_api::descriptor::{ParamInfo, ParamKind};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The parameters of a case, in the order of the descriptor.
pub type Params = IndexMap<String, ParamValue>;

/// One parameter value. In JSON it is the plain value: `512`, `0.5`, `true`, `"f32"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub enum ParamValue {
    /// A signed integer.
    Integer(i64),
    /// A finite float.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A string, or one of the choices of an enum.
    Text(String),
}

impl ParamValue {
    /// Reads a value as the type of a parameter and checks its range. A flag gives every value as text; JSON gives it
    /// typed; both are accepted.
    ///
    /// # Errors
    /// A sentence that names the parameter, its type and range, and the value that was given.
    pub fn resolve(param: &ParamInfo, given: &Value) -> Result<Self, String> {
        let typed = match (param.kind, given) {
            (ParamKind::Integer, Value::String(text)) => parse_integer(text).map(Value::from),
            (ParamKind::Float, Value::String(text)) => {
                text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Value::Number)
            }
            (ParamKind::Bool, Value::String(text)) => text.parse::<bool>().ok().map(Value::Bool),
            (ParamKind::String | ParamKind::Enum, Value::Number(_) | Value::Bool(_)) => {
                Some(Value::String(given.to_string()))
            }
            _ => Some(given.clone()),
        };
        let refused = || {
            let shown = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
            let unit = if param.unit.is_empty() { String::new() } else { format!(" [{}]", param.unit) };
            format!(
                "parameter `{}` ({}{unit}) cannot be `{shown}`: give {}",
                param.name,
                param.kind,
                param.allowed()
            )
        };
        let typed = typed.ok_or_else(refused)?;
        param.admits(&typed).map_err(|_| refused())?;
        match (param.kind, typed) {
            (ParamKind::Integer, Value::Number(number)) => number.as_i64().map(Self::Integer),
            (ParamKind::Float, Value::Number(number)) => number.as_f64().map(Self::Float),
            (ParamKind::Bool, Value::Bool(flag)) => Some(Self::Bool(flag)),
            (ParamKind::String | ParamKind::Enum, Value::String(text)) => Some(Self::Text(text)),
            _ => None,
        }
        .ok_or_else(refused)
    }
}

/// Decimal, or with `_` between digits, or a power of two written as `2^10`.
fn parse_integer(text: &str) -> Option<i64> {
    if let Some(exponent) = text.strip_prefix("2^") {
        return exponent.parse::<u32>().ok().filter(|exponent| *exponent < 63).map(|exponent| 1 << exponent);
    }
    text.replace('_', "").parse().ok()
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl From<ParamValue> for Value {
    fn from(value: ParamValue) -> Self {
        match value {
            ParamValue::Integer(value) => value.into(),
            ParamValue::Float(value) => value.into(),
            ParamValue::Bool(value) => value.into(),
            ParamValue::Text(value) => value.into(),
        }
    }
}

impl TryFrom<Value> for ParamValue {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Bool(value) => Ok(Self::Bool(value)),
            Value::String(value) => Ok(Self::Text(value)),
            Value::Number(number) if number.is_i64() => {
                Ok(Self::Integer(number.as_i64().unwrap_or_default()))
            }
            Value::Number(number) => number
                .as_f64()
                .filter(|value| value.is_finite())
                .map(Self::Float)
                .ok_or_else(|| format!("`{number}` is out of range")),
            other => Err(format!("a parameter value is a number, a bool or a text, not `{other}`")),
        }
    }
}

impl JsonSchema for ParamValue {
    fn schema_name() -> Cow<'static, str> {
        "ParamValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["integer", "number", "boolean", "string"]})
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn integer() -> ParamInfo {
        serde_json::from_value(json!(
            {"name": "n", "type": "integer", "default": 256, "min": 1, "max": 8192, "unit": "rows"}
        ))
        .unwrap()
    }

    #[test]
    fn a_refusal_names_parameter_type_range_and_value() {
        for (given, shown) in
            [(json!("-1"), "-1"), (json!("abc"), "abc"), (json!(9000), "9000"), (json!(1.5), "1.5")]
        {
            let message = ParamValue::resolve(&integer(), &given).unwrap_err();
            assert_eq!(
                message,
                format!("parameter `n` (integer [rows]) cannot be `{shown}`: give an integer from 1 to 8192")
            );
        }
    }

    #[test]
    fn text_and_typed_values_agree() {
        for given in [json!("512"), json!(512), json!("2^9"), json!("5_12")] {
            assert_eq!(ParamValue::resolve(&integer(), &given), Ok(ParamValue::Integer(512)));
        }
    }

    proptest! {
        #[test]
        fn json_round_trip(value in prop_oneof![
            any::<i64>().prop_map(ParamValue::Integer),
            any::<bool>().prop_map(ParamValue::Bool),
            ".*".prop_map(ParamValue::Text),
            // A whole float may read back as an integer: the type of the parameter decides, not the text.
            (-1_000_000..1_000_000i32).prop_map(|x| ParamValue::Float(f64::from(x) + 0.5)),
        ]) {
            let text = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<ParamValue>(&text).unwrap(), value);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = ParamValue::resolve(&integer(), &Value::String(text));
        }
    }
}
