//! Comparisons as text: for a terminal, a pull request, a test report, a workflow log.

use std::fmt::Write;

use dyno_core::{
    model::{Comparison, Design, MetricComparison, Verdict},
    units,
};

use super::escape;

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

/// For a terminal: what matters first, one line per metric.
#[must_use]
pub fn comparison_text(comparison: &Comparison, all: bool) -> String {
    let mut out = format!("baseline   {}\ncandidate  {}\n", comparison.baseline, comparison.candidate);
    for difference in &comparison.differences {
        let _ = writeln!(out, "differs    {difference}");
    }
    out.push('\n');
    let mut hidden = 0;
    for case in &comparison.cases {
        for metric in &case.metrics {
            if !all && metric.verdict == Verdict::Equivalent {
                hidden += 1;
                continue;
            }
            let _ = writeln!(
                out,
                "{:<13}{} {}: {} → {}  {}",
                metric.verdict.word(),
                case.label,
                metric.name,
                units::value(metric.baseline, &metric.unit),
                units::value(metric.candidate, &metric.unit),
                effect(metric)
            );
            let mut notes = Vec::new();
            if let Some(pairs) = &case.pairs {
                notes.push(format!(
                    "{} pairs of launches in {}, {} of it measuring",
                    pairs.effects.len(),
                    units::duration(pairs.elapsed_ns as f64),
                    units::duration(pairs.measured_ns as f64)
                ));
                if pairs.retaken > 0 {
                    notes.push(format!("{} disturbed slices retaken", pairs.retaken));
                }
            }
            if let Some(detectable) = metric.detectable.filter(|it| it.is_finite() && *it < 10.0) {
                notes.push(format!("smallest detectable change {:.2} %", detectable * 100.0));
            }
            notes.extend(metric.remark.clone());
            if !notes.is_empty() {
                let _ = writeln!(out, "             {}", notes.join("; "));
            }
        }
    }
    for label in &comparison.added {
        let _ = writeln!(out, "new          {label}");
    }
    for label in &comparison.removed {
        let _ = writeln!(out, "removed      {label}");
    }
    let _ = write!(out, "\n{}", totals(comparison));
    if hidden > 0 {
        let _ = write!(out, " (equivalent ones are shown with --all)");
    }
    if comparison.design == Design::Stored {
        out.push_str("\nmeasured at different times: the machine may have drifted; `dyno ab` compares two builds side by side");
    }
    out.push('\n');
    out
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
                let _ = writeln!(
                    rows,
                    "| {} | {} | {} | {} | {} | {} | {} |",
                    metric.verdict,
                    escape::inline(&case.label),
                    escape::inline(&metric.name),
                    units::value(metric.baseline, &metric.unit),
                    units::value(metric.candidate, &metric.unit),
                    effect(metric),
                    escape::inline(metric.remark.as_deref().unwrap_or_default())
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

/// JUnit XML: a test case per metric.
#[must_use]
pub fn junit(comparison: &Comparison) -> String {
    let (mut rows, mut tests) = (String::new(), 0);
    for case in &comparison.cases {
        for metric in &case.metrics {
            tests += 1;
            let _ =
                write!(rows, "  <testcase classname=\"{}\" name=\"{}\"", xml(&case.label), xml(&metric.name));
            let said = format!("{}; {}", effect(metric), metric.remark.as_deref().unwrap_or_default());
            match metric.verdict {
                Verdict::Regressed => {
                    let _ = writeln!(rows, "><failure message=\"{}\"/></testcase>", xml(&said));
                }
                Verdict::Inconclusive => {
                    let _ = writeln!(rows, "><skipped message=\"{}\"/></testcase>", xml(&said));
                }
                Verdict::Improved | Verdict::Equivalent => rows.push_str("/>\n"),
            }
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"dyno\" tests=\"{tests}\" failures=\"{}\" skipped=\"{}\">\n{rows}</testsuite>\n",
        comparison.count(Verdict::Regressed),
        comparison.count(Verdict::Inconclusive)
    )
}

/// Text inside XML; characters that XML cannot hold are replaced.
fn xml(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            c if c.is_control() => "\u{fffd}".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

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
