//! A comparison as OpenMetrics 1.0 text: relative changes as gauges, verdicts as states.

use std::fmt::Write;

use dyno_core::model::{Comparison, Verdict};

use crate::export::openmetrics::escaped;

/// `dyno_change_ratio` (0.05 is five per cent more, with the ends of its interval) and `dyno_verdict`, 1 for what is said.
#[must_use]
pub fn comparison_openmetrics(comparison: &Comparison) -> String {
    let (mut changes, mut verdicts) =
        ("# TYPE dyno_change_ratio gauge\n".to_owned(), "# TYPE dyno_verdict stateset\n".to_owned());
    for (case, name) in comparison.cases.iter().zip(comparison.series()) {
        for metric in &case.metrics {
            let labels = format!("case=\"{}\",metric=\"{}\"", escaped(&name), escaped(&metric.name));
            if let Some(effect) = metric.effect {
                let _ = writeln!(changes, "dyno_change_ratio{{{labels},stat=\"effect\"}} {effect}");
            }
            if let Some(interval) = metric.interval {
                let _ = writeln!(changes, "dyno_change_ratio{{{labels},stat=\"low\"}} {}", interval.low);
                let _ = writeln!(changes, "dyno_change_ratio{{{labels},stat=\"high\"}} {}", interval.high);
            }
            for verdict in [Verdict::Regressed, Verdict::Improved, Verdict::Equivalent, Verdict::Inconclusive]
            {
                let said = u8::from(metric.verdict == verdict);
                let _ = writeln!(verdicts, "dyno_verdict{{{labels},dyno_verdict=\"{verdict}\"}} {said}");
            }
        }
    }
    format!("{changes}{verdicts}# EOF\n")
}
