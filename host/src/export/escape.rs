//! Text that came from plugins, made harmless for Markdown: it must not become structure, links, mentions or tricks.

/// Text on one line of Markdown, also inside a table.
pub(super) fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut previous = ' ';
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // Inside a word it emphasises nothing, and names with it stay readable.
            '_' if !previous.is_alphanumeric() => out.push_str("\\_"),
            // A mention notifies people where the report becomes a comment; a word joiner stops it.
            '@' => out.push_str("@\u{2060}"),
            c => out.push(plain(c)),
        }
        previous = c;
    }
    out
}

/// Lines as a block of code, whose fence is longer than any run of backticks inside.
pub(super) fn block(lines: &[String]) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut out = format!("{fence}text\n");
    for line in lines {
        out.extend(line.chars().map(plain));
        out.push('\n');
    }
    out + &fence + "\n"
}

/// Control characters would break lines; invisible ones and those that turn the direction of writing around would
/// show something else than is there.
fn plain(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// Text inside XML; characters that XML cannot hold are replaced.
pub(super) fn xml(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            c if c.is_control() => "\u{fffd}".to_owned(),
            c => c.to_string(),
        })
        .collect()
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
            ("a\u{202e}b", "a\u{fffd}b"),
        ] {
            assert_eq!(inline(text), expected);
        }
        let lines = vec!["```".to_owned(), "a````b\n".to_owned()];
        assert_eq!(block(&lines), "`````text\n```\na````b\u{fffd}\n`````\n");
    }

    proptest! {
        #[test]
        fn text_stays_in_its_place(text in any::<String>(), more in "[`|#<\n a]*") {
            for text in [&text, &more] {
                let line = inline(text);
                prop_assert!(!line.chars().any(char::is_control));
                // Every bar is escaped: it ends no cell.
                prop_assert_eq!(line.matches('|').count(), line.matches("\\|").count());
                let block = block(std::slice::from_ref(text));
                let fence = block.lines().next().unwrap().trim_end_matches("text").to_owned();
                prop_assert_eq!(block.lines().count(), 3);
                prop_assert!(!block.lines().nth(1).unwrap().contains(&fence));
            }
        }
    }
}
