//! Python's `timeit`.

use super::{code, draft};
use crate::{
    clocks::Kind,
    facts::{Benchmark, Flaw, Framework, Parameter},
    scan,
    seen::{Event, Seen},
    signs::Sign,
};

/// The module and its class, in full.
const MODULE: &str = "timeit";
const TIMER: &str = "timeit.Timer";

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>) {
    let imported = seen.facts.imports.iter().any(|import| match import.module.as_deref() {
        Some(module) => module == MODULE,
        None => import.name == MODULE,
    });
    if !imported {
        return;
    }
    let whole = code::uncommented(seen, 0..seen.source.len());
    for event in seen.events.iter().filter(|event| event.sign == Sign::Framework) {
        if found.len() >= draft::MOST {
            return;
        }
        let callee = String::from_utf8_lossy(seen.text(event.callee.clone())).into_owned();
        let last = callee.rsplit('.').next().unwrap_or_default().to_owned();
        if is_timeit(seen, &whole, &callee) {
            found.push(benchmark(seen, event, &callee, &last));
        }
    }
}

/// Whether a call is one of timeit's own functions, or of a method of its `Timer`. Others have such names too.
fn is_timeit(seen: &Seen<'_>, whole: &[u8], callee: &str) -> bool {
    let meant = seen.clocks.meant(callee);
    if matches!(meant.as_ref(), "timeit.timeit" | "timeit.repeat") {
        return true;
    }
    let Some((receiver, "timeit" | "repeat" | "autorange")) = callee.rsplit_once('.') else { return false };
    // `timeit.Timer("x").timeit`
    if let Some(at) = receiver.find('(') {
        return seen.clocks.meant(&receiver[..at]) == TIMER;
    }
    // `t = timeit.Timer("x")`
    scan::words(whole, receiver.as_bytes()).any(|at| {
        let after = whole[at + receiver.len()..].trim_ascii_start();
        let Some(value) = after.strip_prefix(b"=").map(<[u8]>::trim_ascii_start) else { return false };
        let end = value.iter().position(|byte| !scan::is_word(*byte) && *byte != b'.').unwrap_or(value.len());
        value.get(end) == Some(&b'(') && seen.clocks.meant(&String::from_utf8_lossy(&value[..end])) == TIMER
    })
}

fn benchmark(seen: &Seen<'_>, event: &Event, callee: &str, last: &str) -> Benchmark {
    let call = seen.text(event.callee.end..event.range.end);
    let parts = scan::listed(call, 0).unwrap_or_default();
    let direct = !callee.contains("Timer");
    // `timeit(statement, setup, timer)`
    let third = || parts.get(2).filter(|part| direct && !part.contains('=')).map(String::as_str);
    let timer = scan::named(&parts, "timer").or_else(third);
    let kind = timer.map_or(Kind::Steady, |timer| seen.clocks.kind(timer, b""));
    let counts = if kind == Kind::Processor { " (processor time)" } else { "" };
    let clock = timer.unwrap_or("time.perf_counter");
    let timing = format!("`{last}` of timeit, with `{clock}`{counts} and without garbage collection");
    let drafted =
        event.function.and_then(|index| draft::of_function(seen, index as usize, Framework::Timeit, &timing));
    let mut benchmark = drafted.unwrap_or_else(|| Benchmark {
        name: "timeit".to_owned(),
        subject: String::new(),
        framework: Framework::Timeit,
        category: None,
        line: event.line,
        end_line: seen.line_of(event.range.end),
        parameters: Vec::new(),
        timing,
        problems: Vec::new(),
        gpu: false,
        shape: 0,
        nodes: 0,
    });
    benchmark.line = event.line;
    benchmark.end_line = seen.line_of(event.range.end);
    if let Kind::Settable(reason) = kind {
        draft::flaw(&mut benchmark, Flaw::NonMonotonicClock, event.line, format!("{reason}."));
    }
    let number = scan::named(&parts, "number").map(str::to_owned);
    if let Some(number) = &number {
        benchmark.parameters.push(Parameter { name: "number".to_owned(), values: vec![number.clone()] });
    }
    if number.as_deref() == Some("1") && last == "timeit" {
        let reason = "`number=1` executes the statement once, so the result is one measurement, the first.";
        draft::flaw(&mut benchmark, Flaw::MeanOfOne, event.line, reason);
        let reason = "Nothing executes the statement before the only execution that is measured.";
        draft::flaw(&mut benchmark, Flaw::NoWarmup, event.line, reason);
    } else if last == "timeit" {
        let reason =
            "`timeit` gives one mean over all executions. `repeat` would give several, and so a spread.";
        draft::flaw(&mut benchmark, Flaw::MeanOfOne, event.line, reason);
    }
    let setup =
        scan::named(&parts, "setup").is_some() || (direct && parts.len() > 1 && !parts[1].contains('='));
    let statement = parts.first().map(|text| scan::unquoted(text)).unwrap_or_default();
    if direct && !setup && statement.starts_with("import ") {
        let reason = "The statement imports a module. Move the import to `setup`, which is not measured.";
        draft::flaw(&mut benchmark, Flaw::SetupTimed, event.line, reason);
    }
    benchmark
}
