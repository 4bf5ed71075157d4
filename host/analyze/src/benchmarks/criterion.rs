//! criterion: `bench_function` and `bench_with_input`.

use std::ops::Range;

use super::{code, draft};
use crate::{
    facts::{Benchmark, Flaw, Framework, Parameter},
    scan,
    seen::{Event, Seen},
    signs::Sign,
};

/// Calls that make something, rather than do the work.
const MAKES: [&str; 9] = [
    "vec!",
    "Vec::",
    "String::",
    ".to_vec()",
    ".clone()",
    ".collect",
    "File::open",
    "HashMap::",
    "::with_capacity(",
];

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>) {
    for event in seen.events.iter().filter(|event| event.sign == Sign::Framework) {
        if found.len() >= draft::MOST {
            return;
        }
        let callee = seen.text(event.callee.clone());
        let with_input = callee.ends_with(b".bench_with_input");
        if !with_input && !callee.ends_with(b".bench_function") {
            continue;
        }
        let Some(function) = event.function else { continue };
        let timing = "samples of increasing iteration counts by criterion, after a warm-up, with `Instant`";
        let Some(mut benchmark) = draft::of_function(seen, function as usize, Framework::Criterion, timing)
        else {
            continue;
        };
        let call = seen.text(event.callee.end..event.range.end);
        let parts = scan::listed(call, 0).unwrap_or_default();
        let group = group(seen, function as usize, event);
        name(parts.first().map(String::as_str).unwrap_or_default(), group.as_ref(), &mut benchmark);
        if with_input {
            let values = looped(seen, event);
            benchmark.parameters.push(Parameter { name: "input".to_owned(), values });
        }
        benchmark.line = event.line;
        benchmark.end_line = seen.line_of(event.range.end);
        benchmark.gpu = super::gpu::used(call, seen.facts.language);
        let opened = group.map_or(event.range.start, |group| group.at);
        settings(seen, opened..event.callee.end, &mut benchmark);
        timed_setup(seen, event, call, &mut benchmark);
        draft::unsynchronised(&mut benchmark, call, event.line, seen.facts.language);
        found.push(benchmark);
    }
}

/// A group that benchmarks are called on.
struct Group {
    /// Its name, if it is written.
    name: String,
    /// Where it is opened.
    at: usize,
}

/// The group that a benchmark is called on: opened in the call itself, or kept under the name that the call begins
/// with. `c.bench_function` is in none, also where one was opened before.
fn group(seen: &Seen<'_>, function: usize, event: &Event) -> Option<Group> {
    let start = draft::function_range(seen, function).start;
    let before = code::uncommented(seen, start..event.callee.end);
    let call = event.range.start - start;
    let end =
        before[call..].iter().position(|byte| !scan::is_word(*byte)).map_or(before.len(), |at| call + at);
    let receiver = &before[call..end];
    // `let g = group.sample_size(20);` gives a group another name.
    let opened =
        opened(&before, call, receiver).or_else(|| opened(&before, call, alias(&before, receiver)?))?;
    let inside = scan::inside(&before, opened + OPENS.len() - 1)?;
    Some(Group { name: scan::unquoted(&String::from_utf8_lossy(&before[inside])), at: start + opened })
}

/// How a group is opened.
const OPENS: &str = "benchmark_group(";

/// Where a group is opened, the last before a call: in the call itself, or under the name that it is called on.
fn opened(before: &[u8], call: usize, receiver: &[u8]) -> Option<usize> {
    memchr::memmem::rfind_iter(before, OPENS.as_bytes()).find(|at| {
        if *at >= call {
            return true;
        }
        let ends = |byte: &u8| matches!(byte, b';' | b'{' | b'}');
        let statement = before[..*at].iter().rposition(ends).map_or(0, |at| at + 1);
        let Some(equals) = memchr::memchr(b'=', &before[statement..*at]) else { return false };
        let left = &before[statement..statement + equals];
        // `let mut group: BenchmarkGroup<_> =`
        let left = left.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
        left.ends_with(receiver) && scan::words(left, receiver).last() == Some(left.len() - receiver.len())
    })
}

/// The name that another one was last made from.
fn alias<'t>(before: &'t [u8], name: &'t [u8]) -> Option<&'t [u8]> {
    let value = scan::words(before, name).filter_map(|at| {
        let value = before[at + name.len()..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
        let end = value.iter().position(|byte| !scan::is_word(*byte)).unwrap_or(value.len());
        (value.get(end) == Some(&b'.')).then_some(&value[..end])
    });
    value.last()
}

/// The name that criterion shows: the group, then the function.
fn name(first: &str, group: Option<&Group>, benchmark: &mut Benchmark) {
    let bare = match first.find('(').and_then(|at| scan::listed(first.as_bytes(), at)) {
        Some(parts) => parts.first().map(|text| scan::unquoted(text)),
        None => Some(scan::unquoted(first)),
    };
    if let Some(bare) = bare.filter(|text| !text.is_empty()) {
        benchmark.name = bare;
    }
    if let Some(group) = group.filter(|group| !group.name.is_empty()) {
        benchmark.name = format!("{}/{}", group.name, benchmark.name);
    }
}

/// The values of the nearest loop around that writes them: `for size in [1, 2]`.
fn looped(seen: &Seen<'_>, event: &Event) -> Vec<String> {
    let around =
        seen.loops.iter().filter(|range| range.start < event.range.start && event.range.end <= range.end);
    let written = |range: &Range<usize>| {
        let head = seen.text(range.start..event.range.start);
        let head = &head[..memchr::memchr(b'{', head).unwrap_or(head.len())];
        let at = memchr::memmem::find(head, b" in ")? + b" in ".len();
        let open = at + head[at..].iter().take_while(|byte| matches!(byte, b'&' | b'(')).count();
        scan::listed(head, open).filter(|_| head.get(open) == Some(&b'['))
    };
    around.rev().find_map(written).unwrap_or_default()
}

/// What is set between the opening of a group and the benchmark.
fn settings(seen: &Seen<'_>, range: Range<usize>, benchmark: &mut Benchmark) {
    let text = code::uncommented(seen, range.clone());
    let start = b"warm_up_time(";
    if let Some(at) = memchr::memmem::find(&text, start)
        && let Some(inside) = scan::inside(&text, at + start.len() - 1)
    {
        let value = &text[inside];
        if scan::has(value, "ZERO") || scan::has(value, "(0)") || scan::has(value, "from_nanos(1)") {
            let line = seen.line_of(range.start + at);
            let reason = "The warm-up lasts no time, so the first samples are taken with cold caches.";
            draft::flaw(benchmark, Flaw::NoWarmup, line, reason);
        }
    }
}

/// `b.iter(|| { let input = vec![..]; work(&input) })` measures the making of its input.
fn timed_setup(seen: &Seen<'_>, event: &Event, call: &[u8], benchmark: &mut Benchmark) {
    let start = b".iter(";
    let Some(at) = memchr::memmem::find(call, start) else { return };
    let Some(inside) = scan::inside(call, at + start.len() - 1) else { return };
    let body = &call[inside.clone()];
    let Some(statement) = memchr::memmem::find(body, b"let ") else { return };
    let rest = &body[statement..];
    let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
    if scan::first_of(&rest[..end], &MAKES).is_none()
        || rest[end..].iter().filter(|byte| is_code(**byte)).count() < 4
    {
        return;
    }
    let line = seen.line_of(event.callee.end + inside.start + statement);
    let reason =
        "The closure of `iter` makes its input, and that is measured too. `iter_batched` would leave it out.";
    draft::flaw(benchmark, Flaw::SetupTimed, line, reason);
}

fn is_code(byte: u8) -> bool {
    scan::is_word(byte)
}
