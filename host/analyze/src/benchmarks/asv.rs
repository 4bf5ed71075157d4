//! airspeed velocity: classes with methods `time_*`, `timeraw_*`, `mem_*`, `peakmem_*`, `track_*`.

use super::draft;
use crate::{
    facts::{Benchmark, Flaw, Framework, Parameter},
    scan,
    seen::Seen,
};

const PREFIXES: [(&str, &str); 5] = [
    ("time_", "samples calibrated by asv with a monotonic clock"),
    ("timeraw_", "samples of a new process, by asv"),
    ("mem_", "size of the returned object, by asv"),
    ("peakmem_", "peak memory of the process, by asv"),
    ("track_", "a number that the method returns"),
];

/// Attributes of a class that only asv reads.
const ATTRIBUTES: [&str; 8] =
    ["params", "param_names", "timeout", "number", "repeat", "warmup_time", "sample_time", "min_run_count"];

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>) {
    for (index, class) in seen.facts.classes.iter().enumerate() {
        let timed: Vec<(usize, &str)> = draft::methods(seen, index)
            .filter_map(|(method, function)| {
                let line = PREFIXES.iter().find(|line| function.name.starts_with(line.0))?;
                Some((method, line.1))
            })
            .collect();
        if timed.is_empty() {
            continue;
        }
        let text = seen.classes.get(index).map(|range| seen.text(range.clone())).unwrap_or_default();
        let has_setup = draft::methods(seen, index)
            .any(|(_, function)| matches!(function.name.as_str(), "setup" | "setup_cache" | "teardown"));
        let configured = ATTRIBUTES.iter().any(|name| scan::assigned(text, name).is_some());
        let named = class.name.ends_with("Suite")
            || class.name.contains("Bench")
            || ["Time", "Mem", "PeakMem", "Track"].iter().any(|start| class.name.starts_with(start));
        // `time_left` of a timer is no benchmark.
        if !(has_setup || configured || named) {
            continue;
        }
        let parameters = parameters(text);
        let first = class.line;
        for (method, timing) in timed {
            if found.len() >= draft::MOST {
                return;
            }
            let Some(mut benchmark) = draft::of_function(seen, method, Framework::Asv, timing) else {
                continue;
            };
            benchmark.name = format!("{}.{}", class.name, benchmark.name);
            benchmark.parameters.clone_from(&parameters);
            settings(text, first, &mut benchmark);
            let code = draft::function_text(seen, method);
            let line = benchmark.line;
            draft::unsynchronised(&mut benchmark, code, line, seen.facts.language);
            found.push(benchmark);
        }
    }
}

/// `params = ([1, 2], ["a"])` with `param_names = ["n", "kind"]`; a single list is one parameter.
fn parameters(text: &[u8]) -> Vec<Parameter> {
    let Some(written) = scan::assigned(text, "params") else { return Vec::new() };
    let names: Vec<String> = scan::assigned(text, "param_names")
        .map(|text| scan::values(&text).iter().map(|name| scan::unquoted(name)).collect())
        .unwrap_or_default();
    let rows = scan::values(&written);
    let nested = rows.iter().all(|row| row.starts_with(['[', '('])) && !rows.is_empty();
    let lists = if nested { rows.iter().map(|row| scan::values(row)).collect() } else { vec![rows] };
    let name = |at: usize| names.get(at).cloned().unwrap_or_else(|| format!("param{}", at + 1));
    lists.into_iter().enumerate().map(|(at, values)| Parameter { name: name(at), values }).collect()
}

fn settings(text: &[u8], line: u32, benchmark: &mut Benchmark) {
    let number = |name| scan::assigned(text, name).and_then(|text| text.parse::<f64>().ok());
    if number("repeat") == Some(1.0) {
        let reason = "`repeat = 1` takes one sample, so the result has no spread.";
        draft::flaw(benchmark, Flaw::MeanOfOne, line, reason);
    }
    if number("warmup_time") == Some(0.0) {
        let reason = "`warmup_time = 0` measures the first execution, with cold caches.";
        draft::flaw(benchmark, Flaw::NoWarmup, line, reason);
    }
}
