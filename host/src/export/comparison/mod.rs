//! Comparisons as text: for a terminal, a pull request, a test report, a workflow log, a spreadsheet, a dashboard.

mod bmf;
mod csv;
mod github;
mod junit;
mod markdown;
mod openmetrics;
mod text;

use dyno_core::model::{CaseComparison, Comparison, MetricComparison, Verdict};

pub use bmf::comparison_bmf;
pub use csv::comparison_csv;
pub use github::github;
pub use junit::junit;
pub use markdown::comparison_markdown;
pub use openmetrics::comparison_openmetrics;
pub use text::comparison_text;

/// The change of a metric with its interval. // eg: `+1.23 % (+0.80 … +1.66 %)`
#[must_use]
pub fn effect(metric: &MetricComparison) -> String {
    let percent = |share: f64| {
        let percent = share * 100.0;
        if percent.abs() >= 1000.0 { format!("{percent:+.2e}") } else { format!("{percent:+.2}") }
    };
    match (metric.effect, metric.interval) {
        (Some(effect), Some(interval)) => {
            format!("{} % ({} … {} %)", percent(effect), percent(interval.low), percent(interval.high))
        }
        (Some(effect), None) => format!("{} % (no interval)", percent(effect)),
        (None, _) => "–".to_owned(),
    }
}

/// How many of each, and the threshold.
fn totals(comparison: &Comparison) -> String {
    let count = |verdict| comparison.count(verdict);
    format!(
        "{} regressed, {} improved, {} equivalent, {} inconclusive; threshold {} %",
        count(Verdict::Regressed),
        count(Verdict::Improved),
        count(Verdict::Equivalent),
        count(Verdict::Inconclusive),
        comparison.threshold * 100.0
    )
}

/// What follows from the time of a case alone: the same change said again, in the other direction.
const RATES: [&str; 3] = ["items_per_second", "bytes_per_second", "flop_per_second"];

/// Whether people need not be told of this metric: it is a rate, and the time of the case has the same verdict.
fn repeats_time(case: &CaseComparison, metric: &MetricComparison) -> bool {
    RATES.contains(&metric.name.as_str())
        && case.metrics.iter().any(|other| other.name == "time" && other.verdict == metric.verdict)
}

/// The rates that say the same as the time of the case.
fn repeated(case: &CaseComparison, metric: &MetricComparison) -> Option<String> {
    if metric.name != "time" {
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
