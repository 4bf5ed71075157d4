//! JSON as other tools write it: C++ and Python write `NaN` and `Infinity`, which JSON does not have.

use std::borrow::Cow;

use serde_json::Value;

use super::ImportError;

/// What stands for numbers that JSON does not have. The longer ones come first.
const NO_NUMBERS: [&str; 4] = ["-Infinity", "Infinity", "-NaN", "NaN"];

/// The document; `null` where it holds no finite number.
pub(super) fn parse(text: &str) -> Result<Value, ImportError> {
    // Some tools begin with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(&finite(text)).map_err(ImportError::Json)
}

/// A number that can be compared.
pub(super) fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

/// The text with `null` for every token that is no finite number. Text inside quotes stays as it is.
fn finite(text: &str) -> Cow<'_, str> {
    if !text.contains("NaN") && !text.contains("Infinity") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !quoted && let Some(token) = NO_NUMBERS.iter().find(|token| rest.starts_with(**token)) {
            out.push_str("null");
            rest = &rest[token.len()..];
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(out)
}
