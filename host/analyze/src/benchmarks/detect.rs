//! What is a benchmark in a file: asks every detector that knows the language.

use std::ops::Range;

use super::{asv, criterion, divan, google, hand_written, original, pytest_benchmark, timeit};
use crate::{
    facts::{Benchmark, LanguageId},
    seen::Seen,
};

/// The benchmarks of a file in order, and what is one only if the file's name says so.
pub(crate) fn detect(seen: &Seen<'_>) -> (Vec<Benchmark>, Vec<Benchmark>) {
    let (mut found, mut candidates) = (Vec::new(), Vec::new());
    match seen.facts.language {
        LanguageId::Python => {
            original::detect(seen, &mut found);
            pytest_benchmark::detect(seen, &mut found);
            asv::detect(seen, &mut found, &mut candidates);
            timeit::detect(seen, &mut found);
        }
        LanguageId::Rust => {
            criterion::detect(seen, &mut found);
            divan::detect(seen, &mut found);
        }
        LanguageId::Cpp | LanguageId::Cuda => google::detect(seen, &mut found),
        LanguageId::C => {}
    }
    hand_written::detect(seen, &mut found, &mut candidates);
    for benchmark in found.iter_mut().chain(&mut candidates) {
        benchmark.problems.sort_by_key(|finding| (finding.line, finding.kind));
    }
    sort(&mut found);
    (found, candidates)
}

/// Places of a file that its detector reads, whatever the grammar makes of them, in order.
pub(crate) fn read_elsewhere(language: LanguageId, source: &[u8]) -> Vec<Range<usize>> {
    match language {
        LanguageId::Cpp | LanguageId::Cuda => google::places(source),
        LanguageId::Python | LanguageId::Rust | LanguageId::C => Vec::new(),
    }
}

/// Orders benchmarks as the file has them.
pub(crate) fn sort(found: &mut [Benchmark]) {
    found.sort_by(|left, right| (left.line, &left.name).cmp(&(right.line, &right.name)));
}
