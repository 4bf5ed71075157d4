//! pytest-benchmark: functions with the fixture `benchmark`.

use super::draft;
use crate::{
    facts::{Benchmark, Flaw, Framework, Parameter},
    scan,
    seen::Seen,
};

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>) {
    for (index, function) in seen.facts.functions.iter().enumerate() {
        if found.len() >= draft::MOST {
            return;
        }
        let fixture = function.arguments.iter().any(|argument| {
            matches!(argument.name.as_str(), "benchmark" | "benchmark_weave") && argument.default.is_none()
        });
        let text = draft::function_text(seen, index);
        let called = [b"benchmark(".as_slice(), b"benchmark.pedantic(", b"benchmark_weave("]
            .iter()
            .any(|call| memchr::memmem::find(text, call).is_some());
        let decorated = function.decorators.iter().any(|text| text.contains("pytest.mark.benchmark"));
        // `def _run(benchmark): ...` of some other library passes the name along and calls nothing.
        if !fixture || !(called || decorated) {
            continue;
        }
        let timing = "rounds calibrated by pytest-benchmark with `time.perf_counter`";
        let Some(mut benchmark) = draft::of_function(seen, index, Framework::PytestBenchmark, timing) else {
            continue;
        };
        for decorator in &function.decorators {
            parametrized(decorator, &mut benchmark);
        }
        pedantic(seen, index, &mut benchmark);
        draft::unsynchronised(&mut benchmark, text, function.line, seen.facts.language);
        found.push(benchmark);
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
