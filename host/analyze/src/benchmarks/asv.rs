//! airspeed velocity: methods and functions `time_*`, `timeraw_*`, `mem_*`, `peakmem_*`, `track_*`.

use super::{code, draft, setup};
use crate::{
    clocks::Kind,
    facts::{Benchmark, Flaw, Framework, Function, Parameter},
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

/// Decorators of asv_runner that give parameters: `@parameterize({"n": [1, 2]})`.
const PARAMETERIZE: [&str; 3] = ["parameterize", "parameterize_class_with", "parameterize_func_with"];

/// Those that leave something out, and those that set a limit.
const SKIP: &str = "skip_benchmark";
const SKIP_VALUES: &str = "skip_for_params";
const OTHERS: [&str; 7] = [
    SKIP,
    SKIP_VALUES,
    "skip_benchmark_if",
    "skip_params_if",
    "timeout_at",
    "timeout_class_at",
    "timeout_func_at",
];

/// How many bases of a class are looked through.
const BASES: usize = 8;

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>, candidates: &mut Vec<Benchmark>) {
    let imported = imports_asv(seen);
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
        let methods = timed.iter().filter_map(|(method, _)| seen.facts.functions.get(*method));
        let marked = class
            .decorators
            .iter()
            .chain(methods.flat_map(|method| &method.decorators))
            .any(|decorator| is_mark(decorator));
        // `time_left` of a timer is no benchmark.
        if !(around || configured || marked || imported || is_named(&class.name)) {
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
    let imported = imports_asv(seen);
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
        let attributes = Attributes::of_function(seen, function);
        let configured = function.decorators.iter().any(|decorator| is_mark(decorator))
            || ATTRIBUTES.iter().chain(&AROUND).chain(&["unit"]).any(|name| attributes.get(name).is_some());
        let Some(benchmark) = benchmark(seen, index, prefix, &attributes) else { continue };
        if around || imported || beside || configured {
            found.push(benchmark);
        } else {
            candidates.push(benchmark);
        }
    }
}

fn imports_asv(seen: &Seen<'_>) -> bool {
    seen.facts.imports.iter().any(|import| {
        let module = import.module.as_deref().unwrap_or(&import.name);
        matches!(module.split('.').next(), Some("asv" | "asv_runner"))
    })
}

/// The last name of a decorator, and what stands in its brackets.
fn decorator(text: &str) -> (&str, &str) {
    let (path, inside) = match text.find('(').and_then(|at| Some((at, scan::inside(text.as_bytes(), at)?))) {
        Some((at, inside)) => (&text[..at], &text[inside]),
        None => (text, ""),
    };
    (path.rsplit('.').next().unwrap_or_default().trim(), inside)
}

/// Whether only asv has a decorator of this name.
fn is_mark(text: &str) -> bool {
    let (name, _) = decorator(text);
    PARAMETERIZE.contains(&name) || OTHERS.contains(&name)
}

/// The parameters that decorators give: the keys and lists of a dictionary.
fn marked(decorators: &[String]) -> Option<Vec<Parameter>> {
    let (_, inside) =
        decorators.iter().map(|text| decorator(text)).find(|mark| PARAMETERIZE.contains(&mark.0))?;
    let first = scan::parts(inside.as_bytes()).into_iter().next()?;
    let dictionary = first.split_once("param_dict=").map_or(first.as_str(), |(_, written)| written);
    let pairs = dictionary.starts_with('{').then(|| scan::values(dictionary))?;
    let pair = |pair: &String| {
        let quote = pair.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        let (name, rest) = pair.get(1..)?.split_once(quote)?;
        let values = scan::values(rest.trim_start().strip_prefix(':')?);
        Some(Parameter { name: name.to_owned(), values })
    };
    Some(pairs.iter().filter_map(pair).collect())
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

/// A piece of the file that may assign attributes.
struct Piece {
    /// Where it begins.
    at: usize,
    text: Vec<u8>,
    /// The parameters that the decorators of its class or function give.
    marked: Option<Vec<Parameter>>,
}

/// Where attributes are assigned: nearest first, and what stands before their names.
struct Attributes {
    pieces: Vec<Piece>,
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
            let class = seen.facts.classes.get(index);
            let marked = class.and_then(|class| marked(&class.decorators));
            pieces.push(Piece { at: range.start, text, marked });
            next = class.and_then(|class| {
                let mut others = seen.facts.classes.iter();
                others.position(|other| other.name != class.name && draft::has_base(class, &other.name))
            });
        }
        Self { pieces, owner: String::new() }
    }

    /// Those of a function, which the module assigns: `time_sort.params = …`.
    fn of_function(seen: &Seen<'_>, function: &Function) -> Self {
        let text = code::uncommented(seen, 0..seen.source.len());
        let piece = Piece { at: 0, text, marked: marked(&function.decorators) };
        Self { pieces: vec![piece], owner: format!("{}.", function.name) }
    }

    /// Where an attribute is assigned, and what.
    fn get(&self, name: &str) -> Option<(usize, String)> {
        let whole = format!("{}{name}", self.owner);
        let assigned = |piece: &Piece| scan::assignment(&piece.text, &whole);
        self.pieces.iter().find_map(|piece| assigned(piece).map(|(at, value)| (piece.at + at, value)))
    }
}

fn benchmark(seen: &Seen<'_>, index: usize, prefix: &str, attributes: &Attributes) -> Option<Benchmark> {
    let timing = PREFIXES.iter().find(|line| line.0 == prefix)?.1;
    let mut benchmark = draft::of_function(seen, index, Framework::Asv, timing)?;
    let decorators = seen.facts.functions.get(index).map(|function| &function.decorators);
    benchmark.parameters = decorators.and_then(|all| marked(all)).unwrap_or_else(|| parameters(attributes));
    for (name, inside) in decorators.into_iter().flatten().map(|text| decorator(text)) {
        match (name, benchmark.parameters.as_mut_slice()) {
            (SKIP, _) => benchmark.timing.push_str(", which skips it by `skip_benchmark`"),
            // Of several parameters only some combinations are left out.
            (SKIP_VALUES, [only]) => {
                let skipped: Vec<String> =
                    scan::values(inside).iter().flat_map(|row| scan::values(row)).collect();
                only.values.retain(|value| !skipped.contains(value));
            }
            _ => {}
        }
    }
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
    // A decorator replaces what the class assigns, and a derived class what its base has.
    let nearest = attributes.pieces.iter().find_map(|piece| match &piece.marked {
        Some(marked) => Some(Some(marked.clone())),
        None => scan::assignment(&piece.text, &format!("{}params", attributes.owner)).map(|_| None),
    });
    if let Some(Some(marked)) = nearest {
        return marked;
    }
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
