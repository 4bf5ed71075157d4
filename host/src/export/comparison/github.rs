//! A comparison as workflow commands, which GitHub Actions shows as annotations.

use std::fmt::Write;

use dyno_core::model::{Comparison, Verdict};

use super::{effect, totals};

/// Workflow commands of GitHub Actions: an error per regression, a notice per improvement.
#[must_use]
pub fn github(comparison: &Comparison) -> String {
    let mut out = String::new();
    let clean = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    for case in &comparison.cases {
        for metric in &case.metrics {
            let word = match metric.verdict {
                Verdict::Regressed => "error",
                Verdict::Improved => "notice",
                Verdict::Inconclusive => "warning",
                Verdict::Equivalent => continue,
            };
            let said = format!("{} {} {}: {}", case.label, metric.name, metric.verdict, effect(metric));
            let _ = writeln!(out, "::{word} title=dyno::{}", clean(&said));
        }
    }
    let _ = writeln!(out, "{}", clean(&totals(comparison)));
    out
}
