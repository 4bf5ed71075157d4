//! divan's `#[divan::bench]`, and the `#[bench]` of Rust's own test harness.

use super::draft;
use crate::{
    facts::{Benchmark, Flaw, Framework, Parameter},
    scan,
    seen::Seen,
};

pub(super) fn detect(seen: &Seen<'_>, found: &mut Vec<Benchmark>) {
    draft::each_function(seen, found, |index, function| {
        let first = function.arguments.first().and_then(|first| first.annotation.as_deref());
        let marked = function.decorators.iter().find_map(|attribute| {
            let path = attribute.split(['(', ' ', '=']).next().unwrap_or_default();
            let (framework, timing) = match path {
                "divan::bench" => {
                    (Framework::Divan, "samples by divan with the time-stamp counter or `Instant`")
                }
                "bench" if takes_bencher(first) => {
                    (Framework::Libtest, "50 samples by libtest, winsorised, with `Instant`")
                }
                _ => return None,
            };
            Some((attribute, framework, timing))
        });
        let (attribute, framework, timing) = marked?;
        let mut benchmark = draft::of_function(seen, index, framework, timing)?;
        let open = attribute.find('(');
        let parts = open.and_then(|at| scan::listed(attribute.as_bytes(), at)).unwrap_or_default();
        for name in ["args", "consts", "types", "threads"] {
            if let Some(values) = scan::named(&parts, name) {
                let values = scan::values(values);
                benchmark.parameters.push(Parameter { name: name.to_owned(), values });
            }
        }
        if let Some(name) = scan::named(&parts, "name") {
            benchmark.name = scan::unquoted(name);
        }
        if scan::named(&parts, "sample_count") == Some("1") {
            let reason = "`sample_count = 1` takes one sample, so the result has no spread.";
            draft::flaw(&mut benchmark, Flaw::MeanOfOne, function.line, reason);
        }
        Some(benchmark)
    });
}

/// Other libraries have an attribute of that name too, without the argument.
fn takes_bencher(annotation: Option<&str>) -> bool {
    annotation.is_some_and(|text| text.contains("Bencher"))
}
