//! Comparisons as text: for a terminal, a pull request, a test report, a workflow log, a spreadsheet, a dashboard.

mod bmf;
mod csv;
mod github;
mod json;
mod junit;
mod markdown;
mod openmetrics;
mod text;

use std::{cmp::Reverse, ptr};

use dyno_core::{
    model::{
        Better, CaseComparison, Comparison, MetricComparison, PairsInfo, UnjudgedCase, Verdict, remark_lines,
    },
    units,
};

pub(super) use self::{
    bmf::bmf, csv::csv, github::github, json::json, junit::junit, markdown::markdown,
    openmetrics::openmetrics, text::text,
};

/// The change of a metric with its interval. // eg: `+1.23 % (+0.80 … +1.66 %)`
#[must_use]
pub fn effect(metric: &MetricComparison) -> String {
    let percent = |share: f64| {
        let percent = share * 100.0;
        if percent.abs() >= 1000.0 { format!("{percent:+.2e}") } else { format!("{percent:+.2}") }
    };
    let is_shown = |share: f64| (share * 100.0).is_finite();
    let interval = metric.interval.filter(|interval| is_shown(interval.low) && is_shown(interval.high));
    match (metric.effect.filter(|effect| is_shown(*effect)), interval) {
        (Some(effect), Some(interval)) => {
            format!("{} % ({} … {} %)", percent(effect), percent(interval.low), percent(interval.high))
        }
        (Some(effect), None) => format!("{} % (no interval)", percent(effect)),
        (None, _) => "–".to_owned(),
    }
}

/// What must be said beside the numbers of pairs, each sentence once, with the cases of which it is true.
fn remarks(comparison: &Comparison) -> Vec<String> {
    remark_lines(
        comparison.cases.iter().flat_map(|case| {
            case.pairs.iter().flat_map(PairsInfo::remarks).map(|remark| (&case.label, remark))
        }),
    )
}

/// How many of each, and the threshold.
fn totals(comparison: &Comparison) -> String {
    let count = |verdict| comparison.count(verdict);
    let failed = comparison.failures().count();
    let open = comparison.unjudged.len() - failed;
    let mut beside = String::new();
    for (count, word) in [(failed, FAILED), (open, NOT_JUDGED)] {
        if count > 0 {
            beside.push_str(&format!(", {} {word}", units::count(count, "case")));
        }
    }
    format!(
        "{} regressed, {} improved, {} equivalent, {} inconclusive{beside}; threshold {} %",
        count(Verdict::Regressed),
        count(Verdict::Improved),
        count(Verdict::Equivalent),
        count(Verdict::Inconclusive),
        // As it was given: a share times a hundred has digits of its own.
        format!("{:.6}", comparison.threshold * 100.0).trim_end_matches('0').trim_end_matches('.')
    )
}

/// The words for a case that could not be compared, in place of a verdict: with a failure, or without.
const FAILED: &str = "failed";
const NOT_JUDGED: &str = "not judged";

/// The cases that could not be compared, each with whether it has a failure that a gate must not ignore.
fn unjudged(comparison: &Comparison) -> impl Iterator<Item = (&UnjudgedCase, bool)> {
    // In the same order, so that each is met once.
    let mut failures = comparison.failures().peekable();
    comparison
        .unjudged
        .iter()
        .map(move |case| (case, failures.next_if(|failure| ptr::eq(*failure, case)).is_some()))
}

/// Metrics of cases that are worth a line for people, the worst first.
fn worst_first(comparison: &Comparison) -> Vec<(&CaseComparison, &MetricComparison)> {
    let mut all: Vec<_> = comparison
        .cases
        .iter()
        .flat_map(|case| case.metrics.iter().map(move |metric| (case, metric)))
        .collect();
    // In millionths of a per cent: numbers that are none count as no change, and equal ones stay in the order of the cases.
    let worse = |metric: &MetricComparison| {
        let effect = metric.effect.filter(|effect| !effect.is_nan()).unwrap_or(0.0);
        let signed = match metric.better {
            Better::Lower => effect,
            Better::Higher => -effect,
        };
        (signed * 1e8).clamp(-1e30, 1e30) as i128
    };
    all.sort_by_key(|(_, metric)| match metric.verdict {
        Verdict::Regressed => (0, Reverse(worse(metric))),
        Verdict::Improved => (1, Reverse(-worse(metric))),
        Verdict::Inconclusive => (2, Reverse(worse(metric).abs())),
        Verdict::Equivalent => (3, Reverse(0)),
    });
    all
}

/// Rates that follow from the time of a case alone: they repeat its change, in the other direction. They are of the device's
/// time where the device tells it.
const RATES: [&str; 3] = ["items_per_second", "bytes_per_second", "flop_per_second"];

/// Whether this metric repeats another: it is a rate, and the time of the case has the same verdict.
fn repeats_time(case: &CaseComparison, metric: &MetricComparison) -> bool {
    RATES.contains(&metric.name.as_str())
        && case.metrics.iter().any(|other| other.name == clock(case) && other.verdict == metric.verdict)
}

/// The metric that the rates of a case follow from.
fn clock(case: &CaseComparison) -> &'static str {
    if case.metrics.iter().any(|metric| metric.name == "device_time") { "device_time" } else { "time" }
}

/// The rates that say the same as the time of the case.
fn repeated(case: &CaseComparison, metric: &MetricComparison) -> Option<String> {
    if metric.name != clock(case) {
        return None;
    }
    let names: Vec<&str> = case
        .metrics
        .iter()
        .filter(|other| repeats_time(case, other))
        .map(|other| other.name.as_str())
        .collect();
    (!names.is_empty()).then(|| format!("so are {}", names.join(", ")))
}
