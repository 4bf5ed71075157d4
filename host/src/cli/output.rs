//! Writing to the terminal: text and JSON to standard output, errors and remarks to standard error. All output passes
//! through here, so untrusted text is made safe even if a caller forgot to.

use std::{
    borrow::Cow,
    io::{self, ErrorKind, Write},
};

use dyno_core::text::visible;
use serde::Serialize;

use super::Failure;
use crate::{
    export::write_readable,
    fault::{HostFault, Place},
};

/// Maximum length of a line for people [characters]; output for programs is a [`document`] and is never cut.
const LONGEST: usize = 4_000;

/// How much of a long document is written at a time [bytes].
const CHUNK: usize = 64 << 10;

/// Writes text for people to standard output.
pub(super) fn text(text: &str) -> Result<(), Failure> {
    document(&lines(text))
}

/// Writes a document in a format, whose writer has made it safe, to standard output.
pub(super) fn document(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    finished(written.and_then(|()| out.flush()))
}

/// Writes a value as JSON to standard output, as it is made: a long list is never held as text.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = io::BufWriter::with_capacity(CHUNK, io::stdout().lock());
    match write_readable(value, &mut out) {
        Err(error) if !error.is_io() => Err(Failure::Host(error.to_string())),
        written => finished(written.map_err(io::Error::from).and_then(|()| out.flush())),
    }
}

/// The result of writing; a closed pipe is not a failure.
pub(super) fn finished(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Ok(()) => Ok(()),
        // `dyno list | head` is not a failure.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::PipeClosed),
        Err(error) => Err(HostFault::new("cannot write to standard output", &error, Place::Machine).into()),
    }
}

/// Prints on standard error why a command failed.
pub(super) fn error(message: &str) {
    if !message.is_empty() {
        note(&format!("error: {message}"));
    }
}

/// Prints a remark on standard error. A failed write is ignored: there is nowhere left to report it.
pub(super) fn note(message: &str) {
    let message = lines(message);
    // What follows the first line belongs to it: it must not look like a line of its own.
    let message = if message.contains('\n') { Cow::Owned(message.replace('\n', "\n  ")) } else { message };
    let _ = writeln!(io::stderr().lock(), "{message}");
}

/// Prints several lines of our own on standard error, used when standard output holds a document.
pub(super) fn aside(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", lines(text));
}

/// Lines as they may reach a terminal: without control characters and tricks, of bounded length, and none that a CI system
/// would take for a command of its own.
pub(super) fn lines(text: &str) -> Cow<'_, str> {
    let is_safe = |line: &str| {
        line.chars().all(|c| visible(c) == c)
            && (line.len() <= LONGEST || line.chars().nth(LONGEST).is_none())
            && !is_command(line)
    };
    if text.split('\n').all(is_safe) {
        return Cow::Borrowed(text);
    }
    let safe: Vec<String> = text.split('\n').map(one_line).collect();
    Cow::Owned(safe.join("\n"))
}

fn one_line(line: &str) -> String {
    let mut safe: String = line.chars().take(LONGEST).map(visible).collect();
    if line.chars().nth(LONGEST).is_some() {
        safe.push('…');
    }
    if is_command(&safe) {
        safe = safe.replace("::", ": :").replace("##[", "## [");
    }
    safe
}

/// Whether GitHub's runner would execute this line of a log as a command.
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn our_own_lines_pass_as_they_are() {
        let table = "┌───┐\n│ µs ± 1 % │\n└───┘\n\nrun a::b\n";
        assert!(matches!(lines(table), Cow::Borrowed(_)));
    }

    #[test]
    fn nothing_steers_the_terminal_or_the_log() {
        for (text, expected) in [
            ("a\u{1b}[2Jb\rc\nd\te", "a\u{fffd}[2Jb\u{fffd}c\nd e"),
            ("  ::error::x", "  : :error: :x"),
            ("x ##[add-mask]y", "x ## [add-mask]y"),
            ("a\u{202e}b", "a\u{fffd}b"),
        ] {
            assert_eq!(lines(text), expected);
        }
        assert_eq!(lines(&"x".repeat(20_000)).chars().count(), LONGEST + 1);
    }

    proptest! {
        #[test]
        fn whatever_the_text(text in any::<String>(), more in "[:# \\[\n\u{1b}\r]*") {
            for text in [text, more] {
                let safe = lines(&text);
                prop_assert_eq!(safe.split('\n').count(), text.split('\n').count());
                for line in safe.split('\n') {
                    prop_assert!(!line.contains(|c: char| visible(c) != c));
                    prop_assert!(!is_command(line), "{:?}", line);
                }
            }
        }
    }
}
