//! JSON as other tools write it: C++ and Python write `NaN`, `inf` or `2%`, which JSON does not have.

use serde_json::Value;

use super::ImportError;

/// The document, with `null` for whatever looks like a number and is not one in JSON.
pub(super) fn parse(text: &str) -> Result<Value, ImportError> {
    // Some tools begin with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&lenient(text))).map_err(ImportError::Json)
}

/// A number that can be compared.
pub(super) fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

/// A value as text: what is text stays as it is.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The text with `null` for everything inside lists and objects that begins like a number but is not JSON, such as
/// `NaN`, `-inf`, `1.#IND`, `2%` or `1e999`. Text inside quotes stays as it is.
fn lenient(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_i64);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !quoted && depth > 0 && begins_like_a_number(rest) {
            let end = rest.find(|c: char| c.is_whitespace() || "{}[],:\"".contains(c)).unwrap_or(rest.len());
            let (token, after) = rest.split_at(end);
            let is_number = serde_json::from_str::<serde_json::Number>(token).is_ok();
            out.push_str(if is_number { token } else { "null" });
            rest = after;
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth -= 1,
            _ => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Whether a number, or a word such as `NaN`, could begin here.
fn begins_like_a_number(rest: &str) -> bool {
    let unsigned = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    let begins = |word: &str| unsigned.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
    unsigned.len() < rest.len()
        || unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || begins("nan")
        || begins("inf")
}
