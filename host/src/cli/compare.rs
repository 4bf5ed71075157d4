//! `dyno compare`: two stored results beside one another; and what every comparison shares: flags, formats, exit code.

use std::process::ExitCode;

use dyno_core::{
    model::{Comparison, Verdict},
    units,
};

use super::{
    Failure,
    args::{CompareArgs, ComparisonFormat, JudgeArgs},
    exit_code::End,
    output, terminal,
};
use crate::{
    app::{App, CompareOptions},
    export,
};

pub(super) fn execute(app: &App, args: &CompareArgs, json: bool) -> Result<ExitCode, Failure> {
    let comparison = app.compare(&args.baseline, &args.candidate, &options(&args.judge)?)?;
    show(&comparison, args.format, json, args.all)?;
    notify(app, &comparison);
    Ok(end(&comparison, args.judge.fail_inconclusive).into())
}

/// Tells whom the settings name; what does not work is said and changes nothing.
pub(super) fn notify(app: &App, comparison: &Comparison) {
    for problem in app.notify(comparison) {
        output::note(&format!("warning: {problem}"));
    }
}

/// Writes a comparison in the format that was asked for.
pub(super) fn show(
    comparison: &Comparison,
    format: Option<ComparisonFormat>,
    json: bool,
    all: bool,
) -> Result<(), Failure> {
    match format.unwrap_or(if json { ComparisonFormat::Json } else { ComparisonFormat::Text }) {
        ComparisonFormat::Text => output::text(&terminal::folded(&export::comparison_text(comparison, all))),
        ComparisonFormat::Markdown => output::text(&export::comparison_markdown(comparison)),
        ComparisonFormat::Junit => output::text(&export::junit(comparison)),
        ComparisonFormat::Github => output::text(&export::github(comparison)),
        ComparisonFormat::Json => output::json(comparison),
        ComparisonFormat::Csv => output::text(&export::comparison_csv(comparison)),
        ComparisonFormat::Bmf => output::text(&export::comparison_bmf(comparison)),
        ComparisonFormat::Openmetrics => output::text(&export::comparison_openmetrics(comparison)),
    }
}

/// The exit code: a regression counts more than what could not be judged.
pub(super) fn end(comparison: &Comparison, fail_inconclusive: bool) -> End {
    if comparison.has(Verdict::Regressed) {
        End::Regression
    } else if fail_inconclusive && comparison.has(Verdict::Inconclusive) {
        End::Inconclusive
    } else {
        End::Good
    }
}

/// What the flags say about strictness.
pub(super) fn options(args: &JudgeArgs) -> Result<CompareOptions, Failure> {
    let default = CompareOptions::default();
    Ok(CompareOptions {
        threshold: share("--threshold", args.threshold.as_deref(), default.threshold)?,
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
