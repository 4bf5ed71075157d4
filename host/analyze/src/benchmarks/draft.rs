//! What all detectors do: from a function or class to a benchmark without findings.

use std::ops::Range;

use super::gpu;
use crate::{
    facts::{Benchmark, Class, Finding, Flaw, Framework, Function, LanguageId},
    seen::Seen,
    signs::Sign,
};

/// How many benchmarks of a file are found: looking for each costs time in proportion to the text around it, and a
/// generated file must not cost its square.
pub(crate) const MOST: usize = 1000;

/// A benchmark that is a function.
pub(super) fn of_function(
    seen: &Seen<'_>,
    index: usize,
    framework: Framework,
    timing: &str,
) -> Option<Benchmark> {
    let function = seen.facts.functions.get(index)?;
    let text = function_text(seen, index);
    Some(Benchmark {
        name: function.name.clone(),
        subject: function.qualified.clone(),
        framework,
        category: None,
        line: function.line,
        end_line: function.end_line,
        parameters: Vec::new(),
        timing: timing.to_owned(),
        problems: Vec::new(),
        gpu: gpu::used(text, seen.facts.language),
        shape: function.shape,
        nodes: function.nodes,
    })
}

/// Adds the benchmark that `detect` makes of each function, up to as many as a file may have, and judges whether it waits
/// for the GPU that it uses.
pub(super) fn each_function(
    seen: &Seen<'_>,
    found: &mut Vec<Benchmark>,
    detect: impl Fn(usize, &Function) -> Option<Benchmark>,
) {
    for (index, function) in seen.facts.functions.iter().enumerate() {
        if found.len() >= MOST {
            return;
        }
        if let Some(mut benchmark) = detect(index, function) {
            unsynchronised(&mut benchmark, function_text(seen, index), function.line, seen.facts.language);
            found.push(benchmark);
        }
    }
}

/// A benchmark that is a class; its structure is the one of its methods.
pub(super) fn of_class(
    seen: &Seen<'_>,
    index: usize,
    framework: Framework,
    timing: &str,
) -> Option<Benchmark> {
    let class = seen.facts.classes.get(index)?;
    let (mut shape, mut nodes) = (0_u64, 0_u32);
    for (_, method) in methods(seen, index) {
        shape = shape.rotate_left(9) ^ method.shape;
        nodes = nodes.saturating_add(method.nodes);
    }
    let text = seen.classes.get(index).map(|range| seen.text(range.clone())).unwrap_or_default();
    Some(Benchmark {
        name: class.name.clone(),
        subject: class.qualified.clone(),
        framework,
        category: None,
        line: class.line,
        end_line: class.end_line,
        parameters: Vec::new(),
        timing: timing.to_owned(),
        problems: Vec::new(),
        gpu: gpu::used(text, seen.facts.language),
        shape,
        nodes,
    })
}

/// The methods of a class, with their indices.
pub(super) fn methods<'a>(seen: &'a Seen<'_>, class: usize) -> impl Iterator<Item = (usize, &'a Function)> {
    let found = seen.facts.functions.iter().enumerate();
    found.filter(move |(_, function)| function.class.is_some_and(|index| index as usize == class))
}

/// The range of a function.
pub(super) fn function_range(seen: &Seen<'_>, index: usize) -> Range<usize> {
    seen.functions.get(index).cloned().unwrap_or(0..0)
}

/// The text of a function.
pub(super) fn function_text<'s>(seen: &Seen<'s>, index: usize) -> &'s [u8] {
    seen.text(function_range(seen, index))
}

/// The body of a function that has lines of its own.
pub(super) fn body_range(seen: &Seen<'_>, index: usize) -> Range<usize> {
    let range = function_range(seen, index);
    let first = memchr::memchr(b'\n', seen.text(range.clone())).map_or(range.end, |at| range.start + at);
    first..range.end
}

/// Whether a function reads a clock itself.
pub(super) fn reads_clock(seen: &Seen<'_>, index: usize) -> bool {
    seen.events
        .iter()
        .any(|event| event.sign == Sign::Clock && event.function.is_some_and(|at| at as usize == index))
}

/// Whether a class or one of its bases has this last name.
pub(super) fn has_base(class: &Class, name: &str) -> bool {
    class
        .bases
        .iter()
        .any(|base| base.split('[').next().and_then(|base| base.rsplit('.').next()) == Some(name))
}

/// Adds a finding, once for each kind and line.
pub(super) fn flaw(benchmark: &mut Benchmark, kind: Flaw, line: u32, reason: impl Into<String>) {
    if benchmark.problems.iter().any(|known| known.kind == kind && known.line == line) {
        return;
    }
    benchmark.problems.push(Finding { kind, line, reason: reason.into() });
}

/// Adds the finding that a GPU is used and never waited for in a benchmark whose framework reads the clock.
pub(super) fn unsynchronised(benchmark: &mut Benchmark, text: &[u8], line: u32, language: LanguageId) {
    if benchmark.gpu && !gpu::synchronises(text, language) {
        let reason = "Work on a GPU is only started here. Without a synchronisation inside the measured code, the time of the start \
                      is measured, not the time of the work.";
        flaw(benchmark, Flaw::NoDeviceSync, line, reason);
    }
}
