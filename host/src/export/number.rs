//! Numbers as programs read them. Infinity and NaN are absent in every format.

use serde_json::Value;

/// The shortest text that reads back as the same number; `None` for infinity and NaN.
pub(super) fn number(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    // Adding zero takes the sign from a zero. Long runs of zeros are written as a power of ten.
    let value = value + 0.0;
    let is_plain = value == 0.0 || (1e-9..1e17).contains(&value.abs());
    Some(if is_plain { value.to_string() } else { format!("{value:e}") })
}

/// The same in JSON, which has no infinity and no NaN either.
pub(super) fn json_number(value: f64) -> Option<Value> {
    serde_json::Number::from_f64(value).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_short_and_whole() {
        for (value, expected) in [
            (0.0, Some("0")),
            (-0.0, Some("0")),
            (-1.5, Some("-1.5")),
            (9_007_199_254_740_992.0, Some("9007199254740992")),
            (1e308, Some("1e308")),
            (5e-324, Some("5e-324")),
            (f64::NAN, None),
            (f64::NEG_INFINITY, None),
        ] {
            assert_eq!(number(value).as_deref(), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in any::<f64>()) {
            match number(value) {
                Some(text) => prop_assert_eq!(text.parse::<f64>(), Ok(value)),
                None => prop_assert!(!value.is_finite()),
            }
        }
    }
}
