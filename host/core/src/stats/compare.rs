//! Compares two results that were measured at different times: launches against launches, every metric in its own
//! direction, a suite judged as one.

mod matched;
mod metric;
mod options;
mod scale;

pub use self::options::CompareOptions;
use self::{matched::Matched, metric::Judge};
use super::benjamini_hochberg;
use crate::model::{
    COMPARISON_SCHEMA, COMPARISON_VERSION, CaseComparison, Comparison, Design, KnownDrift, Measured,
    MetricComparison, Unjudged, UnjudgedCase, Verdict, labels,
};

/// What differs here decides speed by itself: a verdict across it would be about the machine.
const DECISIVE: [&str; 3] = ["machine", "governor", "WASM engine"];

/// Compares every case and metric that both sides have. `drift` is what is known of how much runs of equal builds differ on
/// the machine: no interval between different builds is narrower.
#[must_use]
pub fn compare(
    baseline: &Measured,
    candidate: &Measured,
    options: &CompareOptions,
    drift: &[KnownDrift],
) -> Comparison {
    let (differences, decisive) = differences(baseline, candidate);
    let matched = Matched::new(baseline, candidate);
    let keys = matched.keys();
    let mut names = labels(&keys).into_iter();
    let mut name = || names.next().unwrap_or_default();
    let mut judge = Judge::new(options, drift);
    let mut cases: Vec<CaseComparison> = Vec::with_capacity(matched.both.len());
    let mut unjudged = Vec::new();
    // Whether the sides of a compared case are the same file.
    let mut same_build = Vec::with_capacity(matched.both.len());
    for (before, now) in &matched.both {
        let label = name();
        let metrics = judge.beside(before, now);
        if metrics.is_empty() {
            unjudged.push(UnjudgedCase { label, key: now.key.clone(), why: Unjudged::NoCommonMetric });
            continue;
        }
        same_build.push(before.is_same_build(now));
        cases.push(CaseComparison { label, key: Some(now.key.clone()), metrics, pairs: None });
    }
    withdraw(&mut cases, &same_build, options, decisive);
    unjudged.extend(matched.unjudged.into_iter().map(|(key, why)| UnjudgedCase { label: name(), key, why }));
    let added = matched.added.iter().map(|_| name()).collect();
    let removed = matched.removed.iter().map(|_| name()).collect();
    Comparison {
        schema: COMPARISON_SCHEMA.to_owned(),
        version: COMPARISON_VERSION,
        design: Design::Stored,
        baseline: baseline.source.clone(),
        candidate: candidate.source.clone(),
        threshold: options.threshold,
        alpha: options.alpha,
        differences,
        cases,
        unjudged,
        added,
        removed,
    }
}

/// Differences besides the code, a sentence each, and the one that forbids a verdict.
fn differences(baseline: &Measured, candidate: &Measured) -> (Vec<String>, Option<String>) {
    let mut said = Vec::new();
    let mut decisive = None;
    for (name, now) in &candidate.environment {
        let before = baseline.environment.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        match before {
            Some(before) if before != now => {
                said.push(format!("{name}: {before} then, {now} now"));
                if DECISIVE.contains(&name.as_str()) {
                    decisive.get_or_insert_with(|| name.clone());
                }
            }
            _ => {}
        }
    }
    if baseline.environment.is_empty() != candidate.environment.is_empty() {
        said.push("one side does not record the machine that it was measured on".to_owned());
    }
    for plugin in baseline.debug_builds.union(&candidate.debug_builds) {
        let side = match (baseline.debug_builds.contains(plugin), candidate.debug_builds.contains(plugin)) {
            (true, true) => "both sides",
            (true, false) => "the baseline",
            _ => "the candidate",
        };
        said.push(format!(
            "{side} measured a debug build of `{plugin}`: its times are not those of a release build"
        ));
    }
    (said, decisive)
}

/// Withdraws verdicts for reasons that lie outside their case.
fn withdraw(
    cases: &mut [CaseComparison],
    same_build: &[bool],
    options: &CompareOptions,
    decisive: Option<String>,
) {
    // Only now, because the adjustment needs the p-values of all cases.
    judge_as_one(cases, options.alpha);
    if let Some(what) = decisive.filter(|_| !options.allow_differences) {
        let metrics = cases.iter_mut().flat_map(|case| &mut case.metrics);
        for metric in metrics.filter(|metric| metric.verdict != Verdict::Inconclusive) {
            metric.withdraw(Unjudged::Environment { what: what.clone() });
        }
    }
    // Last, whatever the tests found: equal builds can differ only because of the machine.
    for (case, _) in cases.iter_mut().zip(same_build).filter(|(_, same)| **same) {
        case.metrics.iter_mut().for_each(MetricComparison::withdraw_same_build);
    }
}

/// Withdraws alarms that the size of the suite explains.
fn judge_as_one(cases: &mut [CaseComparison], alpha: f64) {
    let p_values: Vec<f64> =
        cases.iter().flat_map(|case| &case.metrics).filter_map(|metric| metric.p_value).collect();
    let mut adjusted = benjamini_hochberg(&p_values).into_iter();
    for metric in
        cases.iter_mut().flat_map(|case| &mut case.metrics).filter(|metric| metric.p_value.is_some())
    {
        let adjusted_p = adjusted.next().unwrap_or(1.0);
        if matches!(metric.verdict, Verdict::Regressed | Verdict::Improved) && adjusted_p > alpha {
            metric.withdraw(Unjudged::Chance { tests: p_values.len() as u32, adjusted_p });
        }
    }
}

#[cfg(test)]
mod tests;
