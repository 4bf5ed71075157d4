//! Looking at short pieces of source as text: words, brackets, lists. For the few functions that may be benchmarks,
//! in any language.

use std::{collections::HashSet, ops::Range};

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

/// The first of `parts` that occurs and does not go on a name before it: `open(` is not in `reopen(` or `x.open(`.
pub(crate) fn first_named<'p>(text: &[u8], parts: &[&'p str]) -> Option<(usize, &'p str)> {
    first_named_if(text, parts, |_, _| true)
}

/// The first of them that counts.
pub(crate) fn first_named_if<'p>(
    text: &[u8],
    parts: &[&'p str],
    counts: impl Fn(usize, &str) -> bool,
) -> Option<(usize, &'p str)> {
    let begins = |part: &str, at: usize| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        part.starts_with('.') || before.is_none_or(|byte| !is_word(*byte) && *byte != b'.')
    };
    parts
        .iter()
        .filter_map(|part| {
            let mut places = memchr::memmem::find_iter(text, part.as_bytes());
            places.find(|at| begins(part, *at) && counts(*at, part)).map(|at| (at, *part))
        })
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
    for (place, byte) in outside_quotes(text, at).take_while(|(place, _)| place - at <= LONGEST) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1..place);
                }
            }
            _ => {}
        }
    }
    None
}

/// The bytes from `at` on that stand in no quotes, with their places.
fn outside_quotes(text: &[u8], at: usize) -> impl Iterator<Item = (usize, u8)> + '_ {
    let mut place = at;
    let mut quote = None;
    std::iter::from_fn(move || {
        while let Some(byte) = text.get(place).copied() {
            let here = place;
            place += 1;
            match quote {
                Some(_) if byte == b'\\' => place += 1,
                Some(open) if open == byte => quote = None,
                Some(_) => {}
                // In Rust a single quote may be a lifetime.
                None if byte == b'"' || byte == b'\'' && closes_soon(text, here) => quote = Some(byte),
                None => return Some((here, byte)),
            }
        }
        None
    })
}

fn closes_soon(text: &[u8], at: usize) -> bool {
    let line = text.get(at + 1..).unwrap_or_default();
    let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
    memchr::memchr(b'\'', &line[..end]).is_some()
}

/// The parts of a list between commas that stand in no brackets.
pub(crate) fn parts(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    let mut push = |range: Range<usize>| {
        let part = String::from_utf8_lossy(&text[range]).split_whitespace().collect::<Vec<_>>().join(" ");
        if !part.is_empty() {
            found.push(part);
        }
    };
    for (place, byte) in outside_quotes(text, 0) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                push(start..place);
                start = place + 1;
            }
            _ => {}
        }
    }
    push(start.min(text.len())..text.len());
    found
}

/// The parts of the list in the brackets that open at `at`.
pub(crate) fn listed(text: &[u8], at: usize) -> Option<Vec<String>> {
    inside(text, at).map(|range| parts(&text[range]))
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

/// Where a word is assigned something at the beginning of a line, and what: `params = [1, 2]`.
pub(crate) fn assignment(text: &[u8], word: &str) -> Option<(usize, String)> {
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
        return Some((at, String::from_utf8_lossy(&text[start..end]).trim().to_owned()));
    }
    None
}

/// The names that are called in a text, with the places of their brackets. A call that the text does not end is part of
/// what follows: in `report(now() - start)` nothing is called before the second reading.
pub(crate) fn calls(text: &[u8]) -> Vec<(usize, &[u8])> {
    const NOT_CALLED: [&[u8]; 14] = [
        b"if", b"for", b"while", b"switch", b"return", b"range", b"in", b"and", b"or", b"not", b"print",
        b"sizeof", b"lambda", b"len",
    ];
    let mut found = Vec::new();
    let open = unclosed(text);
    for at in memchr::memchr_iter(b'(', text).filter(|at| !open.contains(at)) {
        // A kernel has its grid before its arguments: `name<<<grid, block>>>(…)`.
        let launched = text[..at].ends_with(b">>>").then(|| memchr::memmem::rfind(&text[..at], b"<<<"));
        let end = launched.flatten().unwrap_or(at);
        let start = text[..end].iter().rposition(|byte| !is_word(*byte)).map_or(0, |place| place + 1);
        let name = &text[start..end];
        if !name.is_empty() && !NOT_CALLED.contains(&name) {
            found.push((at, name));
        }
    }
    found
}

/// The brackets of a text that open and do not close.
fn unclosed(text: &[u8]) -> HashSet<usize> {
    let mut open = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'(' => open.push(at),
            b')' => {
                open.pop();
            }
            _ => {}
        }
    }
    open.into_iter().collect()
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
        assert_eq!(assignment(text, "params"), Some((13, "([1,\n 2], ['a'])".to_owned())));
        assert_eq!(assignment(text, "param_names"), None);
        assert_eq!(values("[1, 2]"), ["1", "2"]);
        assert_eq!(values("range(3)"), ["range(3)"]);
    }

    #[test]
    fn whole_words_only() {
        assert_eq!(words(b"t0 t at - t.x", b"t").collect::<Vec<_>>(), [3, 10]);
    }

    #[test]
    fn callees_are_names_before_brackets() {
        let names = |text| calls(text).into_iter().map(|call| call.1).collect::<Vec<&[u8]>>();
        assert_eq!(names(b"if (a) { b.run(x); k<<<1>>>(y) }"), [b"run".as_slice(), b"k"]);
        assert_eq!(names(b"run(a(x)); report(b(y), "), [b"run".as_slice(), b"a", b"b"]);
    }

    #[test]
    fn a_name_begins_where_it_is_called() {
        assert_eq!(first_named(b"reopen(x) y.open(z)", &["open("]), None);
        assert_eq!(first_named(b"reopen(x); open(z)", &["open("]), Some((11, "open(")));
        assert_eq!(first_named(b"x.to(device)", &[".to(device"]), Some((1, ".to(device")));
    }
}
