//! Classes in the style of the suite that dyno replaces: `BenchmarkBase` and `BenchmarkRegistry.register`.

use super::{
    draft,
    hand_written::{self, Judged},
};
use crate::{
    facts::{Benchmark, Framework, Parameter},
    scan,
    seen::Seen,
};

const DECORATOR: &str = "BenchmarkRegistry.register";

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>) {
    for (index, class) in seen.facts.classes.iter().enumerate() {
        if found.len() >= draft::MOST {
            return;
        }
        let registered = class.decorators.iter().find(|text| text.contains(DECORATOR));
        if registered.is_none() && !draft::has_base(class, "BenchmarkBase") {
            continue;
        }
        let timing = "one wall-clock reading before and after `run()`, by the base class";
        let Some(mut benchmark) = draft::of_class(seen, index, Framework::Original, timing) else { continue };
        let metadata = registered.and_then(|text| {
            let open = text.find('(')?;
            scan::listed(text.as_bytes(), open)
        });
        for part in metadata.unwrap_or_default() {
            match part.split_once('=') {
                Some((name, value)) if name.trim() == "name" => {
                    benchmark.name = named(value, &benchmark.name);
                }
                Some((name, value)) if name.trim() == "category" => {
                    benchmark.category = Some(named(value, "")).filter(|text| !text.is_empty());
                }
                Some((name, value)) => benchmark
                    .parameters
                    .push(Parameter { name: name.trim().to_owned(), values: scan::values(value) }),
                None => benchmark.name = named(&part, &benchmark.name),
            }
        }
        let text = seen.classes.get(index).map(|range| seen.text(range.clone())).unwrap_or_default();
        for name in configured(text) {
            if !benchmark.parameters.iter().any(|known| known.name == name) {
                benchmark.parameters.push(Parameter { name, values: Vec::new() });
            }
        }
        // The methods often time themselves.
        let mut timed = false;
        for (method, function) in draft::methods(seen, index) {
            timed |= hand_written::judge(seen, method, &mut benchmark) != Judged::Nothing;
            if function.name == "execute" && benchmark.gpu {
                let text = draft::function_text(seen, method);
                draft::unsynchronised(&mut benchmark, text, function.line, seen.facts.language);
            }
        }
        if timed {
            "clock readings in its methods".clone_into(&mut benchmark.timing);
        }
        found.push(benchmark);
    }
}

fn named(text: &str, otherwise: &str) -> String {
    let bare = scan::unquoted(text);
    if bare.is_empty() { otherwise.to_owned() } else { bare }
}

/// The keys that a class reads from its configuration.
fn configured(text: &[u8]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for start in ["config.get(", "config["] {
        for at in memchr::memmem::find_iter(text, start.as_bytes()) {
            let Some(parts) = scan::listed(text, at + start.len() - 1) else { continue };
            let first = parts.into_iter().next().unwrap_or_default();
            let name = scan::unquoted(&first);
            if !name.is_empty() && !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}
