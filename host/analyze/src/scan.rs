//! Looking at short pieces of source as text: words, brackets, lists. For the few functions that may be benchmarks,
//! in any language.

use std::ops::Range;

/// Longest text in brackets that is looked at [bytes]: brackets that never close must not cost the rest of the file each.
const LONGEST: usize = 64 << 10;

/// Whether a byte belongs to a name.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether a text occurs.
pub(crate) fn has(text: &[u8], part: &str) -> bool {
    memchr::memmem::find(text, part.as_bytes()).is_some()
}

/// The first of `parts` that occurs, by place.
pub(crate) fn first_of<'p>(text: &[u8], parts: &[&'p str]) -> Option<(usize, &'p str)> {
    parts
        .iter()
        .filter_map(|part| memchr::memmem::find(text, part.as_bytes()).map(|at| (at, *part)))
        .min_by_key(|found| found.0)
}

/// Every place of a whole word.
pub(crate) fn words<'t>(text: &'t [u8], word: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    memchr::memmem::find_iter(text, word).filter(move |at| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        let after = text.get(at + word.len());
        !word.is_empty()
            && before.is_none_or(|byte| !is_word(*byte))
            && after.is_none_or(|byte| !is_word(*byte))
    })
}

/// The inside of the brackets that open at `at`.
pub(crate) fn inside(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !matches!(text.get(at), Some(b'(' | b'[' | b'{')) {
        return None;
    }
    let mut depth = 0_u32;
    let mut quote = None;
    let mut place = at;
    while let Some(byte) = text.get(place).copied() {
        if place - at > LONGEST {
            return None;
        }
        match (quote, byte) {
            (Some(_), b'\\') => place += 1,
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"') => quote = Some(byte),
            // In Rust a single quote may be a lifetime.
            (None, b'\'') if closes_soon(text, place) => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1..place);
                }
            }
            _ => {}
        }
        place += 1;
    }
    None
}

fn closes_soon(text: &[u8], at: usize) -> bool {
    let line = text.get(at + 1..).unwrap_or_default();
    let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
    memchr::memchr(b'\'', &line[..end]).is_some()
}

/// The parts of a list between commas that stand in no brackets.
pub(crate) fn parts(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let (mut depth, mut quote, mut start, mut place) = (0_u32, None, 0, 0);
    let mut push = |range: Range<usize>| {
        let part = String::from_utf8_lossy(&text[range]).split_whitespace().collect::<Vec<_>>().join(" ");
        if !part.is_empty() {
            found.push(part);
        }
    };
    while let Some(byte) = text.get(place).copied() {
        match (quote, byte) {
            (Some(_), b'\\') => place += 1,
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"') => quote = Some(byte),
            (None, b'\'') if closes_soon(text, place) => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, b',') if depth == 0 => {
                push(start..place);
                start = place + 1;
            }
            _ => {}
        }
        place += 1;
    }
    push(start.min(text.len())..text.len());
    found
}

/// The value of a named argument in a list of them: `values=[1]` gives `[1]`.
pub(crate) fn named<'p>(parts: &'p [String], name: &str) -> Option<&'p str> {
    parts.iter().find_map(|part| {
        let (left, right) = part.split_once('=')?;
        (left.trim() == name).then_some(right.trim())
    })
}

/// The values of a written list, or the text as the only value.
pub(crate) fn values(text: &str) -> Vec<String> {
    let text = text.trim();
    let start = text.bytes().position(|byte| matches!(byte, b'[' | b'(' | b'{'));
    match start.and_then(|at| inside(text.as_bytes(), at)) {
        Some(range) if start == Some(0) && range.end + 1 == text.len() => parts(&text.as_bytes()[range]),
        _ => parts(text.as_bytes()),
    }
}

/// A string without its quotes.
pub(crate) fn unquoted(text: &str) -> String {
    let text = text.trim().trim_start_matches(['r', 'b', 'f']);
    let bare = text.trim_matches(['"', '\'']);
    if bare.len() == text.len() { String::new() } else { bare.to_owned() }
}

/// What a word is assigned at the beginning of a line: `params = [1, 2]`.
pub(crate) fn assigned(text: &[u8], word: &str) -> Option<String> {
    for at in words(text, word.as_bytes()) {
        let line = memchr::memrchr(b'\n', &text[..at]).map_or(0, |feed| feed + 1);
        if text[line..at].iter().any(|byte| !byte.is_ascii_whitespace()) {
            continue;
        }
        let after = at + word.len();
        let Some(equals) = text[after..].iter().position(|byte| *byte == b'=' || *byte == b'\n') else {
            continue;
        };
        let equals = after + equals;
        if text[equals] != b'=' || text.get(equals + 1) == Some(&b'=') {
            continue;
        }
        let start = equals + 1 + text[equals + 1..].iter().take_while(|byte| **byte == b' ').count();
        let end = match inside(text, start) {
            Some(range) => range.end + 1,
            None => memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |feed| start + feed),
        };
        return Some(String::from_utf8_lossy(&text[start..end]).trim().to_owned());
    }
    None
}

/// The names that are called in a text.
pub(crate) fn callees(text: &[u8]) -> Vec<&[u8]> {
    const NOT_CALLED: [&[u8]; 14] = [
        b"if", b"for", b"while", b"switch", b"return", b"range", b"in", b"and", b"or", b"not", b"print",
        b"sizeof", b"lambda", b"len",
    ];
    let mut found = Vec::new();
    for at in memchr::memchr_iter(b'(', text) {
        // A kernel has its grid before its arguments: `name<<<grid, block>>>(…)`.
        let launched = text[..at].ends_with(b">>>").then(|| memchr::memmem::rfind(&text[..at], b"<<<"));
        let end = launched.flatten().unwrap_or(at);
        let start = text[..end].iter().rposition(|byte| !is_word(*byte)).map_or(0, |place| place + 1);
        let name = &text[start..end];
        if !name.is_empty() && !NOT_CALLED.contains(&name) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_count() {
        let text = br#"f("a)", [1, (2)], 'x')"#;
        assert_eq!(inside(text, 1).map(|range| &text[range]), Some(br#""a)", [1, (2)], 'x'"#.as_slice()));
        assert_eq!(parts(br#""a,b", [1, 2], {3: 4}"#), [r#""a,b""#, "[1, 2]", "{3: 4}"]);
        assert_eq!(inside(b"(", 0), None);
        assert_eq!(inside(b"(\"\\", 0), None);
    }

    #[test]
    fn assigned_values_are_found_at_the_beginning_of_a_line() {
        let text = b"class A:\n    params = ([1,\n 2], ['a'])\n    x.params == 3\n";
        assert_eq!(assigned(text, "params").as_deref(), Some("([1,\n 2], ['a'])"));
        assert_eq!(assigned(text, "param_names"), None);
        assert_eq!(values("[1, 2]"), ["1", "2"]);
        assert_eq!(values("range(3)"), ["range(3)"]);
    }

    #[test]
    fn whole_words_only() {
        assert_eq!(words(b"t0 t at - t.x", b"t").collect::<Vec<_>>(), [3, 10]);
    }

    #[test]
    fn callees_are_names_before_brackets() {
        assert_eq!(callees(b"if (a) { b.run(x); k<<<1>>>(y) }"), [b"run".as_slice(), b"k"]);
    }
}
