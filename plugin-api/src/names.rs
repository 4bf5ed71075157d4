//! Which names, texts and versions a descriptor takes. Pure: a text in, a sentence out where it is refused.

/// Checks the name of a plugin or of a benchmark.
pub(crate) fn identifier(what: &str, text: &str) -> Result<(), String> {
    let good = text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if good {
        return Ok(());
    }
    Err(format!(
        "{what} `{}` must start with a lower-case letter and hold only lower-case letters, digits, `-` and `_` \
         (at most 64)",
        printable(text)
    ))
}

/// Checks the name of a parameter or of a metric.
pub(crate) fn word(what: &str, text: &str) -> Result<(), String> {
    let good = text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if good {
        return Ok(());
    }
    Err(format!(
        "{what} `{}` must start with a letter and hold only letters, digits and `_` (at most 64)",
        printable(text)
    ))
}

/// Checks a short text about a model.
pub(crate) fn text(what: &str, text: &str) -> Result<(), String> {
    if (1..=64).contains(&text.chars().count()) && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(format!(
        "{what} `{}` must have 1 to 64 characters, none of them a control character",
        printable(text)
    ))
}

/// Whether a text is a semantic version.
pub(crate) fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    text.len() <= 64
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
        && core.split('.').count() == 3
        && core.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
}

/// The hash of a layout. // eg: `0x` and 16 hexadecimal digits
pub(crate) fn hash(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// Untrusted text, made safe for a terminal: no control characters, not too long.
pub(crate) fn printable(text: &str) -> String {
    let mut out: String =
        text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(80).is_some() {
        out.push('…');
    }
    out
}
