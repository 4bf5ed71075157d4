//! Timing loops written by hand: two readings of a clock, a subtraction, and code between them.

use std::ops::Range;

use super::{
    code, draft, evidence, gpu, module,
    operations::{self, Operation},
    region, setup,
};
use crate::{
    clocks::{self, Kind},
    facts::{Benchmark, Flaw, Framework, LanguageId, Parameter},
    scan,
    seen::{Event, Seen},
    signs::Sign,
};

/// What the timed regions of a function are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Judged {
    /// There are none, or nothing is done in them.
    Nothing,
    /// Work is timed, as programs time what they log.
    Timed,
    /// Work is timed and repeated.
    Repeated,
}

/// Finds benchmarks, and in `candidates` timings that are benchmarks only if the file says so by its name.
pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>, candidates: &mut Vec<Benchmark>) {
    let mut functions: Vec<u32> = seen
        .events
        .iter()
        .filter(|event| event.sign == Sign::Clock)
        .filter_map(|event| event.function)
        .collect();
    functions.sort_unstable();
    functions.dedup();
    // Beside the benchmarks of a framework stands what is measured without it. Programs call timeit, too.
    let beside = found.iter().any(|known| known.framework != Framework::Timeit);
    let mut add = |benchmark: Benchmark, judged: Judged, found: &mut Vec<Benchmark>| {
        if judged == Judged::Repeated || beside || evidence::names_function(&benchmark.name) {
            found.push(benchmark);
        } else {
            candidates.push(benchmark);
        }
    };
    for index in functions {
        if found.len() >= draft::MOST {
            return;
        }
        let Some(function) = seen.facts.functions.get(index as usize) else { continue };
        // What a framework measures is told already.
        let told = found.iter().any(|known| {
            known.framework != Framework::Timeit
                && known.line <= function.line
                && function.end_line <= known.end_line
        });
        if told {
            continue;
        }
        let Some(mut benchmark) = draft::of_function(seen, index as usize, Framework::HandWritten, "") else {
            continue;
        };
        let judged = judge(seen, index as usize, &mut benchmark);
        if judged == Judged::Nothing {
            continue;
        }
        benchmark.name.clone_from(&function.qualified);
        benchmark.parameters = function
            .arguments
            .iter()
            .filter(|argument| !matches!(argument.name.as_str(), "self" | "&self" | "&mut self" | "cls" | ""))
            .map(|argument| Parameter {
                name: argument.name.clone(),
                values: argument.default.iter().cloned().collect(),
            })
            .collect();
        add(benchmark, judged, found);
    }
    let outside = |event: &Event| event.sign == Sign::Clock && event.function.is_none();
    if seen.facts.language == LanguageId::Python && seen.events.iter().any(outside) {
        let source = module::source(seen);
        let whole = module::seen(seen, &source);
        let Some(mut benchmark) = draft::of_function(&whole, 0, Framework::HandWritten, "") else { return };
        let judged = judge(&whole, 0, &mut benchmark);
        if judged != Judged::Nothing {
            let regions = region::regions(&whole, 0);
            let lines = regions.iter().map(|region| (region.line, whole.line_of(region.difference)));
            let (first, last) = lines.fold((u32::MAX, 1), |all, one| (all.0.min(one.0), all.1.max(one.1)));
            (benchmark.line, benchmark.end_line) = (first, last);
            add(benchmark, judged, found);
        }
    }
}

/// Judges the timed regions of a function.
pub(super) fn judge(seen: &Seen<'_>, index: usize, benchmark: &mut Benchmark) -> Judged {
    let Ok(number) = u32::try_from(index) else { return Judged::Nothing };
    let body = draft::function_range(seen, index);
    let regions = region::regions(seen, number);
    let mut judged = Judged::Nothing;
    for region in &regions {
        let code = code::only(seen, region.range.clone());
        let calls = scan::calls(&code);
        let launches: Vec<usize> = seen
            .events
            .iter()
            .filter(|event| {
                event.sign == Sign::Launch
                    && region.range.start <= event.range.start
                    && event.range.end <= region.range.end
            })
            .map(|event| event.range.start - region.range.start)
            .collect();
        let around = seen.loops.iter().any(|range| {
            range.start < region.range.start && region.range.end <= range.end && body.start <= range.start
        });
        let within =
            seen.loops.iter().any(|range| region.range.start <= range.start && range.end <= region.range.end);
        let work = Work { calls, operations: operations::operations(&code), launches };
        // Between two readings that do nothing lies no benchmark.
        if work.calls.is_empty() && work.operations.is_empty() && work.launches.is_empty() && !within {
            continue;
        }
        let repeated = evidence::repeats(seen, index, region, &work.calls);
        judged = judged.max(if repeated { Judged::Repeated } else { Judged::Timed });
        let kind = seen.clocks.kind(&region.clock, &region.arguments);
        if benchmark.timing.is_empty() {
            let how = match (around, within) {
                (true, _) => "each repetition",
                (false, true) => "a loop as a whole",
                (false, false) => "one execution",
            };
            // Not a problem: some measure the processor's time on purpose.
            let counts = match kind {
                Kind::Processor => " (processor time, without that of waiting)",
                _ => "",
            };
            benchmark.timing = format!("`{}`{counts} around {how}", region.clock);
        }
        repetitions(benchmark, region.line, around, within);
        warm_up(seen, &body, region, &work, benchmark);
        setup::judge(seen, region.range.clone(), benchmark);
        device(seen, &body, region, &code, &work, benchmark);
        if let Kind::Settable(reason) = kind {
            draft::flaw(benchmark, Flaw::NonMonotonicClock, region.line, format!("{reason}."));
        }
    }
    judged
}

/// What is done between two readings.
struct Work<'c> {
    calls: Vec<(usize, &'c [u8])>,
    operations: Vec<Operation>,
    launches: Vec<usize>,
}

fn repetitions(benchmark: &mut Benchmark, line: u32, around: bool, within: bool) {
    if around {
        return;
    }
    let reason = if within {
        "The loop is timed as a whole, which gives one mean without a spread."
    } else {
        "The code is executed and timed once, so its result is one measurement without a spread."
    };
    draft::flaw(benchmark, Flaw::MeanOfOne, line, reason);
}

fn warm_up(
    seen: &Seen<'_>,
    body: &Range<usize>,
    region: &region::Region,
    work: &Work<'_>,
    benchmark: &mut Benchmark,
) {
    let before = code::only(seen, body.start..region.range.start);
    // Waiting executes nothing; short names of functions are too common, but a launch is a launch.
    let called =
        work.calls.iter().map(|call| call.1).filter(|name| !scan::has(name, "ynchronize")).any(|name| {
            scan::words(&before, name).any(|at| match before.get(at + name.len()) {
                Some(b'(') => name.len() > 2,
                Some(b'<') => true,
                _ => false,
            })
        });
    let computed = || {
        let earlier = operations::operations(&before);
        work.operations.iter().any(|one| earlier.iter().any(|other| other.text == one.text))
    };
    let lower = code::only(seen, body.clone()).to_ascii_lowercase();
    let warms = ["warmup", "warm_up", "warmed"].iter().any(|word| scan::has(&lower, word));
    if warms && !scan::has(&lower, "no_warm") || called || computed() {
        return;
    }
    let reason = "The measured code is not executed before the clock starts, so cold caches and lazy initialisation are measured.";
    draft::flaw(benchmark, Flaw::NoWarmup, region.line, reason);
}

fn device(
    seen: &Seen<'_>,
    body: &Range<usize>,
    region: &region::Region,
    code: &[u8],
    work: &Work<'_>,
    benchmark: &mut Benchmark,
) {
    let language = seen.facts.language;
    let used = match language {
        // Devices have names in strings.
        LanguageId::Python => gpu::used(&code::uncommented(seen, body.clone()), language),
        _ => !work.launches.is_empty() || gpu::used(code, language),
    };
    benchmark.gpu |= used;
    // Events are read on the device; the program must only wait for the last of them before it compares them.
    let is_event = region.clock.ends_with("EventRecord") || region.clock == clocks::EVENT;
    let waited = if is_event {
        gpu::synchronises(&code::only(seen, region.range.end..body.end), language)
    } else {
        gpu::waits_at_the_end(code, language, &work.launches)
    };
    if !used || waited {
        return;
    }
    if is_event {
        let reason = "The events are compared without waiting for the second one, which fails or gives a wrong time if the GPU has not \
                      reached it. Synchronise with it first.";
        draft::flaw(benchmark, Flaw::NoDeviceSync, region.line, reason);
        return;
    }
    let reason = match gpu::synchronises(code, language) {
        true => {
            "The GPU is waited for before its work is started and not after it, so the time of starting the work is measured, not the work."
        }
        false => {
            "The second clock reading does not wait for the GPU, so the time of starting the work is measured, not the work."
        }
    };
    draft::flaw(benchmark, Flaw::NoDeviceSync, region.line, reason);
}
