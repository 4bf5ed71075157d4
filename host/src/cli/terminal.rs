//! The terminal: its current width, whether bars can be drawn on it, and text folded to its width.

use std::{env, io::IsTerminal};

use unicode_width::UnicodeWidthStr;

/// Width of tables if neither a terminal nor `COLUMNS` gives one [columns].
const FOR_FILES: usize = 120;
/// Width of a terminal that does not report its own [columns].
const FOR_TERMINALS: usize = 80;
/// Minimum width: nothing readable fits into less [columns].
const LEAST: usize = 20;
/// Maximum width: more is a mistake in `COLUMNS`, and every line would be padded to it [columns].
const MOST: usize = 10_000;

/// Width of standard output [columns]: that of the terminal, asked each time because it may be resized, otherwise
/// `COLUMNS`. `None` for a file or a pipe without `COLUMNS`.
pub(super) fn known_width() -> Option<usize> {
    let is_terminal = std::io::stdout().is_terminal();
    let asked = is_terminal
        .then(|| rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok())
        .flatten()
        .map(|size| usize::from(size.ws_col));
    let said = || env::var("COLUMNS").ok()?.trim().parse().ok();
    let width = asked.filter(|columns| *columns > 0).or_else(said).filter(|columns| *columns > 0);
    width.or(is_terminal.then_some(FOR_TERMINALS)).map(|columns| columns.clamp(LEAST, MOST))
}

/// Columns that a table may take.
pub(super) fn width() -> usize {
    known_width().unwrap_or(FOR_FILES)
}

/// Whether bars can be drawn on standard error: it is a terminal that can move its cursor. Elsewhere plain lines are
/// written.
pub(super) fn can_draw() -> bool {
    let can_move = env::var("TERM").is_ok_and(|kind| !matches!(kind.trim(), "" | "dumb" | "unknown"));
    can_move && std::io::stderr().is_terminal()
}

/// Width of a text [columns].
pub(super) fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Text folded to the terminal's width; unchanged in a file, where `grep` needs whole lines.
pub(super) fn folded(text: &str) -> String {
    match known_width() {
        Some(width) => fold(text, width),
        None => text.to_owned(),
    }
}

/// Breaks lines that are longer than `width`, never inside a value, and indents what follows.
pub(super) fn fold(text: &str, width: usize) -> String {
    let lines = text.split('\n').map(|line| {
        if columns(line) <= width {
            return line.to_owned();
        }
        let indent = hanging(line).min(width / 2);
        let mut parts = wrap(line, width, width.saturating_sub(indent)).into_iter();
        let mut out = parts.next().unwrap_or_default();
        for part in parts {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            out.push_str(&part);
        }
        out
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Where the lines begin that continue a line: below the text behind its first gap, as of a list of words with
/// explanations; else a little further in than the line itself.
fn hanging(line: &str) -> usize {
    let lead = line.len() - line.trim_start_matches(' ').len();
    let rest = &line[lead..];
    match rest.find("  ") {
        Some(gap) if !rest[..gap].contains(' ') => {
            let behind = &rest[gap..];
            columns(&line[..lead + gap]) + behind.len() - behind.trim_start_matches(' ').len()
        }
        _ => lead + 2,
    }
}

/// Splits a text into lines of at most `first` columns, then `others`. Breaks at spaces, but not inside a value with its
/// unit or its interval; only what is longer than a line is broken anywhere.
pub(super) fn wrap(text: &str, first: usize, others: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        let mut room = if lines.is_empty() { first } else { others }.max(1);
        let word = piece.trim_start_matches(' ');
        if columns(&line) + columns(piece) <= room {
            line.push_str(piece);
            continue;
        }
        if !line.trim().is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            room = others.max(1);
        }
        line.clear();
        let mut rest = word;
        while columns(rest) > room {
            let (head, tail) = split_at_column(rest, room);
            lines.push(head.to_owned());
            rest = tail;
            room = others.max(1);
        }
        line.push_str(rest);
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The beginning of a text that fits into `width` columns, with `…` if the rest was cut off.
pub(super) fn clip(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let (head, _) = split_at_column(text, width.saturating_sub(1).max(1));
    format!("{}…", head.trim_end())
}

/// The longest beginning that fits, at least one character, and the rest.
fn split_at_column(text: &str, width: usize) -> (&str, &str) {
    let mut end = 0;
    for (at, character) in text.char_indices() {
        let next = at + character.len_utf8();
        if end > 0 && columns(&text[..next]) > width {
            break;
        }
        end = next;
    }
    text.split_at(end)
}

/// The pieces between which a line may be broken, each with the spaces in front of it.
fn pieces(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut last_word = "";
    // Whether a command in backquotes has begun and not ended.
    let mut in_code = false;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let word_at = at + rest.len() - rest.trim_start_matches(' ').len();
        let word_end = text[word_at..].find(' ').map_or(text.len(), |space| word_at + space);
        let word = &text[word_at..word_end];
        if at > start && !(word_at == at + 1 && (in_code || belongs(last_word, word))) {
            out.push(&text[start..at]);
            start = at;
        }
        if word.matches('`').count() % 2 == 1 {
            in_code = !in_code && text[word_end..].contains('`');
        }
        last_word = word;
        at = word_end;
    }
    out.push(&text[start..]);
    out
}

/// Whether two words are one value: a number and its unit, a value and its interval. // eg: `1.2` `µs`, `±` `10`, `%)`
fn belongs(before: &str, after: &str) -> bool {
    const JOINTS: [&str; 3] = ["±", "×", "…"];
    let is_number = before.ends_with(|c: char| c.is_ascii_digit()) && !before.contains('=');
    JOINTS.contains(&before)
        || JOINTS.contains(&after)
        || after.starts_with('%')
        || is_number && after.starts_with(|c: char| c.is_alphabetic() || matches!(c, 'µ' | '°'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_never_broken() {
        let line = "improved     sum n=4 time: 1.234 µs → 1.200 µs  -2.75 % (-3.10 … -2.41 %)";
        for width in 30..80 {
            let folded = fold(line, width);
            assert!(folded.lines().all(|line| columns(line) <= width), "{width}:\n{folded}");
            for value in ["1.234 µs", "1.200 µs", "-2.75 %"] {
                assert!(folded.contains(value), "{width}:\n{folded}");
            }
        }
        assert_eq!(wrap("took 12.3 µs ± 10 % and more", 16, 16), ["took", "12.3 µs ± 10 %", "and more"]);
    }

    #[test]
    fn what_continues_a_line_stands_below_its_text() {
        assert_eq!(
            fold("good     load: nothing else runs", 22),
            "good     load: nothing\n         else runs"
        );
        assert_eq!(fold("  one two three four", 12), "  one two\n    three\n    four");
        assert_eq!(fold("short", 20), "short");
        assert_eq!(fold("then try `dyno doctor` here", 18), "then try\n  `dyno doctor`\n  here");
    }

    #[test]
    fn what_is_cut_off_says_so() {
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(clip("abcdefg", 6), "abcde…");
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_nothing_is_lost(text in "[a-zäµ日0-9%± \n]{0,200}", width in 4usize..60) {
            let folded = fold(&text, width);
            prop_assert!(folded.split('\n').all(|line| columns(line) <= width));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&folded), letters(&text));
        }
    }
}
