//! A comparison for a terminal.

use std::fmt::Write;

use dyno_core::{
    model::{Comparison, Design, Verdict},
    units,
};

use super::{effect, repeated, repeats_time, totals};

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
            if !all && repeats_time(case, metric) {
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
                    "{} of launches in {}, {} of it measuring",
                    units::count(pairs.effects.len(), "pair"),
                    units::duration(pairs.elapsed_ns as f64),
                    units::duration(pairs.measured_ns as f64)
                ));
                if pairs.retaken > 0 {
                    notes.push(format!("{} retaken", units::count(pairs.retaken, "disturbed slice")));
                }
            }
            if let Some(detectable) = metric.detectable.filter(|it| it.is_finite() && *it < 10.0) {
                notes.push(format!("smallest detectable change {:.2} %", detectable * 100.0));
            }
            notes.extend(metric.remark.clone());
            notes.extend(repeated(case, metric).filter(|_| !all));
            if !notes.is_empty() {
                let _ = writeln!(out, "             {}", notes.join("; "));
            }
        }
    }
    for case in &comparison.unjudged {
        let word = if case.why.is_failure() { "failed" } else { "not judged" };
        let _ = writeln!(out, "{word:<13}{}: {}", case.label, case.why);
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
