//! Google Benchmark: functions that take a `benchmark::State`, and how they are registered.

use std::{collections::HashMap, ops::Range};

use super::{draft, google_arguments};
use crate::{
    facts::{Benchmark, Flaw, Framework},
    scan,
    seen::Seen,
};

const MACROS: [&str; 9] = [
    "BENCHMARK(",
    "BENCHMARK_CAPTURE(",
    "BENCHMARK_TEMPLATE(",
    "BENCHMARK_TEMPLATE1(",
    "BENCHMARK_TEMPLATE2(",
    "BENCHMARK_TEMPLATE1_CAPTURE(",
    "BENCHMARK_TEMPLATE2_CAPTURE(",
    REGISTER,
    INSTANTIATE,
];

/// Those that name a fixture before the benchmark.
const REGISTER: &str = "BENCHMARK_REGISTER_F(";
const INSTANTIATE: &str = "BENCHMARK_TEMPLATE_INSTANTIATE_F(";

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>) {
    let registered = registrations(seen.source);
    draft::each_function(seen, found, |index, function| {
        let takes_state = function.arguments.iter().any(|argument| {
            let annotation = argument.annotation.as_deref().unwrap_or_default();
            annotation.contains("benchmark::State") || annotation.trim_end_matches(['&', ' ']) == "State"
        });
        let text = draft::function_text(seen, index);
        if !takes_state || !loops(text) {
            return None;
        }
        let timing = "iterations calibrated by Google Benchmark, mean of all";
        let mut benchmark = draft::of_function(seen, index, Framework::GoogleBenchmark, timing)?;
        // `BENCHMARK_DEFINE_F(Fixture, Name)(state)`: the macro is the name that the grammar sees.
        let macro_parts = benchmark.name.find('(').and_then(|at| scan::listed(benchmark.name.as_bytes(), at));
        if let Some(parts) = macro_parts {
            benchmark.name = parts.join("/");
        }
        registration(seen, &registered, &mut benchmark);
        let start = draft::function_range(seen, index).start;
        if let Some(at) = memchr::memmem::find(text, b"PauseTiming") {
            let reason = "`PauseTiming` in the loop adds the time of two clock readings to each iteration; prepare before the loop.";
            draft::flaw(&mut benchmark, Flaw::SetupTimed, seen.line_of(start + at), reason);
        }
        allocates(seen, start, text, &mut benchmark);
        Some(benchmark)
    });
}

fn loops(text: &[u8]) -> bool {
    scan::first_of(text, &[" : ", "KeepRunning", ":state", ": state"]).is_some()
}

/// Where a benchmark is registered: the place of the macro and the end of its arguments.
type Registrations = HashMap<String, (usize, usize)>;

/// All registrations of a file, by the function or by `Fixture/Name`.
fn registrations(source: &[u8]) -> Registrations {
    let mut found = Registrations::new();
    for (name, at, inside) in written(source) {
        let parts = scan::parts(&source[inside.clone()]);
        let Some(first) = parts.first() else { continue };
        let key = match name {
            REGISTER => parts.join("/"),
            INSTANTIATE => parts.iter().take(2).map(String::as_str).collect::<Vec<_>>().join("/"),
            _ => first.split('<').next().unwrap_or_default().to_owned(),
        };
        let place = found.entry(key).or_insert((at, inside.end));
        // The macros are looked for one after the other, and the first of the file counts.
        if at < place.0 {
            *place = (at, inside.end);
        }
    }
    found
}

/// The macros of a file: which, where, and the inside of their brackets.
fn written(source: &[u8]) -> impl Iterator<Item = (&'static str, usize, Range<usize>)> {
    MACROS.into_iter().flat_map(move |name| {
        memchr::memmem::find_iter(source, name.as_bytes())
            .filter_map(move |at| Some((name, at, scan::inside(source, at + name.len() - 1)?)))
    })
}

/// Where benchmarks are registered, in order. Types among arguments are no C++ to a grammar that does not know the macro,
/// but here they are read.
pub(crate) fn places(source: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = written(source)
        .map(|(_, at, inside)| {
            let mut end = inside.end + 1;
            // `->Arg(8)->Unit(benchmark::kMillisecond)`
            while let Some(next) = call(source, end) {
                end = next;
            }
            let space = source[end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            at..if source.get(end + space) == Some(&b';') { end + space + 1 } else { end }
        })
        .collect();
    found.sort_by_key(|range| range.start);
    found
}

/// The end of the next call in a chain.
fn call(source: &[u8], at: usize) -> Option<usize> {
    let skip = |at: usize, is_part: fn(u8) -> bool| {
        at + source[at..].iter().take_while(|byte| is_part(**byte)).count()
    };
    let arrow = skip(at, |byte| byte.is_ascii_whitespace());
    let name =
        source[arrow..].starts_with(b"->").then(|| skip(arrow + 2, |byte| byte.is_ascii_whitespace()))?;
    Some(scan::inside(source, skip(name, scan::is_word))?.end + 1)
}

/// `BENCHMARK(name)->Arg(8)->Range(1, 64);`, wherever it stands in the file.
fn registration(seen: &Seen<'_>, registered: &Registrations, benchmark: &mut Benchmark) {
    let subject = benchmark.subject.rsplit("::").next().unwrap_or_default();
    let place = registered.get(&benchmark.name).or_else(|| registered.get(subject)).copied();
    let Some((start, end)) = place else { return };
    let rest = &seen.source[end..];
    let chain = &rest[..memchr::memchr(b';', rest).unwrap_or(rest.len())];
    benchmark.parameters = google_arguments::parameters(chain);
    let line = seen.line_of(start);
    if scan::has(chain, "->Iterations(1)") && !scan::has(chain, "->Repetitions(") {
        let reason =
            "`Iterations(1)` measures one execution, so the result is one measurement without a spread.";
        draft::flaw(benchmark, Flaw::MeanOfOne, line, reason);
        let reason = "With a fixed number of iterations nothing is executed before the measurement.";
        draft::flaw(benchmark, Flaw::NoWarmup, line, reason);
    }
}

/// Allocations inside the loop over the state.
fn allocates(seen: &Seen<'_>, start: usize, text: &[u8], benchmark: &mut Benchmark) {
    let Some((at, _)) = scan::first_of(text, &["for (auto", "while (state", "while(state"]) else { return };
    let Some(open) = memchr::memchr(b'{', &text[at..]).map(|place| at + place) else { return };
    let Some(inside) = scan::inside(text, open) else { return };
    let body = &text[inside.clone()];
    let statements = memchr::memchr_iter(b';', body).count();
    let Some((place, name)) = scan::first_of(body, &["malloc(", "cudaMalloc(", "std::vector<", "new "])
    else {
        return;
    };
    if statements > 1 && !scan::has(text, "PauseTiming") {
        let name = name.trim_end_matches(['(', '<', ' ']);
        let reason = format!("`{name}` in the loop is measured in each iteration; prepare before the loop.");
        draft::flaw(benchmark, Flaw::SetupTimed, seen.line_of(start + inside.start + place), reason);
    }
}
