//! What to do about what was found: first what makes numbers wrong, then what is worth porting, each with its files.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    analyzed::FileAnalysis,
    duplicates::Duplicate,
    facts::{Benchmark, Flaw, Framework},
    problem::{Problem, ProblemKind},
};

/// How many files a recommendation names; the others are counted.
const FILES_NAMED: usize = 20;

/// From this cognitive complexity on, SonarSource's rules call a function too complex; benchmarks get some more.
const TOO_COMPLEX: u32 = 25;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recommendation {
    /// From 1, most useful first.
    pub rank: usize,
    /// What to do, as a sentence.
    pub title: String,
    /// Why.
    pub reason: String,
    /// The feature of dyno that does it.
    pub feature: String,
    /// How many benchmarks or files it concerns.
    pub count: usize,
    /// The first files that it concerns.
    pub files: Vec<String>,
    /// How many files it concerns.
    pub file_count: usize,
}

/// Lower comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    WrongNumber,
    UncertainNumber,
    Port,
    Tidy,
}

struct Draft {
    weight: Weight,
    title: String,
    reason: String,
    feature: String,
    count: usize,
    files: BTreeSet<String>,
}

/// Derives the recommendations of a tree.
pub(crate) fn derive(
    files: &[FileAnalysis],
    problems: &[Problem],
    duplicates: &[Duplicate],
) -> Vec<Recommendation> {
    let mut drafts = Vec::new();
    flaws(files, &mut drafts);
    frameworks(files, &mut drafts);
    copies(duplicates, &mut drafts);
    complex(files, &mut drafts);
    unread(problems, &mut drafts);
    drafts.sort_by(|left, right| {
        (left.weight, right.count, &left.title).cmp(&(right.weight, left.count, &right.title))
    });
    let ranked = drafts.into_iter().enumerate();
    ranked
        .map(|(at, draft)| Recommendation {
            rank: at + 1,
            title: draft.title,
            reason: draft.reason,
            feature: draft.feature,
            count: draft.count,
            file_count: draft.files.len(),
            files: draft.files.into_iter().take(FILES_NAMED).collect(),
        })
        .collect()
}

fn benchmarks(files: &[FileAnalysis]) -> impl Iterator<Item = (&str, &Benchmark)> {
    files.iter().flat_map(|file| file.facts.benchmarks.iter().map(|found| (file.path.as_str(), found)))
}

/// `1 benchmark`, `2 benchmarks`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn flaws(files: &[FileAnalysis], drafts: &mut Vec<Draft>) {
    let mut by_kind: BTreeMap<Flaw, (usize, BTreeSet<String>)> = BTreeMap::new();
    for (path, benchmark) in benchmarks(files) {
        let kinds: BTreeSet<Flaw> = benchmark.problems.iter().map(|finding| finding.kind).collect();
        for kind in kinds {
            let entry = by_kind.entry(kind).or_default();
            entry.0 += 1;
            entry.1.insert(path.to_owned());
        }
    }
    for (kind, (count, files)) in by_kind {
        let these = counted(count, "benchmark");
        let (weight, title, reason, feature) = match kind {
            Flaw::NoDeviceSync => (
                Weight::WrongNumber,
                format!("Wait for the GPU before the clock is read in {these}."),
                "Without a synchronisation the time of starting the work is measured.",
                "A CUDA or WebGPU plugin (`dyno new NAME --lang cuda`) waits for the device in `execute`, and `dyno check` tests it.",
            ),
            Flaw::NonMonotonicClock => (
                Weight::WrongNumber,
                format!("Measure {these} with a monotonic clock."),
                "The system clock is corrected while a program runs, and a duration can be wrong or negative.",
                "The worker of `dyno run` reads a monotonic clock around `execute`; benchmarks read no clock.",
            ),
            Flaw::SetupTimed => (
                Weight::WrongNumber,
                format!("Move preparation out of the timed region of {these}."),
                "Time for allocating, loading and copying is added to the time of the work.",
                "`setup` and `prepare` of a plugin are not measured.",
            ),
            Flaw::MeanOfOne => (
                Weight::UncertainNumber,
                format!("Take several samples of {these}."),
                "One number has no spread, so a change cannot be told from noise.",
                "`dyno run` takes samples in several processes until its confidence interval is narrow enough, and stores them all.",
            ),
            Flaw::NoWarmup => (
                Weight::UncertainNumber,
                format!("Warm up {these}."),
                "The first execution pays for cold caches, lazy initialisation and just-in-time compilation.",
                "`dyno run` warms up before it samples; the share of a cold start can be measured as a case of its own.",
            ),
        };
        let (reason, feature) = (reason.to_owned(), feature.to_owned());
        drafts.push(Draft { weight, title, reason, feature, count, files });
    }
}

fn frameworks(files: &[FileAnalysis], drafts: &mut Vec<Draft>) {
    let mut by_framework: BTreeMap<Framework, (usize, usize, BTreeSet<String>)> = BTreeMap::new();
    for (path, benchmark) in benchmarks(files) {
        let entry = by_framework.entry(benchmark.framework).or_default();
        entry.0 += 1;
        // The argument of a function is a parameter of a benchmark if somebody has said its values.
        entry.1 += usize::from(benchmark.parameters.iter().any(|parameter| !parameter.values.is_empty()));
        entry.2.insert(path.to_owned());
    }
    for (framework, (count, with_parameters, files)) in by_framework {
        let these = counted(count, "benchmark");
        let label = framework.label();
        let port = "`dyno analyze --root DIR --port BENCH --into DIR` writes a plugin for one of them, with its parameters and its code quoted.";
        let (title, feature) = match framework {
            Framework::Original => (format!("Port {these} of the original suite."), port.to_owned()),
            Framework::Criterion => (
                format!("Compare results of {these} of criterion with dyno."),
                format!("`dyno compare target/criterion` reads its results as they are. {port}"),
            ),
            Framework::GoogleBenchmark => (
                format!("Compare results of {these} of Google Benchmark with dyno."),
                format!("`dyno compare BASELINE.json CANDIDATE.json` reads its JSON as it is. {port}"),
            ),
            Framework::HandWritten => (format!("Replace hand-written timing in {these}."), port.to_owned()),
            _ => (format!("Port {these} of {label}."), port.to_owned()),
        };
        let have = if with_parameters == 1 { "has" } else { "have" };
        let reason = match with_parameters {
            0 => format!(
                "{these} in {} can be repeated, compared and stored by one tool.",
                counted(files.len(), "file")
            ),
            _ => format!(
                "{with_parameters} of {these} {have} parameters, which become cases that are measured and compared one by one."
            ),
        };
        drafts.push(Draft { weight: Weight::Port, title, reason, feature, count, files });
    }
}

fn copies(duplicates: &[Duplicate], drafts: &mut Vec<Draft>) {
    let count: usize = duplicates.iter().map(|group| group.places.len()).sum();
    if count == 0 {
        return;
    }
    let files =
        duplicates.iter().flat_map(|group| group.places.iter().map(|place| place.file.clone())).collect();
    drafts.push(Draft {
        weight: Weight::Tidy,
        title: format!("Merge {count} benchmarks of equal structure into {}.", duplicates.len()),
        reason: "They differ in names and literals only, so a correction of one misses the others."
            .to_owned(),
        feature: "One benchmark with parameters: each combination of `--param NAME=VALUES` is a case."
            .to_owned(),
        count,
        files,
    });
}

fn complex(files: &[FileAnalysis], drafts: &mut Vec<Draft>) {
    let mut count = 0;
    let mut named = BTreeSet::new();
    for file in files {
        for function in &file.facts.functions {
            let measured = file.facts.benchmarks.iter().any(|found| found.subject == function.qualified);
            if measured && function.complexity.cognitive > TOO_COMPLEX {
                count += 1;
                named.insert(file.path.clone());
            }
        }
    }
    if count > 0 {
        drafts.push(Draft {
            weight: Weight::Tidy,
            title: format!("Split {} before porting.", counted(count, "benchmark function")),
            reason: format!("Their cognitive complexity is over {TOO_COMPLEX}: preparation, work and evaluation are mixed."),
            feature: "A plugin has a function for each: `setup`, `execute`, `process_results`, `cleanup`.".to_owned(),
            count,
            files: named,
        });
    }
}

fn unread(problems: &[Problem], drafts: &mut Vec<Draft>) {
    let files: BTreeSet<String> = problems
        .iter()
        .filter(|problem| {
            !matches!(problem.kind, ProblemKind::Syntax | ProblemKind::Encoding | ProblemKind::Loop)
        })
        .map(|problem| problem.file.clone())
        .collect();
    if files.is_empty() {
        return;
    }
    let count = files.len();
    drafts.push(Draft {
        weight: Weight::Tidy,
        title: format!("Look at {} that could not be analysed.", counted(count, "file")),
        reason: "Benchmarks in them are not in this report.".to_owned(),
        feature: "`summary.json` gives the reason for each under `problems`.".to_owned(),
        count,
        files,
    });
}
