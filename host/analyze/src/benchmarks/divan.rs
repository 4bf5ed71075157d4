//! divan's `#[divan::bench]`, and the `#[bench]` of Rust's own test harness.

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
        for attribute in &function.decorators {
            let path = attribute.split(['(', ' ', '=']).next().unwrap_or_default();
            let (framework, timing) = match path {
                "divan::bench" => {
                    (Framework::Divan, "samples by divan with the time-stamp counter or `Instant`")
                }
                "bench"
                    if takes_bencher(
                        function.arguments.first().and_then(|first| first.annotation.as_deref()),
                    ) =>
                {
                    (Framework::Libtest, "50 samples by libtest, winsorised, with `Instant`")
                }
                _ => continue,
            };
            let Some(mut benchmark) = draft::of_function(seen, index, framework, timing) else { continue };
            let open = attribute.find('(');
            let parts = open
                .and_then(|at| scan::inside(attribute.as_bytes(), at))
                .map(|range| scan::parts(&attribute.as_bytes()[range]))
                .unwrap_or_default();
            for name in ["args", "consts", "types", "threads"] {
                if let Some(values) = scan::named(&parts, name) {
                    benchmark
                        .parameters
                        .push(Parameter { name: name.to_owned(), values: scan::values(values) });
                }
            }
            if let Some(name) = scan::named(&parts, "name") {
                benchmark.name = scan::unquoted(name);
            }
            if scan::named(&parts, "sample_count") == Some("1") {
                let reason = "`sample_count = 1` takes one sample, so the result has no spread.";
                draft::flaw(&mut benchmark, Flaw::MeanOfOne, function.line, reason);
            }
            let text = draft::function_text(seen, index);
            draft::unsynchronised(&mut benchmark, text, function.line, seen.facts.language);
            found.push(benchmark);
        }
    }
}

/// Other libraries have an attribute of that name too, without the argument.
fn takes_bencher(annotation: Option<&str>) -> bool {
    annotation.is_some_and(|text| text.contains("Bencher"))
}
