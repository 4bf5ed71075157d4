//! A comparison for a terminal.

use std::{cmp::Reverse, collections::HashMap, fmt::Write};

use dyno_core::{
    model::{CaseComparison, Comparison, Design, MetricComparison, ShortLabels, Verdict},
    text::{sentence, shown},
    units,
};
use indexmap::IndexMap;

use super::{FAILED, NOT_JUDGED, effect, remarks, repeated, repeats_time, totals, unjudged, worst_first};

/// Maximum number of lines of metrics, of cases and of differences without `--all`.
const SHOWN: usize = 100;

/// Column at which the text of a line begins, after its first word and at least two spaces. Folded lines continue there.
const COLUMN: usize = 14;

/// Shortens lines that would repeat each other. What they leave out is printed once, below them.
struct Once<'a> {
    /// The short name of each case, by its label.
    names: HashMap<&'a str, String>,
    /// The most frequent remark on metrics with each verdict, if several metrics have it.
    remarks: IndexMap<Verdict, &'a str>,
}

impl<'a> Once<'a> {
    fn of(comparison: &'a Comparison, rows: &[Row<'a>], names: Vec<String>) -> Self {
        let compared = comparison.cases.iter().map(|case| case.label.as_str());
        let labels = compared.chain(comparison.unjudged.iter().map(|case| case.label.as_str()));
        let mut counts: IndexMap<(Verdict, &str), u32> = IndexMap::new();
        for (_, metric) in rows {
            if let Some(remark) = &metric.remark {
                *counts.entry((metric.verdict, remark)).or_default() += 1;
            }
        }
        counts.retain(|_, count| *count > 1);
        counts.sort_by_key(|_, count| Reverse(*count));
        let mut remarks = IndexMap::new();
        for (verdict, remark) in counts.into_keys() {
            remarks.entry(verdict).or_insert(remark);
        }
        Self { names: labels.zip(names).collect(), remarks }
    }

    fn name(&self, label: &'a str) -> &str {
        self.names.get(label).map_or(label, String::as_str)
    }
}

/// A metric of a case, which takes a line.
type Row<'a> = (&'a CaseComparison, &'a MetricComparison);

/// For a terminal: one line per metric. Without `all`, those that matter, the worst first, as far as people read; with it,
/// every metric in the order of the cases.
pub(in crate::export) fn text(comparison: &Comparison, all: bool) -> String {
    let most = if all { usize::MAX } else { SHOWN };
    let mut out =
        format!("baseline   {}\ncandidate  {}\n", shown(&comparison.baseline), shown(&comparison.candidate));
    list(&mut out, "differs    ", &comparison.differences, most);
    out.push('\n');
    let rows: Vec<Row<'_>> = if all {
        comparison
            .cases
            .iter()
            .flat_map(|case| case.metrics.iter().map(move |metric| (case, metric)))
            .collect()
    } else {
        worst_first(comparison)
            .into_iter()
            .filter(|(case, metric)| metric.verdict != Verdict::Equivalent && !repeats_time(case, metric))
            .collect()
    };
    let ShortLabels { names, shared } = comparison.short_labels();
    let once = Once::of(comparison, &rows, names);
    for (case, metric) in rows.iter().take(most) {
        line(&mut out, &once, case, metric, all);
    }
    let more = rows.len().saturating_sub(most);
    if more > 0 {
        let _ = writeln!(out, "{:COLUMN$}and {more} more; --all shows every metric", "");
    }
    for (case, failed) in unjudged(comparison).take(most) {
        let word = if failed { FAILED } else { NOT_JUDGED };
        let _ = writeln!(
            out,
            "{word:<COLUMN$}{}: {}",
            shown(once.name(&case.label)),
            sentence(&case.why.to_string())
        );
    }
    let more = comparison.unjudged.len().saturating_sub(most);
    if more > 0 {
        let _ = writeln!(out, "{:COLUMN$}and {more} more that could not be compared; --all shows them", "");
    }
    let said_once = once
        .remarks
        .iter()
        .map(|(verdict, remark)| format!("{}, where no other reason is given: {remark}", verdict.word()));
    list(&mut out, "note          ", &said_once.chain(remarks(comparison)).collect::<Vec<_>>(), most);
    list(&mut out, "parameters    ", &shared, most);
    list(&mut out, "new           ", &comparison.added, most);
    list(&mut out, "removed       ", &comparison.removed, most);
    let _ = write!(out, "\n{}", totals(comparison));
    if !all && comparison.has(Verdict::Equivalent) {
        let _ = write!(out, " (equivalent ones are shown with --all)");
    }
    if comparison.design == Design::Stored {
        out.push_str("\nmeasured at different times: the machine may have drifted; `dyno ab` compares two builds side by side");
    }
    out.push('\n');
    out
}

/// A line each, as far as they are shown.
fn list(out: &mut String, head: &str, texts: &[String], most: usize) {
    for text in texts.iter().take(most) {
        let _ = writeln!(out, "{head}{}", sentence(text));
    }
    let more = texts.len().saturating_sub(most);
    if more > 0 {
        let _ = writeln!(out, "{head}and {more} more; --all shows them");
    }
}

fn line<'a>(
    out: &mut String,
    once: &Once<'a>,
    case: &'a CaseComparison,
    metric: &'a MetricComparison,
    all: bool,
) {
    let _ = writeln!(
        out,
        "{:<COLUMN$}{} {}: {} → {}  {}",
        metric.verdict.word(),
        shown(once.name(&case.label)),
        shown(&metric.name),
        shown(&units::value(metric.baseline, &metric.unit)),
        shown(&units::value(metric.candidate, &metric.unit)),
        effect(metric)
    );
    let mut notes = Vec::new();
    if let Some(pairs) = &case.pairs {
        notes.push(format!(
            "{} of launches in {}, {} of it measuring",
            units::count(pairs.effects.len(), "pair"),
            units::duration(pairs.elapsed_ns as f64),
            units::duration(pairs.measured_ns as f64)
        ));
        if let Some(trend) = pairs.trend.filter(|trend| !trend.is_decisive()) {
            notes.push(trend.remark());
        }
        if pairs.retaken > 0 {
            notes.push(format!("{} disturbed slices retaken", pairs.retaken));
        }
    }
    if let Some(detectable) = metric.detectable.filter(|it| (0.0..10.0).contains(it)) {
        notes.push(format!("smallest detectable change {:.2} %", detectable * 100.0));
    }
    let below = once.remarks.get(&metric.verdict).copied();
    notes.extend(metric.remark.clone().filter(|remark| Some(remark.as_str()) != below));
    notes.extend(repeated(case, metric).filter(|_| !all));
    if !notes.is_empty() {
        let _ = writeln!(out, "{:COLUMN$}{}", "", sentence(&notes.join("; ")));
    }
}

#[cfg(test)]
mod tests {
    use dyno_core::model::{COMPARISON_SCHEMA, COMPARISON_VERSION};
    use serde_json::{Value, json};

    use super::*;

    fn case(batch: &str, reason: &str) -> Value {
        let params = json!({"model": "bert", "batch_size": batch});
        let key = json!({"plugin": "p", "benchmark": "infer", "params": params, "engine": "native", "device": "cpu"});
        json!({"label": format!("infer model=bert batch_size={batch} (native, cpu)"), "key": key, "metrics": [{
            "name": "time", "unit": "ns", "better": "lower", "baseline": 100.0, "candidate": 101.0, "launches": [3, 3],
            "verdict": "inconclusive", "remark": reason,
        }]})
    }

    fn comparison(cases: &[Value], unjudged: &[Value]) -> Comparison {
        serde_json::from_value(json!({
            "schema": COMPARISON_SCHEMA, "version": COMPARISON_VERSION, "design": "stored", "baseline": "a", "candidate": "b",
            "threshold": 0.05, "alpha": 0.01, "cases": cases, "unjudged": unjudged,
        }))
        .unwrap()
    }

    fn assert_counts(text: &str, expected: &[(usize, &str)]) {
        for (count, part) in expected {
            assert_eq!(text.matches(part).count(), *count, "{part}: {text}");
        }
    }

    #[test]
    fn what_lines_share_is_said_once_below_them() {
        let cases = [case("1", "too few launches"), case("2", "too few launches"), case("4", "no baseline")];
        let unjudged = json!({
            "label": "infer model=bert batch_size=8 (native, cpu)",
            "key": {"plugin": "p", "benchmark": "infer", "params": {"model": "bert", "batch_size": "8"}, "engine": "native",
                    "device": "cpu"},
            "why": {"kind": "skipped", "side": "candidate", "message": "too large"},
        });
        let text = text(&comparison(&cases, &[unjudged]), false);
        assert_counts(
            &text,
            &[
                (1, "model=bert"),
                (1, "parameters    infer model=bert\n"),
                (1, "\ninconclusive  infer batch_size=1 (native, cpu) time: 100.0 ns → 101.0 ns"),
                (1, "\nnot judged    infer batch_size=8 (native, cpu): "),
                (1, "note          inconclusive, where no other reason is given: too few launches\n"),
                (1, "too few launches"),
                (1, "              no baseline\n"),
            ],
        );
    }

    #[test]
    fn each_verdict_has_its_most_frequent_remark_once() {
        let judged = |batch: &str, verdict: &str, remark: &str| {
            let mut case = case(batch, remark);
            case["metrics"][0]["verdict"] = json!(verdict);
            case
        };
        let cases = [
            judged("1", "equivalent", "same build"),
            judged("2", "equivalent", "same build"),
            judged("4", "inconclusive", "same build"),
            judged("8", "inconclusive", "few"),
            judged("16", "inconclusive", "few"),
        ];
        let text = text(&comparison(&cases, &[]), true);
        assert_counts(
            &text,
            &[
                (1, "note          equivalent, where no other reason is given: same build\n"),
                (1, "note          inconclusive, where no other reason is given: few\n"),
                (1, "              same build\n"),
                (2, "same build"),
            ],
        );
    }
}
