//! Work that operators do: `a @ b` multiplies matrices without calling anything.

use crate::scan;

/// Operators that compute. Names stand on both sides, so neither counting (`i += 1`) nor an address is one.
const OPERATORS: [u8; 5] = [b'@', b'*', b'/', b'+', b'-'];

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation {
    /// Where its operator is.
    pub(super) at: usize,
    /// The operator.
    pub(super) operator: u8,
    /// The operation without spaces, to recognise it elsewhere.
    pub(super) text: Vec<u8>,
}

/// The operations of a text without comments and quotes.
pub(super) fn operations(text: &[u8]) -> Vec<Operation> {
    let mut found = Vec::new();
    for (at, operator) in text.iter().copied().enumerate().filter(|(_, byte)| OPERATORS.contains(byte)) {
        let spaced = |place: Option<usize>| place.and_then(|place| text.get(place)) == Some(&b' ');
        let assigns = text.get(at + 1) == Some(&b'=');
        // `*pointer`, `**named`, `->` and `//` have no spaces around.
        if operator != b'@' && !(spaced(at.checked_sub(1)) && spaced(Some(at + 1 + usize::from(assigns)))) {
            continue;
        }
        let left = text[..at].trim_ascii_end();
        // A decorator begins its line.
        if text[left.len()..at].contains(&b'\n') {
            continue;
        }
        let right = text[at + 1 + usize::from(assigns)..].trim_ascii_start();
        let (left, right) = (operand_before(left), operand_after(right));
        if !left.is_empty() && !right.is_empty() {
            found.push(Operation { at, operator, text: [left, &[operator], right].concat() });
        }
    }
    found
}

fn is_part(byte: u8) -> bool {
    scan::is_word(byte) || byte == b'.'
}

/// The name or closing bracket that a text ends with.
fn operand_before(text: &[u8]) -> &[u8] {
    if text.ends_with(b")") || text.ends_with(b"]") {
        return &text[text.len() - 1..];
    }
    let start = text.iter().rposition(|byte| !is_part(*byte)).map_or(0, |at| at + 1);
    name(&text[start..])
}

/// The name or opening bracket that a text begins with.
fn operand_after(text: &[u8]) -> &[u8] {
    if text.starts_with(b"(") {
        return &text[..1];
    }
    name(&text[..text.iter().position(|byte| !is_part(*byte)).unwrap_or(text.len())])
}

/// Numbers are no operands of interest.
fn name(text: &[u8]) -> &[u8] {
    if text.first().is_some_and(u8::is_ascii_digit) { &[] } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_have_names_on_both_sides() {
        let found = |text: &str| -> Vec<String> {
            let all = operations(text.as_bytes());
            all.iter().map(|one| String::from_utf8_lossy(&one.text).into_owned()).collect()
        };
        assert_eq!(found("c = a @ self.b\nd = x * y"), ["a@self.b", "x*y"]);
        assert_eq!(found("a@b; a @= b; c += d"), ["a@b", "a@b", "c+d"]);
        assert_eq!(found("@decorator\ndef f(*args, **named): i += 1; n * 2; p->x; int *p = &q"), [""; 0]);
    }
}
