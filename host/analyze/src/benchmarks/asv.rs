//! airspeed velocity: methods and functions `time_*`, `timeraw_*`, `mem_*`, `peakmem_*`, `track_*`.

use super::{code, draft, setup};
use crate::{
    clocks::Kind,
    facts::{Benchmark, Flaw, Framework, Parameter},
    scan,
    seen::Seen,
};

const PREFIXES: [(&str, &str); 5] = [
    (TIME, "samples calibrated by asv with a monotonic clock"),
    (TIMERAW, "samples of a new process, by asv"),
    ("mem_", "size of the returned object, by asv"),
    ("peakmem_", "peak memory of the process, by asv"),
    ("track_", "a number that the method returns"),
];

/// The two that measure time. The others measure memory or anything, and no clock is read.
const TIME: &str = "time_";
const TIMERAW: &str = "timeraw_";

/// Attributes of a class or function that only asv reads.
const ATTRIBUTES: [&str; 8] =
    ["params", "param_names", "timeout", "number", "repeat", "warmup_time", "sample_time", "min_run_count"];

/// Functions that asv calls around a benchmark.
const AROUND: [&str; 3] = ["setup", "setup_cache", "teardown"];

/// How many bases of a class are looked through.
const BASES: usize = 8;

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>, candidates: &mut Vec<Benchmark>) {
    for (index, class) in seen.facts.classes.iter().enumerate() {
        let timed: Vec<(usize, &str)> = draft::methods(seen, index)
            .filter_map(|(method, function)| Some((method, prefix(&function.name)?)))
            .collect();
        if timed.is_empty() {
            continue;
        }
        let around =
            draft::methods(seen, index).any(|(_, function)| AROUND.contains(&function.name.as_str()));
        let attributes = Attributes::of_class(seen, index);
        let configured = ATTRIBUTES.iter().any(|name| attributes.get(name).is_some());
        // `time_left` of a timer is no benchmark.
        if !(around || configured || is_named(&class.name)) {
            continue;
        }
        for (method, prefix) in timed {
            if found.len() >= draft::MOST {
                return;
            }
            if let Some(mut benchmark) = benchmark(seen, method, prefix, &attributes) {
                benchmark.name = format!("{}.{}", class.name, benchmark.name);
                found.push(benchmark);
            }
        }
    }
    functions(seen, found, candidates);
}

/// Functions of the module. Only what else is there tells them from others of such a name, or the name of the file.
fn functions(seen: &Seen<'_>, found: &mut Vec<Benchmark>, candidates: &mut Vec<Benchmark>) {
    let is_outer = |name: &str, qualified: &str| name == qualified;
    let around = seen.facts.functions.iter().any(|function| {
        AROUND.contains(&function.name.as_str()) && is_outer(&function.name, &function.qualified)
    });
    let imported = seen.facts.imports.iter().any(|import| {
        let module = import.module.as_deref().unwrap_or(&import.name);
        matches!(module.split('.').next(), Some("asv" | "asv_runner"))
    });
    let beside = found.iter().any(|benchmark| benchmark.framework == Framework::Asv);
    for (index, function) in seen.facts.functions.iter().enumerate() {
        let Some(prefix) = prefix(&function.name).filter(|_| is_outer(&function.name, &function.qualified))
        else {
            continue;
        };
        // asv reads the clock itself.
        if found.len() + candidates.len() >= draft::MOST || draft::reads_clock(seen, index) {
            continue;
        }
        let attributes = Attributes::of_function(seen, &function.name);
        let configured =
            ATTRIBUTES.iter().chain(&AROUND).chain(&["unit"]).any(|name| attributes.get(name).is_some());
        let Some(benchmark) = benchmark(seen, index, prefix, &attributes) else { continue };
        if around || imported || beside || configured {
            found.push(benchmark);
        } else {
            candidates.push(benchmark);
        }
    }
}

fn prefix(name: &str) -> Option<&'static str> {
    PREFIXES.iter().find(|line| name.starts_with(line.0)).map(|line| line.0)
}

/// Whether a class is named as asv's own examples are: `TimeSuite`, `MemSort`. `Timeout` is not.
fn is_named(name: &str) -> bool {
    let begins = |start: &&str| {
        name.strip_prefix(*start)
            .is_some_and(|rest| rest.chars().next().is_none_or(|next| !next.is_lowercase()))
    };
    name.ends_with("Suite")
        || name.contains("Bench")
        || ["Time", "Mem", "PeakMem", "Track"].iter().any(begins)
}

/// Where attributes are assigned: pieces of the file with their offsets, nearest first, and what stands before names.
struct Attributes {
    pieces: Vec<(usize, Vec<u8>)>,
    owner: String,
}

impl Attributes {
    /// Those of a class and of its bases in this file, without what its methods assign.
    fn of_class(seen: &Seen<'_>, index: usize) -> Self {
        let mut pieces = Vec::new();
        let mut next = Some(index);
        while let Some(index) = next.filter(|_| pieces.len() < BASES) {
            let range = seen.classes.get(index).cloned().unwrap_or_default();
            let mut text = code::uncommented(seen, range.clone());
            let first = seen.functions.partition_point(|function| function.start < range.start);
            for function in seen.functions[first..].iter().take_while(|function| function.start < range.end) {
                let (start, end) = (function.start - range.start, function.end.min(range.end) - range.start);
                code::blank(text.get_mut(start..end).unwrap_or_default());
            }
            pieces.push((range.start, text));
            let class = seen.facts.classes.get(index);
            next = class.and_then(|class| {
                let mut others = seen.facts.classes.iter();
                others.position(|other| other.name != class.name && draft::has_base(class, &other.name))
            });
        }
        Self { pieces, owner: String::new() }
    }

    /// Those of a function, which the module assigns: `time_sort.params = …`.
    fn of_function(seen: &Seen<'_>, name: &str) -> Self {
        let text = code::uncommented(seen, 0..seen.source.len());
        Self { pieces: vec![(0, text)], owner: format!("{name}.") }
    }

    /// Where an attribute is assigned, and what.
    fn get(&self, name: &str) -> Option<(usize, String)> {
        let whole = format!("{}{name}", self.owner);
        self.pieces
            .iter()
            .find_map(|(start, text)| scan::assignment(text, &whole).map(|(at, value)| (start + at, value)))
    }
}

fn benchmark(seen: &Seen<'_>, index: usize, prefix: &str, attributes: &Attributes) -> Option<Benchmark> {
    let timing = PREFIXES.iter().find(|line| line.0 == prefix)?.1;
    let mut benchmark = draft::of_function(seen, index, Framework::Asv, timing)?;
    benchmark.parameters = parameters(attributes);
    if !matches!(prefix, TIME | TIMERAW) {
        return Some(benchmark);
    }
    settings(seen, attributes, &mut benchmark);
    // What `timeraw_` returns is source, and executed elsewhere.
    if prefix == TIME {
        setup::judge(seen, draft::body_range(seen, index), &mut benchmark);
        let code = draft::function_text(seen, index);
        let line = benchmark.line;
        draft::unsynchronised(&mut benchmark, code, line, seen.facts.language);
    }
    Some(benchmark)
}

/// `params = ([1, 2], ["a"])` with `param_names = ["n", "kind"]`; a single list is one parameter.
fn parameters(attributes: &Attributes) -> Vec<Parameter> {
    let Some((_, written)) = attributes.get("params") else { return Vec::new() };
    let names: Vec<String> = attributes
        .get("param_names")
        .map(|(_, text)| scan::values(&text).iter().map(|name| scan::unquoted(name)).collect())
        .unwrap_or_default();
    let rows = scan::values(&written);
    let nested = rows.iter().all(|row| row.starts_with(['[', '('])) && !rows.is_empty();
    let lists = if nested { rows.iter().map(|row| scan::values(row)).collect() } else { vec![rows] };
    let name = |at: usize| names.get(at).cloned().unwrap_or_else(|| format!("param{}", at + 1));
    lists.into_iter().enumerate().map(|(at, values)| Parameter { name: name(at), values }).collect()
}

fn settings(seen: &Seen<'_>, attributes: &Attributes, benchmark: &mut Benchmark) {
    if let Some((at, written)) = attributes.get("repeat") {
        // `(least, most, seconds)` bounds the number of samples.
        let values = scan::values(&written);
        let most = if values.len() > 1 { values.get(1) } else { values.first() };
        if most.and_then(|text| text.parse::<f64>().ok()) == Some(1.0) {
            let reason = format!("`repeat = {written}` takes one sample, so the result has no spread.");
            draft::flaw(benchmark, Flaw::MeanOfOne, seen.line_of(at), reason);
        }
    }
    if let Some((at, written)) = attributes.get("warmup_time")
        && written.parse::<f64>().ok() == Some(0.0)
    {
        let reason = format!("`warmup_time = {written}` measures the first execution, with cold caches.");
        draft::flaw(benchmark, Flaw::NoWarmup, seen.line_of(at), reason);
    }
    if let Some((at, written)) = attributes.get("timer") {
        match seen.clocks.kind(&written, b"") {
            Kind::Settable(reason) => {
                draft::flaw(benchmark, Flaw::NonMonotonicClock, seen.line_of(at), format!("{reason}."));
            }
            Kind::Processor => {
                benchmark.timing = format!("samples calibrated by asv with `{written}` (processor time)");
            }
            Kind::Steady => {}
        }
    }
}
