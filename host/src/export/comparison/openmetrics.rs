//! A comparison as OpenMetrics 1.0 text: relative changes as gauges, verdicts as states.

use dyno_core::model::{Comparison, Verdict};

use super::unjudged;
use crate::export::openmetrics::{Document, STATUS};

/// `dyno_change_ratio` (0.05 is five per cent more, with the ends of its interval), `dyno_verdict`, 1 for what is said,
/// and `dyno_case_status` of cases that could not be compared.
pub(in crate::export) fn openmetrics(comparison: &Comparison) -> String {
    const VERDICT: &str = "dyno_verdict";
    let mut document = Document::default();
    for (case, name) in comparison.cases.iter().zip(comparison.series()) {
        for metric in &case.metrics {
            let labels = |last| [("case", name.as_str()), ("metric", metric.name.as_str()), last];
            for (stat, value) in [
                ("effect", metric.effect),
                ("low", metric.interval.map(|interval| interval.low)),
                ("high", metric.interval.map(|interval| interval.high)),
            ] {
                if let Some(value) = value {
                    document.add("dyno_change_ratio", "gauge", &labels(("stat", stat)), value);
                }
            }
            for verdict in [Verdict::Regressed, Verdict::Improved, Verdict::Equivalent, Verdict::Inconclusive]
            {
                let is_it = f64::from(u8::from(metric.verdict == verdict));
                document.add(VERDICT, "stateset", &labels((VERDICT, verdict.word())), is_it);
            }
        }
    }
    for (case, failed) in unjudged(comparison) {
        for (word, is_it) in [("failed", failed), ("not_judged", !failed)] {
            let labels = [("case", case.label.as_str()), (STATUS, word)];
            document.add(STATUS, "stateset", &labels, f64::from(u8::from(is_it)));
        }
    }
    document.render()
}
