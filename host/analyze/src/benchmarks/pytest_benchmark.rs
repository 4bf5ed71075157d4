//! pytest-benchmark: functions with the fixture `benchmark`, or methods of a class that keeps it as `self.benchmark`.

use std::ops::Range;

use super::{code, draft, setup};
use crate::{
    clocks::Kind,
    facts::{Benchmark, Flaw, Framework, Function, Parameter},
    scan,
    seen::Seen,
};

/// How a marker begins.
const MARKER: &str = "pytest.mark.benchmark";

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>) {
    let whole = scan::has(seen.source, "benchmark").then(|| code::uncommented(seen, 0..seen.source.len()));
    let Some(whole) = whole else { return };
    let pytestmark = scan::assignment(&whole, "pytestmark").filter(|(_, value)| value.contains(MARKER));
    draft::each_function(seen, found, |index, function| {
        // Most functions of most files.
        if !has_fixture(function) && function.class.is_none() {
            return None;
        }
        let range = draft::function_range(seen, index);
        let code = code::only(seen, range.clone());
        if !measures(seen, index, function, &code) {
            return None;
        }
        let timing = "rounds calibrated by pytest-benchmark with `time.perf_counter`";
        let mut benchmark = draft::of_function(seen, index, Framework::PytestBenchmark, timing)?;
        let class = function.class.and_then(|class| seen.facts.classes.get(class as usize));
        for decorator in class.iter().flat_map(|class| &class.decorators).chain(&function.decorators) {
            parametrized(decorator, &mut benchmark);
        }
        // What stands nearest counts.
        let of_class =
            function.class.and_then(|class| seen.classes.get(class as usize)).map(|range| range.start);
        let marked =
            [Some((&function.decorators, range.start)), class.map(|class| &class.decorators).zip(of_class)];
        let marker = marked.into_iter().flatten().find_map(|(decorators, start)| {
            let text = decorators.iter().find(|text| text.starts_with(MARKER))?;
            let at = memchr::memmem::rfind(seen.text(0..start), MARKER.as_bytes())?;
            Some((at, text.clone()))
        });
        if let Some((at, text)) = marker.or_else(|| pytestmark.clone()) {
            marked_with(seen, &text, seen.line_of(at), &mut benchmark);
        }
        pedantic(seen, index, &mut benchmark);
        for body in measured(seen, index, &code) {
            setup::judge(seen, body, &mut benchmark);
        }
        Some(benchmark)
    });
}

fn has_fixture(function: &Function) -> bool {
    function.arguments.iter().any(|argument| {
        matches!(argument.name.as_str(), "benchmark" | "benchmark_weave") && argument.default.is_none()
    })
}

/// Whether a function measures with the fixture. `def _run(benchmark): ...` of some other library passes the name along
/// and calls nothing.
fn measures(seen: &Seen<'_>, index: usize, function: &Function, code: &[u8]) -> bool {
    if function.decorators.iter().any(|text| text.contains("fixture")) {
        return false;
    }
    if has_fixture(function) {
        let calls = ["benchmark(", "benchmark.pedantic(", "benchmark_weave("];
        return scan::first_named(code, &calls).is_some()
            || function.decorators.iter().any(|text| text.starts_with(MARKER))
            || inner(seen, index).any(|(_, inner)| is_decorated(inner));
    }
    let calls = ["self.benchmark(", "self.benchmark.pedantic("];
    let keeps = |class: u32| draft::methods(seen, class as usize).any(|(_, method)| has_fixture(method));
    scan::first_named(code, &calls).is_some() && function.class.is_some_and(keeps)
}

/// Functions inside of a function.
fn inner<'a>(seen: &'a Seen<'_>, index: usize) -> impl Iterator<Item = (usize, &'a Function)> {
    let range = draft::function_range(seen, index);
    let later = seen.functions.iter().zip(&seen.facts.functions).enumerate().skip(index + 1);
    later.take_while(move |(_, (place, _))| place.start < range.end).map(|(at, (_, function))| (at, function))
}

/// Whether `@benchmark` measures a function where it is defined.
fn is_decorated(function: &Function) -> bool {
    function.decorators.iter().any(|text| matches!(text.as_str(), "benchmark" | "self.benchmark"))
}

/// The code that is measured, where the function holds it: decorated, given by name, or a lambda.
fn measured(seen: &Seen<'_>, index: usize, code: &[u8]) -> Vec<Range<usize>> {
    let start = draft::function_range(seen, index).start;
    let given: Vec<(usize, String)> = ["benchmark(", "benchmark.pedantic("]
        .iter()
        .flat_map(|call| memchr::memmem::find_iter(code, call.as_bytes()).map(|at| at + call.len() - 1))
        .filter_map(|open| {
            let inside = scan::inside(code, open)?;
            Some((inside.start, scan::parts(&code[inside]).into_iter().next()?))
        })
        .collect();
    let mut found: Vec<Range<usize>> = inner(seen, index)
        .filter(|(_, inner)| is_decorated(inner) || given.iter().any(|given| given.1 == inner.name))
        .map(|(at, _)| draft::body_range(seen, at))
        .collect();
    for (at, text) in given.iter().filter(|given| given.1.starts_with("lambda")) {
        let colon = memchr::memchr(b':', &code[*at..]).map_or(0, |colon| colon + 1);
        let end = scan::inside(code, at - 1).map_or(at + text.len(), |inside| inside.end);
        found.push(start + at + colon..start + end);
    }
    found
}

/// `pytest.mark.benchmark(warmup=False, min_rounds=1, timer=time.time)`.
fn marked_with(seen: &Seen<'_>, marker: &str, line: u32, benchmark: &mut Benchmark) {
    let Some(open) = marker.find(MARKER).map(|at| at + MARKER.len()) else { return };
    let Some(range) = scan::inside(marker.as_bytes(), open) else { return };
    let parts = scan::parts(&marker.as_bytes()[range]);
    if let Some(timer) = scan::named(&parts, "timer") {
        let kind = seen.clocks.kind(timer, b"");
        let counts = if kind == Kind::Processor { " (processor time)" } else { "" };
        benchmark.timing = format!("rounds calibrated by pytest-benchmark with `{timer}`{counts}");
        if let Kind::Settable(reason) = kind {
            draft::flaw(benchmark, Flaw::NonMonotonicClock, line, format!("{reason}."));
        }
    }
    if let Some(written @ ("0" | "1")) = scan::named(&parts, "min_rounds") {
        let reason = format!(
            "`min_rounds={written}` lets a slow benchmark end after one round, so its result is one measurement without a spread."
        );
        draft::flaw(benchmark, Flaw::MeanOfOne, line, reason);
    }
    if let Some(written) = scan::named(&parts, "warmup")
        && (written == "False" || scan::unquoted(written) == "off")
    {
        let reason = format!("`warmup={written}` measures the first executions, with cold caches.");
        draft::flaw(benchmark, Flaw::NoWarmup, line, reason);
    }
}

/// `pytest.mark.parametrize("a, b", [(1, 2), (3, 4)])`.
fn parametrized(decorator: &str, benchmark: &mut Benchmark) {
    let Some(open) = decorator.find("parametrize(").map(|at| at + "parametrize".len()) else { return };
    let Some(range) = scan::inside(decorator.as_bytes(), open) else { return };
    let parts = scan::parts(&decorator.as_bytes()[range]);
    let (Some(names), Some(values)) = (parts.first(), parts.get(1)) else { return };
    let names: Vec<String> = if names.starts_with(['[', '(']) {
        scan::values(names).iter().map(|name| scan::unquoted(name)).collect()
    } else {
        scan::unquoted(names).split(',').map(|name| name.trim().to_owned()).collect()
    };
    let rows = scan::values(values);
    for (column, name) in names.iter().enumerate() {
        let values = if names.len() == 1 {
            rows.clone()
        } else {
            rows.iter().filter_map(|row| scan::values(row).get(column).cloned()).collect()
        };
        benchmark.parameters.push(Parameter { name: name.clone(), values });
    }
}

/// In pedantic mode nothing is calibrated: the author says how often.
fn pedantic(seen: &Seen<'_>, index: usize, benchmark: &mut Benchmark) {
    let range = draft::function_range(seen, index);
    let text = seen.text(range.clone());
    let Some(at) = memchr::memmem::find(text, b"benchmark.pedantic(") else { return };
    let open = at + b"benchmark.pedantic".len();
    let Some(inside) = scan::inside(text, open) else { return };
    let parts = scan::parts(&text[inside]);
    let line = seen.line_of(range.start + at);
    let number = |name| scan::named(&parts, name).and_then(|text| text.parse::<u64>().ok());
    "rounds and iterations fixed by the author with `benchmark.pedantic`".clone_into(&mut benchmark.timing);
    if scan::named(&parts, "rounds").is_none() || number("rounds") == Some(1) {
        let reason = "`benchmark.pedantic` takes one round unless `rounds` is larger, so the result is one measurement without a spread.";
        draft::flaw(benchmark, Flaw::MeanOfOne, line, reason);
    }
    if scan::named(&parts, "warmup_rounds").is_none() || number("warmup_rounds") == Some(0) {
        let reason = "`benchmark.pedantic` warms up only if `warmup_rounds` is larger than 0.";
        draft::flaw(benchmark, Flaw::NoWarmup, line, reason);
    }
}
