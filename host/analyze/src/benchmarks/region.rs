//! Timed regions: from the reading of a clock to the reading that it is subtracted from.

use std::ops::Range;

use super::draft;
use crate::{
    clocks,
    facts::LanguageId,
    scan,
    seen::{Event, Seen},
    signs::Sign,
};

/// How many readings of a clock are looked at in one function.
const READINGS: usize = 64;

/// Code between two readings of a clock.
#[derive(Debug, Clone)]
pub(super) struct Region {
    /// From the end of the first reading to the second.
    pub(super) range: Range<usize>,
    /// The clock as written.
    pub(super) clock: String,
    /// The arguments of that call.
    pub(super) arguments: Vec<u8>,
    /// Line of the first reading.
    pub(super) line: u32,
    /// Where the difference is taken.
    pub(super) difference: usize,
}

/// A reading of a clock and the name that keeps it.
struct Reading<'s> {
    event: &'s Event,
    name: &'s [u8],
}

/// The timed regions of a function, in order.
pub(super) fn regions(seen: &Seen<'_>, function: u32) -> Vec<Region> {
    let body = draft::function_range(seen, function as usize);
    let events: Vec<&Event> = seen
        .events
        .iter()
        .filter(|event| event.sign == Sign::Clock && event.function == Some(function))
        .take(READINGS)
        .collect();
    let readings: Vec<Reading<'_>> = events
        .iter()
        .filter_map(|event| {
            let name = kept(seen, event);
            (!name.is_empty()).then_some(Reading { event, name })
        })
        .collect();
    let mut found: Vec<Region> = Vec::new();
    for (at, reading) in readings.iter().enumerate() {
        let start = reading.event.range.end;
        // A name that is given a new reading ends there.
        let again = readings[at + 1..].iter().find(|later| later.name == reading.name);
        let end = again.map_or(body.end, |later| later.event.range.start);
        let is_event = is_event(seen, reading.event);
        let place = match is_event {
            true => recorded(seen, at, &readings, body.end),
            false => stop(seen, reading.name, start..end, &readings, &events),
        };
        let Some((stop, difference)) = place else { continue };
        let clock = match is_event {
            true => clocks::EVENT.to_owned(),
            false => String::from_utf8_lossy(seen.text(reading.event.callee.clone())).into_owned(),
        };
        let arguments = arguments(seen, reading.event).to_vec();
        found.push(Region { range: start..stop, clock, arguments, line: reading.event.line, difference });
    }
    found
}

/// Whether a reading is an event that a GPU records, in Python: `start.record()`.
fn is_event(seen: &Seen<'_>, event: &Event) -> bool {
    seen.facts.language == LanguageId::Python && seen.text(event.callee.clone()).ends_with(b".record")
}

/// Where the region of an event ends, and where events are compared: `start.elapsed_time(end)` of torch,
/// `get_elapsed_time(start, end)` of cupy. Events of lists are compared under other names, so there each second one ends
/// the region of the one before it.
fn recorded(seen: &Seen<'_>, at: usize, readings: &[Reading<'_>], end: usize) -> Option<(usize, usize)> {
    const COMPARES: &[u8] = b"elapsed_time(";
    let first = readings.get(at)?;
    let start = first.event.range.end;
    let text = seen.text(start..end);
    let all: Vec<_> = memchr::memmem::find_iter(text, COMPARES)
        .filter_map(|place| Some((start + place, compared_events(text, place, place + COMPARES.len() - 1)?)))
        .collect();
    if let Some((difference, (_, second))) = all.iter().find(|(_, (one, _))| one == first.name) {
        let other = readings.iter().skip(at + 1).find(|other| other.name == second)?;
        return Some((other.event.range.start, *difference));
    }
    let events: Vec<&Reading<'_>> = readings.iter().filter(|reading| is_event(seen, reading.event)).collect();
    let place = events.iter().position(|reading| reading.event.range == first.event.range)?;
    let is_second = all.iter().any(|(_, (_, second))| second == first.name);
    let second = events.get(place + 1).filter(|_| place % 2 == 0 && !is_second)?;
    Some((second.event.range.start, all.first()?.0))
}

/// The names of the two events that a call compares, `open` being its bracket.
fn compared_events(text: &[u8], call: usize, open: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let parts = scan::listed(text, open)?;
    let mut names = parts.into_iter().map(|part| without_index(part.as_bytes()).to_vec());
    let receiver = text[..call].strip_suffix(b".").map(|before| {
        let before = match before.ends_with(b"]") {
            true => &before[..memchr::memrchr(b'[', before).unwrap_or(0)],
            false => before,
        };
        let begins = before.iter().rposition(|byte| !scan::is_word(*byte) && *byte != b'.');
        before[begins.map_or(0, |at| at + 1)..].to_vec()
    });
    match (receiver, names.next(), names.next()) {
        // A function of a module has both as arguments.
        (_, Some(one), Some(second)) | (Some(one), Some(second), None) => Some((one, second)),
        _ => None,
    }
}

/// `events` of `events[i]`.
fn without_index(name: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'[', name).filter(|_| name.ends_with(b"]")).unwrap_or(name.len());
    name[..end].trim_ascii()
}

/// The arguments of a call.
fn arguments<'s>(seen: &Seen<'s>, event: &Event) -> &'s [u8] {
    seen.text(event.callee.end + 1..event.range.end.saturating_sub(1))
}

/// The name that a reading is kept under: left of `=`, before its brackets, or an argument that is written to.
fn kept<'s>(seen: &Seen<'s>, event: &Event) -> &'s [u8] {
    let callee = seen.text(event.callee.clone());
    let written = [
        b"gettimeofday".as_slice(),
        b"clock_gettime",
        b"timespec_get",
        b"EventRecord",
        b"QueryPerformanceCounter",
    ];
    let in_python = seen.facts.language == LanguageId::Python;
    if is_event(seen, event) {
        return without_index(callee.strip_suffix(b".record").unwrap_or(callee));
    }
    if !in_python && written.iter().any(|name| callee.ends_with(name)) {
        let arguments = arguments(seen, event);
        let mut parts = arguments.split(|byte| *byte == b',');
        let argument = if callee.ends_with(b"clock_gettime") { parts.nth(1) } else { parts.next() };
        return argument.unwrap_or_default().trim_ascii().trim_prefix_byte(b'&');
    }
    let line = memchr::memrchr2(b'\n', b';', seen.text(0..event.range.start)).map_or(0, |at| at + 1);
    let before = seen.text(line..event.range.start).trim_ascii_end();
    // `const auto start{clock::now()}` has a type before its name, a call has none.
    if let Some(before) = before.strip_suffix(b"{").or_else(|| before.strip_suffix(b"("))
        && matches!(seen.facts.language, LanguageId::Cpp | LanguageId::Cuda)
    {
        let before = before.trim_ascii_end();
        let start = before.iter().rposition(|byte| !scan::is_word(*byte)).map_or(0, |at| at + 1);
        let kind = before[..start].trim_ascii();
        let has_type = kind.last().is_some_and(|byte| scan::is_word(*byte) || *byte == b'>');
        return if has_type && kind != b"return" { &before[start..] } else { &[] };
    }
    let Some(before) = before.strip_suffix(b"=") else { return &[] };
    let before = before.strip_suffix(b":").unwrap_or(before).trim_ascii_end();
    // `let start: Instant =` and `double start =` keep the last word that is no type.
    let before = match memchr::memmem::find(before, b": ") {
        Some(colon) => before[..colon].trim_ascii_end(),
        None => before,
    };
    let start = before.iter().rposition(|byte| !scan::is_word(*byte) && !matches!(byte, b'.' | b'>' | b'-'));
    &before[start.map_or(0, |at| at + 1)..]
}

trait TrimPrefix {
    fn trim_prefix_byte(&self, byte: u8) -> &Self;
}

impl TrimPrefix for [u8] {
    fn trim_prefix_byte(&self, byte: u8) -> &Self {
        match self.first() {
            Some(first) if *first == byte => self[1..].trim_ascii_start(),
            _ => self,
        }
    }
}

/// Where the region that begins with the reading `name` ends, and where the difference is taken.
fn stop(
    seen: &Seen<'_>,
    name: &[u8],
    range: Range<usize>,
    readings: &[Reading<'_>],
    events: &[&Event],
) -> Option<(usize, usize)> {
    let text = seen.text(range.clone());
    for at in scan::words(text, name) {
        let place = range.start + at;
        let after = &text[at + name.len()..];
        let passed_time = after.starts_with(b".elapsed") || after.starts_with(b".Elapsed");
        // `start.elapsed() > timeout` watches a deadline and measures nothing.
        if compared(if passed_time { after_call(after) } else { after }) {
            continue;
        }
        if passed_time {
            return Some((place, place));
        }
        let before = text[..at].trim_ascii_end();
        let minus = before.strip_suffix(b"-").filter(|left| !left.ends_with(b"-"));
        let passed = before.ends_with(b"duration_since(")
            || elapsed_call(before)
            || (before.ends_with(b"&") && before[..before.len() - 1].ends_with(b"duration_since("));
        if minus.is_none() && !passed {
            continue;
        }
        if passed && !before.ends_with(b"duration_since(") && !before.ends_with(b"&") {
            // `difftime(end, start)`, `cudaEventElapsedTime(&ms, start, end)`: the other name on that line is the end.
            let line = line_at(seen, place);
            let other = readings.iter().rev().find(|other| {
                other.event.range.start >= range.start
                    && other.event.range.start < place
                    && other.name != name
                    && scan::words(line, other.name).next().is_some()
            });
            if let Some(other) = other {
                return Some((other.event.range.start, place));
            }
            // `elapsed(start)` reads the clock itself. Otherwise this name is the end of the region of another one.
            if scan::has(line, "elapsed(") {
                return Some((place, place));
            }
            continue;
        }
        // `end - start`: the region ends where `end` was read, `now() - start`: here.
        let left = minus.unwrap_or(before).trim_ascii_end();
        let word =
            left.iter().rposition(|byte| !scan::is_word(*byte) && *byte != b'.').map_or(0, |at| at + 1);
        let left = &left[word..];
        let kept = readings.iter().rev().find(|other| {
            let event = other.event.range.start;
            event >= range.start
                && event < place
                && (left == other.name
                    || left.strip_prefix(other.name).is_some_and(|rest| rest.starts_with(b".")))
        });
        let direct =
            || events.iter().rev().find(|event| event.range.start >= range.start && event.range.end <= place);
        if let Some(other) = kept {
            return Some((other.event.range.start, place));
        }
        if let Some(event) = direct().filter(|_| left.is_empty()) {
            return Some((event.range.start, place));
        }
        if passed {
            return Some((place, place));
        }
    }
    None
}

/// What follows a call.
fn after_call(text: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'(', text)
        .and_then(|open| scan::inside(text, open))
        .map_or(text.len(), |range| range.end + 1);
    text.get(end..).unwrap_or_default()
}

/// Whether a comparison follows.
fn compared(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let shifts = text.starts_with(b"<<") || text.starts_with(b">>");
    matches!(text.first(), Some(b'<' | b'>')) && !shifts
}

fn elapsed_call(before: &[u8]) -> bool {
    let start = memchr::memrchr2(b';', b'\n', before).map_or(0, |at| at + 1);
    let line = &before[start..];
    scan::first_of(line, &["difftime(", "ElapsedTime(", "elapsed("]).is_some()
}

/// The line around a place.
pub(super) fn line_at<'s>(seen: &Seen<'s>, at: usize) -> &'s [u8] {
    let start = memchr::memrchr(b'\n', seen.text(0..at)).map_or(0, |feed| feed + 1);
    let rest = seen.text(at..seen.source.len());
    let end = memchr::memchr(b'\n', rest).map_or(seen.source.len(), |feed| at + feed);
    seen.text(start..end)
}
