//! `dyno compare`: compares two stored results; and what all comparisons share: flags, formats, exit code.

use std::process::ExitCode;

use dyno_core::model::{Comparison, Verdict};

use super::{
    Failure,
    args::{CompareArgs, GateArgs},
    exit_code::End,
    output, terminal,
};
use crate::{app::App, export::ComparisonFormat};

pub(super) fn execute(app: &App, args: &CompareArgs, json: bool) -> Result<ExitCode, Failure> {
    let comparison = app.verdicts().compare(&args.baseline, &args.candidate, &args.judge.options()?)?;
    show(&comparison, args.output.chosen(json), args.all)?;
    Ok(concluded(app, &comparison, args.judge.gate).into())
}

/// Ends every comparison: notifies as the settings ask (a notification that fails is reported and changes nothing),
/// reports if nothing was compared, and returns the exit code.
pub(super) fn concluded(app: &App, comparison: &Comparison, gate: GateArgs) -> End {
    for problem in app.verdicts().notify(comparison) {
        output::note(&format!("warning: {problem}"));
    }
    if !comparison.has_compared() {
        let unjudged = comparison.unjudged.iter().map(|case| format!("{}: {}", case.label, case.why));
        let said: Vec<String> = unjudged.take(SHOWN).collect();
        output::note(&if said.is_empty() {
            format!(
                "error: nothing was compared: the two sides have no case in common; only the baseline has {}; only the \
                 candidate has {}",
                some_of(&comparison.removed),
                some_of(&comparison.added)
            )
        } else {
            format!("error: nothing was compared: {}", said.join("; "))
        });
    }
    end(comparison, gate)
}

/// Maximum number of cases that a sentence names.
const SHOWN: usize = 3;

/// The first of these names, and the number of the others. // eg: "a, b, c and 4 more"
fn some_of(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        _ if names.is_empty() => "none".to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A comparison in a format; `all` includes metrics that are equivalent.
pub(super) fn rendered(
    comparison: &Comparison,
    format: ComparisonFormat,
    all: bool,
) -> Result<String, Failure> {
    format.render(comparison, all).map_err(|error| Failure::Host(error.to_string()))
}

/// Writes a comparison; `all` includes metrics that are equivalent.
pub(super) fn show(comparison: &Comparison, format: ComparisonFormat, all: bool) -> Result<(), Failure> {
    let text = rendered(comparison, format, all)?;
    match format {
        ComparisonFormat::Text => output::text(&terminal::folded(&text)),
        _ => output::document(&text),
    }
}

/// The exit code. A regression takes precedence, because a metric is known to be worse; then a failure. A comparison
/// that compared nothing never succeeds: a gate that compares nothing would stay green indefinitely.
fn end(comparison: &Comparison, gate: GateArgs) -> End {
    if comparison.has(Verdict::Regressed) {
        End::Regression
    } else if comparison.failures().next().is_some() {
        End::BenchmarkFailed
    } else if !comparison.has_compared() || gate.fail_inconclusive && comparison.leaves_open() {
        End::Inconclusive
    } else {
        End::Good
    }
}
