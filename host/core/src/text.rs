//! Untrusted text (names, parameters, tags, paths, output of plugins and tools) made safe to show: pure, and the only
//! place that decides which characters are allowed.

use std::fmt::{self, Display, Write};

/// Maximum length of a name on a line [characters]: a label with its parameters, a tag, a file.
pub const NAME: usize = 160;
/// Maximum length of a sentence on a line [characters]: a reason, a remark, a line of output.
pub const SENTENCE: usize = 2_000;
/// The replacement for a character that is not allowed.
pub const REPLACEMENT: char = '\u{fffd}';

/// A character as it may be shown: tabs become spaces. Characters that move the cursor, end a line, reverse the
/// direction of writing or are invisible become a replacement character, as do code points that are not characters.
#[must_use]
pub fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() || is_deceptive(c) => REPLACEMENT,
        c => c,
    }
}

/// Whether a character is invisible but changes the text around it. The joiners of emoji and of Indic and Persian words
/// (U+200C, U+200D) do this too, but text in these scripts needs them.
fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    ) || (c as u32) & 0xfffe == 0xfffe
}

/// Whether a text can be shown as it is, on one line.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    // Nearly all text is ASCII, of which many bytes are compared at a time if none ends the comparison.
    let is_printable_ascii = text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    is_printable_ascii || text.chars().all(|c| visible(c) == c)
}

/// Untrusted text on one line: no control characters, no line breaks, no invisible characters, and not longer than its
/// bound. Longer text is cut in the middle, because names differ at their ends.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    text: &'a str,
    most: usize,
}

/// A name on one line, at most [`NAME`] characters of it.
#[must_use]
pub fn shown(text: &str) -> Shown<'_> {
    Shown { text, most: NAME }
}

/// A sentence on one line, at most [`SENTENCE`] characters of it.
#[must_use]
pub fn sentence(text: &str) -> Shown<'_> {
    Shown { text, most: SENTENCE }
}

impl<'a> Shown<'a> {
    /// With another bound [characters], of which at least two are shown.
    #[must_use]
    pub fn at_most(text: &'a str, most: usize) -> Self {
        Self { text, most: most.max(2) }
    }
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A byte count under the bound spares counting characters.
        if self.text.len() <= self.most || self.text.chars().nth(self.most).is_none() {
            return self.text.chars().try_for_each(|c| f.write_char(visible(c)));
        }
        let tail = self.most / 3;
        let head = self.most - 1 - tail;
        self.text.chars().take(head).try_for_each(|c| f.write_char(visible(c)))?;
        f.write_char('…')?;
        let from = self.text.char_indices().rev().take(tail).last().map_or(self.text.len(), |(at, _)| at);
        self.text[from..].chars().try_for_each(|c| f.write_char(visible(c)))
    }
}

/// JSON with what a terminal or an editor must not get written as `\u…`: the same document, for such characters occur
/// inside of strings alone. Line breaks between its members stay.
#[must_use]
pub fn json(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        if c == '\n' || visible(c) == c {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

/// Bytes as hexadecimal digits, in lower case.
#[must_use]
pub fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    bytes.into_iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_is_seen_is_shown() {
        for (text, expected) in [
            ("gemm n=256", "gemm n=256"),
            ("\u{1b}[31mred\u{7}", "\u{fffd}[31mred\u{fffd}"),
            ("a\r\nb\tc", "a\u{fffd}\u{fffd}b c"),
            ("\u{9b}2J\u{7f}", "\u{fffd}2J\u{fffd}"),
            ("safe\u{202e}exe.\u{2066}", "safe\u{fffd}exe.\u{fffd}"),
            ("\u{fffe}\u{ffff}\u{1ffff}\u{feff}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("日本語 👩\u{200d}👩\u{200d}👧", "日本語 👩\u{200d}👩\u{200d}👧"),
        ] {
            assert_eq!(shown(text).to_string(), expected);
            assert_eq!(is_plain(text), text == expected, "{text:?}");
        }
    }

    #[test]
    fn long_text_keeps_both_ends() {
        let long = format!("text s={} (native, cpu)", "x".repeat(20_000));
        let cut = shown(&long).to_string();
        assert_eq!(cut.chars().count(), NAME);
        assert!(
            cut.starts_with("text s=xxx") && cut.ends_with("xxx (native, cpu)") && cut.contains('…'),
            "{cut}"
        );
        assert_eq!(Shown::at_most("äöüß", 4).to_string(), "äöüß");
        assert_eq!(Shown::at_most("äöüßä", 4).to_string(), "äö…ä");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_one_plain_line_within_its_bound(text in any::<String>(), most in 0usize..50) {
            for shown in [shown(&text), sentence(&text), Shown::at_most(&text, most)] {
                let line = shown.to_string();
                prop_assert!(is_plain(&line), "{line:?}");
                prop_assert!(line.chars().count() <= shown.most);
            }
        }

        #[test]
        fn json_stays_the_same_document(text in any::<String>(), more in "[\u{0}-\u{9f}\u{2028}\u{202e}\u{feff}\u{e0001}]*") {
            for text in [text, more] {
                let document = json(&serde_json::to_string_pretty(&[&text]).unwrap());
                prop_assert!(document.chars().all(|c| c == '\n' || visible(c) == c));
                prop_assert_eq!(serde_json::from_str::<[String; 1]>(&document).unwrap(), [text]);
            }
        }
    }
}
