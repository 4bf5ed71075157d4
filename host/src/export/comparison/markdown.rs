//! A comparison as Markdown, fit for a comment on a pull request.

use std::fmt::Write;

use dyno_core::{
    model::{Comparison, Verdict},
    units,
};

use super::{effect, repeated, repeats_time, totals};
use crate::export::escape;

/// For a comment on a pull request: what changed in the open, the rest folded away.
#[must_use]
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let mut out = format!(
        "### Benchmarks: {}\n\nBaseline {}, candidate {}.\n",
        totals(comparison),
        escape::inline(&comparison.baseline),
        escape::inline(&comparison.candidate)
    );
    for difference in &comparison.differences {
        let _ = writeln!(out, "\n> differs: {}", escape::inline(difference));
    }
    let table = |matters: bool| -> String {
        let mut rows = String::new();
        for case in &comparison.cases {
            for metric in &case.metrics {
                if matches!(metric.verdict, Verdict::Regressed | Verdict::Improved) != matters {
                    continue;
                }
                if repeats_time(case, metric) {
                    continue;
                }
                let remarks: Vec<String> =
                    metric.remark.clone().into_iter().chain(repeated(case, metric)).collect();
                let _ = writeln!(
                    rows,
                    "| {} | {} | {} | {} | {} | {} | {} |",
                    metric.verdict,
                    escape::inline(&case.label),
                    escape::inline(&metric.name),
                    units::value(metric.baseline, &metric.unit),
                    units::value(metric.candidate, &metric.unit),
                    effect(metric),
                    escape::inline(&remarks.join("; "))
                );
            }
        }
        if rows.is_empty() {
            return rows;
        }
        format!(
            "\n| verdict | case | metric | baseline | candidate | change | remark |\n|---|---|---|---|---|---|---|\n{rows}"
        )
    };
    out.push_str(&table(true));
    let rest = table(false);
    if !rest.is_empty() {
        let _ = write!(out, "\n<details><summary>Everything else</summary>\n{rest}\n</details>\n");
    }
    for (word, labels) in [("New", &comparison.added), ("Removed", &comparison.removed)] {
        if !labels.is_empty() {
            let labels: Vec<String> = labels.iter().map(|label| escape::inline(label)).collect();
            let _ = writeln!(out, "\n{word}: {}", labels.join(", "));
        }
    }
    out
}
