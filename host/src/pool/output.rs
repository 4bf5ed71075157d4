//! What a worker writes to its standard streams: split into lines, made printable, bounded.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read},
};

use dyno_core::{
    model::{OutputLine, Stream},
    text::visible,
};

/// Number of lines of output that a failure shows.
const LAST_LINES: usize = 10;
/// Lines kept from the beginning of a launch's output, and as many from its end.
const KEPT_LINES: usize = 100;
/// Longest line that is kept [bytes]; the rest of it is cut.
const MAX_LINE_BYTES: usize = 4096;
/// Most that is read at once [bytes], so that a flood cannot keep the host from its other work.
const CHUNK_BYTES: usize = 64 * 1024;

/// Everything that a launch wrote, as far as it is kept.
#[derive(Debug, Default)]
pub struct Captured {
    first: Vec<OutputLine>,
    last: VecDeque<OutputLine>,
    dropped: u64,
}

impl Captured {
    /// Adds a line.
    pub fn push(&mut self, stream: Stream, text: String) {
        let line = OutputLine { stream, text };
        if self.first.len() < KEPT_LINES {
            self.first.push(line);
            return;
        }
        if self.last.len() == KEPT_LINES {
            self.last.pop_front();
            self.dropped += 1;
        }
        self.last.push_back(line);
    }

    /// The last lines, for the reason of a failure.
    #[must_use]
    pub fn last_lines(&self) -> Vec<String> {
        self.tail(LAST_LINES)
    }

    fn tail(&self, lines: usize) -> Vec<String> {
        let all = self.first.len() + self.last.len();
        self.first
            .iter()
            .chain(&self.last)
            .skip(all.saturating_sub(lines))
            .map(|line| line.text.clone())
            .collect()
    }

    /// The lines that were kept, and how many were not.
    #[must_use]
    pub fn into_lines(mut self) -> (Vec<OutputLine>, u64) {
        self.first.extend(self.last);
        (self.first, self.dropped)
    }
}

/// One stream of a worker while it is open. `R` does not block.
#[derive(Debug)]
pub(super) struct LineReader<R> {
    source: R,
    stream: Stream,
    partial: Vec<u8>,
    /// Bytes of the current line beyond [`MAX_LINE_BYTES`].
    cut: usize,
}

/// What a read found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// There may be more, now or later.
    Open,
    /// The other side closed it.
    Ended,
}

impl<R: Read> LineReader<R> {
    pub(super) fn new(source: R, stream: Stream) -> Self {
        Self { source, stream, partial: Vec::new(), cut: 0 }
    }

    pub(super) fn source(&self) -> &R {
        &self.source
    }

    /// Takes at most one chunk of what is there.
    pub(super) fn take_chunk(&mut self, into: &mut Captured) -> Flow {
        let mut chunk = [0; CHUNK_BYTES];
        match self.source.read(&mut chunk) {
            Ok(0) => {
                self.end_line_if_any(into);
                Flow::Ended
            }
            Ok(count) => {
                self.split(&chunk[..count], into);
                Flow::Open
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Flow::Open
            }
            Err(_) => Flow::Ended,
        }
    }

    fn split(&mut self, bytes: &[u8], into: &mut Captured) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            let room = MAX_LINE_BYTES.saturating_sub(self.partial.len());
            self.partial.extend(&text[..text.len().min(room)]);
            self.cut += text.len().saturating_sub(room);
            if ends {
                self.end_line(into);
            }
        }
    }

    fn end_line_if_any(&mut self, into: &mut Captured) {
        if !self.partial.is_empty() {
            self.end_line(into);
        }
    }

    fn end_line(&mut self, into: &mut Captured) {
        let mut text = printable(&String::from_utf8_lossy(&self.partial));
        if self.cut > 0 {
            text.push_str(&format!(" … ({} more bytes)", self.cut));
        }
        into.push(self.stream, text);
        self.partial.clear();
        self.cut = 0;
    }
}

/// A line of a plugin made fit to be shown.
pub(super) fn printable(text: &str) -> String {
    text.trim_end_matches('\r').chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn capture(bytes: &[u8]) -> Captured {
        let mut captured = Captured::default();
        let mut reader = LineReader::new(bytes, Stream::Stdout);
        while reader.take_chunk(&mut captured) == Flow::Open {}
        captured
    }

    #[test]
    fn lines_are_split_and_made_printable() {
        let (lines, dropped) = capture(b"one\r\n\x1b[31mtwo\n\nlast without end").into_lines();
        let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["one", "\u{fffd}[31mtwo", "", "last without end"]);
        assert_eq!(dropped, 0);
    }

    #[test]
    fn a_flood_keeps_its_beginning_and_its_end() {
        let flood: String = (0..100_000).map(|i| format!("line {i}\n")).collect();
        let captured = capture(flood.as_bytes());
        assert_eq!(captured.tail(2), ["line 99998", "line 99999"]);
        let (lines, dropped) = captured.into_lines();
        assert_eq!(lines.len(), 2 * KEPT_LINES);
        assert_eq!(lines[0].text, "line 0");
        assert_eq!(dropped, 100_000 - 2 * KEPT_LINES as u64);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let long = vec![b'x'; 10 * MAX_LINE_BYTES];
        let (lines, _) = capture(&long).into_lines();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].text.ends_with(&format!("({} more bytes)", 9 * MAX_LINE_BYTES)));
    }

    proptest! {
        #[test]
        fn nothing_hostile_reaches_a_terminal(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            let (lines, _) = capture(&bytes).into_lines();
            prop_assert!(lines.iter().all(|line| !line.text.chars().any(char::is_control)));
        }
    }
}
