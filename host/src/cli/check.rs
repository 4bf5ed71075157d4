//! `dyno check`: whether plugins keep the promises of their descriptors and of the contract, test by test.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use dyno_core::{
    model::{CheckReport, CheckedFile, TestOutcome, TestResult},
    text::{sentence, shown},
    units,
};

use super::{Failure, args::CheckArgs, exit_code::End, formats, output, run, target, terminal};
use crate::{
    app::{App, CheckNews},
    export::check_junit,
};

pub(super) fn execute(app: &App, args: &CheckArgs, json: bool) -> Result<ExitCode, Failure> {
    let options = args.options()?;
    if let Some(file) = &args.junit {
        target::check_file("--junit", file)?;
    }
    let begin = Instant::now();
    let cancel = run::listen_for_ctrl_c(app)?;
    let mut lines = Lines { is_quiet: json, file: None, about: None, closed: None };
    let report =
        app.checks().check(&args.what, &options, &cancel, &mut |file, news| lines.show(file, news))?;
    if let Some(failure) = lines.closed {
        return Err(failure);
    }
    if json {
        output::json(&report)?;
    }
    if let Some(file) = &args.junit {
        formats::write(&check_junit(&report, args.strict), Some(file))?;
    }
    let summary = summary(&report, args.strict, begin.elapsed());
    if json {
        output::note(&summary);
    } else {
        output::text(&terminal::folded(&format!("\n{summary}")))?;
    }
    if cancel.is_set() {
        return Ok(End::Cancelled.into());
    }
    Ok(if has_failed(&report, args.strict) { End::BenchmarkFailed } else { End::Good }.into())
}

fn results(report: &CheckReport) -> impl Iterator<Item = &TestResult> {
    report.files.iter().flat_map(|CheckedFile { tests, .. }| tests)
}

/// Prints results as they come, below what they are about.
struct Lines {
    is_quiet: bool,
    file: Option<String>,
    about: Option<(String, Option<String>)>,
    /// Why no more can be printed.
    closed: Option<Failure>,
}

impl Lines {
    fn show(&mut self, file: &str, news: CheckNews<'_>) {
        match news {
            CheckNews::Tested(result) if !self.is_quiet && self.closed.is_none() => {
                let text = self.lines_of(file, result);
                self.closed = output::text(&terminal::folded(&text)).err();
            }
            other => note_waiting(&other),
        }
    }

    fn lines_of(&mut self, file: &str, result: &TestResult) -> String {
        let mut out = String::new();
        if self.file.as_deref() != Some(file) {
            let gap = if self.file.is_some() { "\n" } else { "" };
            out.push_str(&format!("{gap}{}\n", shown(file)));
            self.file = Some(file.to_owned());
            self.about = None;
        }
        let about = result.benchmark.clone().map(|benchmark| (benchmark, result.device.clone()));
        if about.is_some() && self.about != about {
            let on = result.device.as_ref().map(|device| format!(" on {device}")).unwrap_or_default();
            out.push_str(&format!(
                "  {}{on}\n",
                shown(about.as_ref().map_or("", |(benchmark, _)| benchmark))
            ));
            self.about = about;
        }
        let promise = match &result.outcome {
            TestOutcome::Skipped { message } => message,
            _ => result.test.promise(),
        };
        let took = match result.elapsed_s {
            0.0 => String::new(),
            seconds => format!(" [{}]", units::duration(seconds * 1e9)),
        };
        out.push_str(&format!(
            "    {:<8} {:<13} {}{took}",
            result.outcome.word(),
            result.test.name(),
            sentence(promise)
        ));
        if let TestOutcome::Failed { message } | TestOutcome::Noted { message } = &result.outcome {
            out.push_str(&format!("\n             {}", sentence(message)));
        }
        out
    }
}

/// Whether the plugins break a promise.
pub(super) fn has_failed(report: &CheckReport, strict: bool) -> bool {
    results(report).any(|result| result.outcome.is_failure(strict))
}

/// The tests that failed or left a remark, a paragraph each.
pub(super) fn complaints(report: &CheckReport) -> String {
    let mut lines = Lines { is_quiet: false, file: None, about: None, closed: None };
    let mut out = String::new();
    for file in &report.files {
        let told = file
            .tests
            .iter()
            .filter(|test| matches!(test.outcome, TestOutcome::Failed { .. } | TestOutcome::Noted { .. }));
        told.for_each(|test| out.push_str(&(lines.lines_of(&file.path, test) + "\n")));
    }
    out
}

/// Says what a check waits for, if it does.
pub(super) fn note_waiting(news: &CheckNews<'_>) {
    match news {
        CheckNews::Tested(_) => {}
        CheckNews::Compiling => output::note("compiling the component; it is compiled only once"),
        CheckNews::Waiting { device, holder } => {
            output::note(&format!("waiting for {}: {}", shown(device), shown(holder)));
        }
    }
}

/// The closing line.
pub(super) fn summary(report: &CheckReport, strict: bool, took: Duration) -> String {
    let count = |word: &str| results(report).filter(|result| result.outcome.word() == word).count();
    let failed = results(report).filter(|result| result.outcome.is_failure(strict)).count();
    format!(
        "{}: {} in {}, with {} for each: {} passed, {} failed, {} noted, {} skipped; seed {}",
        if failed == 0 { "passed" } else { "FAILED" },
        units::count(results(report).count(), "test"),
        units::duration(took.as_nanos() as f64),
        units::duration(report.budget_s * 1e9),
        count("passed"),
        count("failed"),
        count("noted"),
        count("skipped"),
        report.seed
    )
}
