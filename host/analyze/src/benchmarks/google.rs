//! Google Benchmark: functions that take a `benchmark::State`, and how they are registered.

use std::collections::HashMap;

use super::{draft, google_arguments, gpu};
use crate::{
    facts::{Benchmark, Flaw, Framework},
    scan,
    seen::Seen,
};

const MACROS: [&str; 4] =
    ["BENCHMARK(", "BENCHMARK_TEMPLATE(", "BENCHMARK_CAPTURE(", "BENCHMARK_REGISTER_F("];

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>) {
    let registered = registrations(seen.source);
    for (index, function) in seen.facts.functions.iter().enumerate() {
        if found.len() >= draft::MOST {
            return;
        }
        let takes_state = function.arguments.iter().any(|argument| {
            let annotation = argument.annotation.as_deref().unwrap_or_default();
            annotation.contains("benchmark::State") || annotation.trim_end_matches(['&', ' ']) == "State"
        });
        let text = draft::function_text(seen, index);
        if !takes_state || !loops(text) {
            continue;
        }
        let timing = "iterations calibrated by Google Benchmark, mean of all";
        let Some(mut benchmark) = draft::of_function(seen, index, Framework::GoogleBenchmark, timing) else {
            continue;
        };
        // `BENCHMARK_DEFINE_F(Fixture, Name)(state)`: the macro is the name that the grammar sees.
        if let Some(range) =
            benchmark.name.find('(').and_then(|at| scan::inside(benchmark.name.as_bytes(), at))
        {
            benchmark.name = scan::parts(&benchmark.name.as_bytes()[range]).join("/");
        }
        registration(seen, &registered, &mut benchmark);
        let start = draft::function_range(seen, index).start;
        if let Some(at) = memchr::memmem::find(text, b"PauseTiming") {
            let reason = "`PauseTiming` in the loop adds the time of two clock readings to each iteration; prepare before the loop.";
            draft::flaw(&mut benchmark, Flaw::SetupTimed, seen.line_of(start + at), reason);
        }
        allocates(seen, start, text, &mut benchmark);
        benchmark.gpu |= gpu::used(text, seen.facts.language);
        let line = benchmark.line;
        draft::unsynchronised(&mut benchmark, text, line, seen.facts.language);
        found.push(benchmark);
    }
}

fn loops(text: &[u8]) -> bool {
    scan::first_of(text, &[" : ", "KeepRunning", ":state", ": state"]).is_some()
}

/// Where a benchmark is registered: the place of the macro and the end of its arguments.
type Registrations = HashMap<String, (usize, usize)>;

/// All registrations of a file, by the function or by `Fixture/Name`.
fn registrations(source: &[u8]) -> Registrations {
    let mut found = Registrations::new();
    for name in MACROS {
        for at in memchr::memmem::find_iter(source, name.as_bytes()) {
            let Some(inside) = scan::inside(source, at + name.len() - 1) else { continue };
            let parts = scan::parts(&source[inside.clone()]);
            let Some(first) = parts.first() else { continue };
            let key = match name {
                "BENCHMARK_REGISTER_F(" => parts.join("/"),
                _ => first.split('<').next().unwrap_or_default().to_owned(),
            };
            found.entry(key).or_insert((at, inside.end));
        }
    }
    found
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
