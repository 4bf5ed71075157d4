//! Which lines of a file are code, comment or blank.

use std::ops::Range;

use crate::facts::Lines;

/// The lines of a text: where each starts, and how many lines of code come before it.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Lines of code before each line, and in all.
    code_before: Vec<u32>,
    total: Lines,
}

impl Rows {
    /// Sorts the lines of `source`; `comments` are the byte ranges of comments in order.
    pub(crate) fn new(source: &[u8], comments: &[Range<usize>]) -> Self {
        let mut code_before = Vec::with_capacity(source.len() / 24 + 2);
        let mut total = Lines::default();
        let mut next = 0;
        let mut start = 0;
        while start < source.len() {
            let end = memchr::memchr(b'\n', &source[start..]).map_or(source.len(), |at| start + at);
            code_before.push(total.code);
            total.total += 1;
            while comments.get(next).is_some_and(|comment| comment.end <= start) {
                next += 1;
            }
            let (mut at, mut commented, mut coded, mut comment) = (start, false, false, next);
            while at < end {
                match comments.get(comment) {
                    Some(range) if range.start <= at && at < range.end => {
                        commented = true;
                        at = range.end;
                        comment += 1;
                    }
                    range => {
                        let until = range.map_or(end, |range| range.start.clamp(at, end));
                        coded |= source[at..until].iter().any(|byte| !byte.is_ascii_whitespace());
                        at = until;
                        if at < end && range.is_none_or(|range| range.start > at) {
                            break;
                        }
                    }
                }
            }
            let text = source[start..end].iter().any(|byte| !byte.is_ascii_whitespace());
            total.blank += u32::from(!text);
            total.code += u32::from(coded);
            total.comment += u32::from(commented && text);
            start = end + 1;
        }
        code_before.push(total.code);
        Self { code_before, total }
    }

    /// The sums of the file.
    pub(crate) fn total(&self) -> Lines {
        self.total
    }

    /// Lines of code from line `first` to line `last`, both from 1.
    pub(crate) fn code(&self, first: u32, last: u32) -> u32 {
        let before = |row: u32| {
            let row = (row as usize).min(self.code_before.len().saturating_sub(1));
            self.code_before.get(row).copied().unwrap_or_default()
        };
        before(last).saturating_sub(before(first.saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_comment_and_blank_lines_are_told_apart() {
        let source = b"a = 1  # why\n\n# only\n/* one\n\n two */ b\nc\n";
        let find = |text: &str| {
            let text = text.as_bytes();
            let start = source.windows(text.len()).position(|window| window == text).unwrap_or_default();
            start..start + text.len()
        };
        let rows = Rows::new(source, &[find("# why"), find("# only"), find("/* one\n\n two */")]);
        assert_eq!(rows.total(), Lines { total: 7, code: 3, comment: 4, blank: 2 });
        assert_eq!(rows.code(1, 7), 3);
        assert_eq!(rows.code(6, 6), 1);
        assert_eq!(rows.code(2, 5), 0);
    }

    #[test]
    fn an_empty_text_has_no_line() {
        assert_eq!(Rows::new(b"", &[]).total(), Lines::default());
    }
}
