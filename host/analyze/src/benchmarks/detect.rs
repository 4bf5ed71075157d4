//! What is a benchmark in a file: asks every detector that knows the language.

use super::{asv, criterion, divan, google, hand_written, original, pytest_benchmark, timeit};
use crate::{
    facts::{Benchmark, LanguageId},
    seen::Seen,
};

/// The benchmarks of a file in order.
pub(crate) fn detect(seen: &Seen<'_>) -> Vec<Benchmark> {
    let mut found = Vec::new();
    match seen.facts.language {
        LanguageId::Python => {
            original::detect(seen, &mut found);
            pytest_benchmark::detect(seen, &mut found);
            asv::detect(seen, &mut found);
            timeit::detect(seen, &mut found);
        }
        LanguageId::Rust => {
            criterion::detect(seen, &mut found);
            divan::detect(seen, &mut found);
        }
        LanguageId::Cpp | LanguageId::Cuda => google::detect(seen, &mut found),
        LanguageId::C => {}
    }
    hand_written::detect(seen, &mut found);
    for benchmark in &mut found {
        benchmark.problems.sort_by_key(|finding| (finding.line, finding.kind));
    }
    found.sort_by(|left, right| (left.line, &left.name).cmp(&(right.line, &right.name)));
    found
}
