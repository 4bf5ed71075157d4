//! criterion: `bench_function` and `bench_with_input`.

use super::draft;
use crate::{
    facts::{Benchmark, Flaw, Framework, Parameter},
    scan,
    seen::{Event, Seen, Sign},
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
        let parts = scan::inside(call, 0).map(|range| scan::parts(&call[range])).unwrap_or_default();
        let outer = draft::function_text(seen, function as usize);
        name(parts.first().map(String::as_str).unwrap_or_default(), outer, &mut benchmark);
        if with_input {
            let values = looped(outer);
            benchmark.parameters.push(Parameter { name: "input".to_owned(), values });
        }
        benchmark.line = event.line;
        benchmark.end_line = seen.line_of(event.range.end);
        benchmark.gpu = super::gpu::used(call, seen.facts.language);
        settings(seen, function as usize, &mut benchmark);
        timed_setup(seen, event, call, &mut benchmark);
        draft::unsynchronised(&mut benchmark, call, event.line, seen.facts.language);
        found.push(benchmark);
    }
}

/// The name that criterion shows: the group, then the function.
fn name(first: &str, outer: &[u8], benchmark: &mut Benchmark) {
    let bare = match first.find('(').and_then(|at| scan::inside(first.as_bytes(), at)) {
        Some(range) => scan::parts(&first.as_bytes()[range]).first().map(|text| scan::unquoted(text)),
        None => Some(scan::unquoted(first)),
    };
    if let Some(bare) = bare.filter(|text| !text.is_empty()) {
        benchmark.name = bare;
    }
    let start = b"benchmark_group";
    let group = memchr::memmem::find(outer, start).and_then(|at| scan::inside(outer, at + start.len()));
    if let Some(range) = group {
        let group = scan::unquoted(&String::from_utf8_lossy(&outer[range]));
        if !group.is_empty() {
            benchmark.name = format!("{group}/{}", benchmark.name);
        }
    }
}

/// The values of the loop around: `for size in [1, 2]`.
fn looped(outer: &[u8]) -> Vec<String> {
    let Some(at) = memchr::memmem::find(outer, b" in [").map(|at| at + b" in ".len()) else {
        return Vec::new();
    };
    scan::inside(outer, at).map(|range| scan::parts(&outer[range])).unwrap_or_default()
}

fn settings(seen: &Seen<'_>, function: usize, benchmark: &mut Benchmark) {
    let range = draft::function_range(seen, function);
    let text = seen.text(range.clone());
    let start = b"warm_up_time(";
    if let Some(at) = memchr::memmem::find(text, start)
        && let Some(inside) = scan::inside(text, at + start.len() - 1)
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
