//! The code of a Python module outside of its functions, as a function of its own: scripts measure there, often under
//! `if __name__ == "__main__":`.

use super::code;
use crate::{
    facts::{Facts, Function, LanguageId},
    seen::Seen,
};

/// The name of the function that stands for the module.
pub(super) const NAME: &str = "<module>";

/// A file without the bodies of its functions.
pub(super) fn source(seen: &Seen<'_>) -> Vec<u8> {
    let mut source = seen.source.to_vec();
    for range in &seen.functions {
        code::blank(source.get_mut(range.clone()).unwrap_or_default());
    }
    source
}

/// What was seen of a file outside of its functions, with that as its only function. `source` is [`source`].
pub(super) fn seen<'s>(seen: &Seen<'_>, source: &'s [u8]) -> Seen<'s> {
    let mut events = seen.events.clone();
    events.retain(|event| event.function.is_none());
    events.iter_mut().for_each(|event| event.function = Some(0));
    let outside = |range: &std::ops::Range<usize>| {
        !seen.functions.iter().any(|function| function.start <= range.start && range.end <= function.end)
    };
    let (shape, nodes) = seen.outside;
    let function = Function {
        name: NAME.to_owned(),
        qualified: NAME.to_owned(),
        class: None,
        line: 1,
        end_line: seen.facts.lines.total,
        arguments: Vec::new(),
        return_type: None,
        decorators: Vec::new(),
        is_async: false,
        has_docstring: false,
        complexity: seen.facts.complexity,
        code_lines: 0,
        shape,
        nodes,
    };
    Seen {
        source,
        facts: Facts {
            functions: vec![function],
            ..Facts::new(LanguageId::Python, seen.facts.lines, seen.facts.complexity)
        },
        functions: std::iter::once(0..source.len()).collect(),
        classes: Vec::new(),
        events,
        loops: seen.loops.iter().filter(|range| outside(range)).cloned().collect(),
        comments: seen.comments.clone(),
        clocks: seen.clocks.clone(),
        outside: seen.outside,
    }
}
