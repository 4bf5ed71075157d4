//! A comparison as Markdown, fit for a comment on a pull request: of bounded length, the worst first.

use std::fmt::Write;

use dyno_core::{
    model::{CaseComparison, Comparison, MetricComparison, UnjudgedCase, Verdict},
    units,
};

use super::{FAILED, NOT_JUDGED, effect, remarks, repeated, repeats_time, totals, unjudged, worst_first};
use crate::export::escape;

/// Maximum length [bytes]. GitHub accepts comments of 65,536 characters; the rest is left for lines that users add.
const LONGEST: usize = 60_000;
/// Maximum number of named cases that only one side has, and of named differences between the sides.
const NAMED: usize = 20;

/// For a comment on a pull request: changes are shown, the rest is folded. Rows that do not fit are counted.
pub(in crate::export) fn markdown(comparison: &Comparison) -> String {
    let mut out = format!(
        "### Benchmarks: {}\n\nBaseline {}, candidate {}.\n",
        totals(comparison),
        escape::name(&comparison.baseline),
        escape::name(&comparison.candidate)
    );
    for difference in comparison.differences.iter().take(NAMED) {
        let _ = writeln!(out, "\n> differs: {}", escape::name(difference));
    }
    left_out(&mut out, comparison.differences.len().saturating_sub(NAMED), "differences");
    let remarks = remarks(comparison);
    for remark in remarks.iter().take(NAMED) {
        let _ = writeln!(out, "\n> note: {}", escape::name(remark));
    }
    left_out(&mut out, remarks.len().saturating_sub(NAMED), "notes");
    let mut tail = String::new();
    for (word, labels) in [("New", &comparison.added), ("Removed", &comparison.removed)] {
        if !labels.is_empty() {
            let named: Vec<String> = labels.iter().take(NAMED).map(|label| escape::name(label)).collect();
            let more = labels.len() - named.len();
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            let _ = writeln!(tail, "\n{word}: {}{more}", named.join(", "));
        }
    }
    let rows: Vec<_> =
        worst_first(comparison).into_iter().filter(|(case, metric)| !repeats_time(case, metric)).collect();
    let changed =
        rows.partition_point(|(_, metric)| matches!(metric.verdict, Verdict::Regressed | Verdict::Improved));
    let mut room = LONGEST.saturating_sub(out.len() + tail.len() + 1_000);
    let lines = |rows: &[(&CaseComparison, &MetricComparison)]| -> Vec<String> {
        rows.iter().map(|(case, metric)| row(case, metric)).collect()
    };
    let (failed, open): (Vec<_>, Vec<_>) = unjudged(comparison).partition(|(_, failed)| *failed);
    let without = |word: &str, cases: &[(&UnjudgedCase, bool)]| -> Vec<String> {
        cases
            .iter()
            .map(|(case, _)| {
                let (label, why) = (escape::name(&case.label), escape::name(&case.why.to_string()));
                format!("| {word} | {label} | | | | | {why} |\n")
            })
            .collect()
    };
    // Failures come before regressions: they may hide more of them.
    let open_rows = [without(FAILED, &failed), lines(&rows[..changed])].concat();
    let folded_rows = [without(NOT_JUDGED, &open), lines(&rows[changed..])].concat();
    let (open, hidden_changes) = table(&open_rows, &mut room);
    let (folded, hidden_rest) = table(&folded_rows, &mut room);
    out.push_str(&open);
    left_out(&mut out, hidden_changes, "rows of failures and changes");
    if !folded.is_empty() {
        let _ = write!(out, "\n<details><summary>Everything else</summary>\n{folded}\n</details>\n");
    }
    left_out(&mut out, hidden_rest, "rows of metrics that did not change or could not be judged");
    out + &tail
}

fn left_out(out: &mut String, count: usize, what: &str) {
    if count > 0 {
        let _ = writeln!(
            out,
            "\n{count} more {what} are left out here; `dyno compare` with `--all`, `--format csv` or `--format json` shows all."
        );
    }
}

fn row(case: &CaseComparison, metric: &MetricComparison) -> String {
    let remarks: Vec<String> = metric.remark.clone().into_iter().chain(repeated(case, metric)).collect();
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n",
        metric.verdict,
        escape::name(&case.label),
        escape::name(&metric.name),
        escape::name(&units::value(metric.baseline, &metric.unit)),
        escape::name(&units::value(metric.candidate, &metric.unit)),
        effect(metric),
        escape::name(&remarks.join("; "))
    )
}

/// As many rows as fit, and the number of the others.
fn table(rows: &[String], room: &mut usize) -> (String, usize) {
    const HEAD: &str = "\n| verdict | case | metric | baseline | candidate | change | remark |\n|---|---|---|---|---|---|---|\n";
    let mut out = String::new();
    for (place, row) in rows.iter().enumerate() {
        let needed = row.len() + if out.is_empty() { HEAD.len() } else { 0 };
        if needed > *room {
            // A shorter but less important row must not take the place of this one.
            *room = 0;
            return (out, rows.len() - place);
        }
        *room -= needed;
        if out.is_empty() {
            out.push_str(HEAD);
        }
        out.push_str(row);
    }
    (out, 0)
}
