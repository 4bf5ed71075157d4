//! What the tests of detection share: a source, and what is found in it.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "helpers of tests fail as the tests do, and not every test uses all"
)]

use std::fs;

use dyno_analyze::{Benchmark, Facts, Flaw, Options, analyze};

/// What is known of one file under this name.
pub(crate) fn facts(name: &str, text: &str) -> Facts {
    let folder = tempfile::Builder::new().prefix("tree").tempdir().unwrap();
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    let mut analysis = analyze(&Options::new(folder.path()), &|_, _| {}, &|| false).unwrap();
    assert_eq!(analysis.files.len(), 1, "{text}");
    analysis.files.remove(0).facts
}

/// Its benchmarks.
pub(crate) fn benchmarks(name: &str, text: &str) -> Vec<Benchmark> {
    facts(name, text).benchmarks
}

/// A flaw in a word.
pub(crate) fn word(kind: Flaw) -> &'static str {
    match kind {
        Flaw::NoWarmup => "warm-up",
        Flaw::MeanOfOne => "one",
        Flaw::SetupTimed => "setup",
        Flaw::NoDeviceSync => "sync",
        Flaw::NonMonotonicClock => "clock",
    }
}

/// Each benchmark of a file as `name:line [flaw:line …]`.
pub(crate) fn found(name: &str, text: &str) -> Vec<String> {
    let line = |benchmark: &Benchmark| {
        let mut flaws: Vec<String> = benchmark
            .problems
            .iter()
            .map(|finding| format!("{}:{}", word(finding.kind), finding.line))
            .collect();
        flaws.sort();
        format!("{}:{} [{}]", benchmark.name, benchmark.line, flaws.join(" "))
    };
    benchmarks(name, text).iter().map(line).collect()
}

/// Each parameter of the only benchmark as `name=value|value`.
pub(crate) fn parameters(name: &str, text: &str) -> Vec<String> {
    let benchmarks = benchmarks(name, text);
    assert_eq!(benchmarks.len(), 1, "{text}");
    benchmarks[0].parameters.iter().map(|one| format!("{}={}", one.name, one.values.join("|"))).collect()
}

/// Whether the only benchmark has a flaw of a kind.
pub(crate) fn has(name: &str, text: &str, kind: Flaw) -> bool {
    let benchmarks = benchmarks(name, text);
    assert_eq!(benchmarks.len(), 1, "{text}");
    benchmarks[0].problems.iter().any(|finding| finding.kind == kind)
}
