//! `dyno compare`: compares two stored results; and what all comparisons share: flags, formats, exit code.

use std::process::ExitCode;

use dyno_core::{
    model::{Comparison, Verdict},
    units,
};

use super::{
    Failure,
    args::{CompareArgs, JudgeArgs},
    exit_code::End,
    output, terminal,
};
use crate::{
    app::{App, CompareOptions},
    export::ComparisonFormat,
};

pub(super) fn execute(app: &App, args: &CompareArgs, json: bool) -> Result<ExitCode, Failure> {
    let comparison = app.verdicts().compare(&args.baseline, &args.candidate, &options(&args.judge)?)?;
    show(&comparison, args.format, json, args.all)?;
    Ok(concluded(app, &comparison, args.judge.fail_inconclusive).into())
}

/// Ends every comparison: notifies as the settings ask (a notification that fails is reported and changes nothing),
/// reports if nothing was compared, and returns the exit code.
pub(super) fn concluded(app: &App, comparison: &Comparison, fail_inconclusive: bool) -> End {
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
    end(comparison, fail_inconclusive)
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

/// Writes a comparison in the format that was asked for.
pub(super) fn show(
    comparison: &Comparison,
    format: Option<ComparisonFormat>,
    json: bool,
    all: bool,
) -> Result<(), Failure> {
    let format = format.unwrap_or(if json { ComparisonFormat::Json } else { ComparisonFormat::Text });
    let text = format.render(comparison, all).map_err(|error| Failure::Host(error.to_string()))?;
    match format {
        ComparisonFormat::Text => output::text(&terminal::folded(&text)),
        _ => output::document(&text),
    }
}

/// The exit code. A regression takes precedence, because a metric is known to be worse; then a failure. A comparison
/// that compared nothing never succeeds: a gate that compares nothing would stay green indefinitely.
fn end(comparison: &Comparison, fail_inconclusive: bool) -> End {
    if comparison.has(Verdict::Regressed) {
        End::Regression
    } else if comparison.failures().next().is_some() {
        End::BenchmarkFailed
    } else if !comparison.has_compared() || fail_inconclusive && comparison.leaves_open() {
        End::Inconclusive
    } else {
        End::Good
    }
}

/// How strict to be, by the flags.
pub(super) fn options(args: &JudgeArgs) -> Result<CompareOptions, Failure> {
    let default = CompareOptions::default();
    Ok(CompareOptions {
        threshold: change("--threshold", args.threshold.as_deref(), default.threshold)?,
        alpha: share("--alpha", args.alpha.as_deref(), default.alpha)?,
        allow_differences: args.allow_differences,
    })
}

/// A share that a flag gives, or its default.
pub(super) fn share(flag: &str, given: Option<&str>, default: f64) -> Result<f64, Failure> {
    given
        .map_or(Ok(default), units::parse_fraction)
        .map_err(|message| Failure::Usage(format!("{flag}: {message}")))
}

/// A relative change that a flag gives, which may be above 100 %, or its default.
pub(super) fn change(flag: &str, given: Option<&str>, default: f64) -> Result<f64, Failure> {
    given
        .map_or(Ok(default), units::parse_change)
        .map_err(|message| Failure::Usage(format!("{flag}: {message}")))
}
