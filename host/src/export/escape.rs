//! Untrusted text, made harmless for Markdown, XML and HTML, JSON and OpenMetrics: it must not become
//! structure, links, mentions or tricks. What characters may do at all, [`dyno_core::text`] decides.

use dyno_core::text::{NAME, SENTENCE, Shown, visible};
use serde_json::Value;

/// A sentence on one line of Markdown, also inside a table: a reason, a remark.
pub(super) fn inline(text: &str) -> String {
    markdown(text, SENTENCE)
}

/// A name on one line of Markdown, also inside a table: a label with its parameters, a tag.
#[must_use]
pub fn name(text: &str) -> String {
    markdown(text, NAME)
}

fn markdown(text: &str, most: usize) -> String {
    let text = Shown::at_most(text, most).to_string();
    let text = text.trim();
    let mut out = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut is_first_word_a_number = true;
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '#' => {
                out.push_str("\\#");
                // A reference to an issue would tell its readers; a word joiner stops it.
                if rest.starts_with(|next: char| next.is_ascii_digit()) {
                    out.push('\u{2060}');
                }
            }
            // At the beginning of a line these make lists, rules, headings and commands of workflows.
            '-' | '+' | '=' | '_' | ':' if at == 0 => {
                out.push('\\');
                out.push(c);
            }
            '.' | ')' if is_first_word_a_number && at > 0 && (rest.is_empty() || rest.starts_with(' ')) => {
                out.push('\\');
                out.push(c);
            }
            // Inside a word it emphasises nothing, and names with it stay readable.
            '_' if !previous.is_alphanumeric() => out.push_str("\\_"),
            // A mention notifies people where the report becomes a comment.
            '@' => out.push_str("@\u{2060}"),
            // An address would become a link to an untrusted page.
            ':' if rest.starts_with("//") => out.push_str(":\u{2060}"),
            '.' if is_www(&out) => {
                out.push_str("\u{2060}.");
            }
            c => out.push(c),
        }
        is_first_word_a_number &= c.is_ascii_digit();
        previous = c;
    }
    out
}

/// Whether a text ends in what begins an address without a scheme.
fn is_www(text: &str) -> bool {
    text.len().checked_sub(3).and_then(|at| text.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

/// Lines as a block of code, whose fence is longer than any run of backticks inside.
pub(super) fn block(lines: &[String]) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut out = format!("{fence}text\n");
    for line in lines {
        out.push_str(&Shown::at_most(line, SENTENCE).to_string());
        out.push('\n');
    }
    out + &fence + "\n"
}

/// Text inside XML or HTML, also inside an attribute. Characters that XML 1.0 cannot hold are among those that are never
/// shown.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().map(visible) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A document in JSON, on one line.
pub(super) fn json(document: &Value) -> String {
    dyno_core::text::json(&document.to_string()) + "\n"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn structure_becomes_text() {
        for (text, expected) in [
            ("a|b", "a\\|b"),
            ("a\n# b", "a\u{fffd}\\# b"),
            ("stream_triad _x_", "stream_triad \\_x_"),
            ("<script>", "\\<script\\>"),
            ("@team", "@\u{2060}team"),
            ("fixes #12", "fixes \\#\u{2060}12"),
            ("a\u{202e}b", "a\u{fffd}b"),
            ("- a", "\\- a"),
            ("1. a", "1\\. a"),
            ("1.5 µs", "1.5 µs"),
            ("===", "\\==="),
            ("    code", "code"),
            ("https://example.org", "https:\u{2060}//example.org"),
            ("50 ± 1.5 &", "50 ± 1.5 \\&"),
            ("see www.example.org", "see www\u{2060}.example.org"),
        ] {
            assert_eq!(inline(text), expected);
        }
        assert!(name(&"x".repeat(20_000)).chars().count() == NAME);
        let lines = vec!["```".to_owned(), "a````b\n".to_owned()];
        assert_eq!(block(&lines), "`````text\n```\na````b\u{fffd}\n`````\n");
    }

    proptest! {
        #[test]
        fn text_stays_in_its_place(text in any::<String>(), more in "[`|#<\n a\\\\w.:/]*") {
            for text in [&text, &more] {
                let line = inline(text);
                prop_assert!(!line.chars().any(char::is_control));
                // Every bar is escaped: it ends no cell.
                let mut chars = line.chars();
                while let Some(c) = chars.next() {
                    prop_assert!(c != '|' && c != '<' && c != '`', "{line}");
                    if c == '\\' {
                        chars.next();
                    }
                }
                let block = block(std::slice::from_ref(text));
                let fence = block.lines().next().unwrap().trim_end_matches("text").to_owned();
                prop_assert_eq!(block.lines().count(), 3);
                prop_assert!(!block.lines().nth(1).unwrap().contains(&fence));
            }
        }
    }
}
