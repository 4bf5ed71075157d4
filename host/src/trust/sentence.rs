//! How text that was not checked is shown inside a sentence.

/// Maximum number of characters that are shown.
const MOST: usize = 60;

/// The beginning of a text, without control characters.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().take(MOST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
