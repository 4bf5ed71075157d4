//! Timing loops written by hand: two readings of a clock, a subtraction, and code between them.

use super::{code, draft, gpu, region};
use crate::{
    facts::{Benchmark, Flaw, Framework, LanguageId, Parameter},
    scan,
    seen::{Seen, Sign},
};

/// Calls that prepare work rather than do it.
const PYTHON_SETUP: [&str; 16] = [
    "torch.randn(",
    "torch.rand(",
    "torch.zeros(",
    "torch.ones(",
    "torch.randint(",
    "torch.load(",
    "np.random.",
    "numpy.random.",
    "np.zeros(",
    "np.ones(",
    "from_pretrained(",
    "read_csv(",
    "open(",
    "load_model(",
    "load_dataset(",
    ".to(device",
];
const RUST_SETUP: [&str; 6] =
    ["vec![", "Vec::with_capacity", "File::open", "fs::read", ".to_vec()", "String::with_capacity"];
const C_SETUP: [&str; 7] =
    ["malloc(", "calloc(", "fopen(", "cudaMalloc(", "std::vector<", "new ", "hipMalloc("];

/// Clocks that may jump: the last part of the name, what stands before it, and why.
const JUMPING: [(&str, &str, &str); 7] = [
    (
        "time",
        "time.",
        "`time.time` follows the system clock, which may be set back; `time.perf_counter` does not",
    ),
    (
        "time_ns",
        "",
        "`time.time_ns` follows the system clock, which may be set back; `time.perf_counter_ns` does not",
    ),
    (
        "now",
        "datetime",
        "`datetime.now` follows the system clock, which may be set back; `time.perf_counter` does not",
    ),
    ("now", "SystemTime", "`SystemTime` follows the system clock, which may be set back; `Instant` does not"),
    ("now", "Utc", "`Utc::now` follows the system clock, which may be set back; `Instant` does not"),
    (
        "now",
        "system_clock",
        "`system_clock` follows the system clock, which may be set back; `steady_clock` does not",
    ),
    (
        "now",
        "high_resolution_clock",
        "`high_resolution_clock` is `system_clock` in libstdc++, which may be set back; `steady_clock` does not",
    ),
];

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>) {
    let mut functions: Vec<u32> = seen
        .events
        .iter()
        .filter(|event| event.sign == Sign::Clock)
        .filter_map(|event| event.function)
        .collect();
    functions.sort_unstable();
    functions.dedup();
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
        if judge(seen, index as usize, &mut benchmark) {
            benchmark.name.clone_from(&function.qualified);
            benchmark.parameters = function
                .arguments
                .iter()
                .filter(|argument| {
                    !matches!(argument.name.as_str(), "self" | "&self" | "&mut self" | "cls" | "")
                })
                .map(|argument| Parameter {
                    name: argument.name.clone(),
                    values: argument.default.iter().cloned().collect(),
                })
                .collect();
            found.push(benchmark);
        }
    }
}

/// Judges the timed regions of a function, and says whether it has any.
pub(super) fn judge(seen: &Seen<'_>, index: usize, benchmark: &mut Benchmark) -> bool {
    let Ok(number) = u32::try_from(index) else { return false };
    let body = draft::function_range(seen, index);
    let regions = region::regions(seen, number);
    let mut any = false;
    for region in &regions {
        let code = code::only(seen, region.range.clone());
        let callees = scan::callees(&code);
        let launches = seen.events.iter().any(|event| {
            event.sign == Sign::Launch
                && region.range.start <= event.range.start
                && event.range.end <= region.range.end
        });
        let around = seen.loops.iter().any(|range| {
            range.start < region.range.start && region.range.end <= range.end && body.start < range.start
        });
        let within =
            seen.loops.iter().any(|range| region.range.start <= range.start && range.end <= region.range.end);
        // Between two readings that do nothing lies no benchmark.
        if callees.is_empty() && !launches && !within {
            continue;
        }
        any = true;
        if benchmark.timing.is_empty() {
            let how = match (around, within) {
                (true, _) => "each repetition",
                (false, true) => "a loop as a whole",
                (false, false) => "one execution",
            };
            benchmark.timing = format!("`{}` around {how}", region.clock);
        }
        repetitions(benchmark, region.line, around, within);
        warm_up(seen, &body, region, &callees, benchmark);
        setup(seen, region, &code, &callees, benchmark);
        device(seen, &body, region, launches, benchmark);
        clock(region, benchmark);
    }
    any
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
    body: &std::ops::Range<usize>,
    region: &region::Region,
    callees: &[&[u8]],
    benchmark: &mut Benchmark,
) {
    let before = code::only(seen, body.start..region.range.start);
    // Waiting executes nothing; short names of functions are too common, but a launch is a launch.
    let work = callees.iter().filter(|name| !scan::has(name, "ynchronize"));
    let executed = work.clone().any(|name| {
        scan::words(&before, name).any(|at| match before.get(at + name.len()) {
            Some(b'(') => name.len() > 2,
            Some(b'<') => true,
            _ => false,
        })
    });
    let lower = code::only(seen, body.clone()).to_ascii_lowercase();
    let warms = ["warmup", "warm_up", "warmed"].iter().any(|word| scan::has(&lower, word));
    if warms && !scan::has(&lower, "no_warm") || executed {
        return;
    }
    let reason = "The measured code is not executed before the clock starts, so cold caches and lazy initialisation are measured.";
    draft::flaw(benchmark, Flaw::NoWarmup, region.line, reason);
}

fn setup(
    seen: &Seen<'_>,
    region: &region::Region,
    text: &[u8],
    callees: &[&[u8]],
    benchmark: &mut Benchmark,
) {
    let names: &[&str] = match seen.facts.language {
        LanguageId::Python => &PYTHON_SETUP,
        LanguageId::Rust => &RUST_SETUP,
        LanguageId::C | LanguageId::Cpp | LanguageId::Cuda => &C_SETUP,
    };
    let Some((at, name)) = scan::first_of(text, names) else { return };
    let bare = name.trim_matches(['(', '.', '[', '<', ' ', '!']);
    let last = bare.rsplit(['.', ':']).next().unwrap_or_default().as_bytes();
    // If the preparation is all there is, it is what is measured.
    if callees.iter().all(|callee| *callee == last) {
        return;
    }
    let reason =
        format!("`{bare}` prepares the work between the two clock readings, and is measured with it.");
    draft::flaw(benchmark, Flaw::SetupTimed, seen.line_of(region.range.start + at), reason);
}

fn device(
    seen: &Seen<'_>,
    body: &std::ops::Range<usize>,
    region: &region::Region,
    launches: bool,
    benchmark: &mut Benchmark,
) {
    let language = seen.facts.language;
    let used = match language {
        // Devices have names in strings.
        LanguageId::Python => gpu::used(&code::uncommented(seen, body.clone()), language),
        _ => launches || gpu::used(&code::only(seen, region.range.clone()), language),
    };
    benchmark.gpu |= used;
    // CUDA events are read on the device; the program must only wait for the last of them.
    let events = region.clock.ends_with("EventRecord");
    let waits = if events { body.clone() } else { region.range.clone() };
    let waited = gpu::synchronises(&code::only(seen, waits), language);
    if used && !waited {
        let reason = "The second clock reading does not wait for the GPU, so the time of starting the work is measured, not the work.";
        draft::flaw(benchmark, Flaw::NoDeviceSync, region.line, reason);
    }
}

fn clock(region: &region::Region, benchmark: &mut Benchmark) {
    let clock = &region.clock;
    let last = clock.rsplit(['.', ':']).next().unwrap_or_default();
    let jumping = JUMPING.iter().find(|line| last == line.0 && clock.contains(line.1)).map(|line| line.2);
    let bare = matches!(last, "time" | "gettimeofday")
        .then_some("This clock follows the system clock, which may be set back; `clock_gettime(CLOCK_MONOTONIC)` does not");
    let cpu = matches!(clock.as_str(), "clock" | "std::clock" | "time.clock")
        .then_some("`clock` counts processor time of all threads and overflows; a monotonic clock does not");
    if let Some(reason) = jumping.or(bare).or(cpu) {
        draft::flaw(benchmark, Flaw::NonMonotonicClock, region.line, format!("{reason}."));
    }
}
