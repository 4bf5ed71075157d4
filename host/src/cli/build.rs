//! `dyno build`: from a folder of sources to a checked plugin in the folder where the next command finds it.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use dyno_core::{model::CheckReport, text::shown, units};
use serde_json::{Value, json};

use super::{Failure, args::BuildArgs, check, exit_code::End, output, run, terminal};
use crate::app::{App, BuildError, CheckOptions, Complaints, Depth, Entry, Project, Wish, seed};

/// Time of each test: a build is waited for.
const TEST_BUDGET: Duration = Duration::from_secs(2);

pub(super) fn execute(app: &App, args: &BuildArgs, json: bool) -> Result<ExitCode, Failure> {
    let patience = args.tools.patience()?;
    let project = Project::open(&args.folder)?;
    let cancel = run::listen_for_ctrl_c(app)?;
    let wish = Wish {
        engine: args.tools.engine(),
        messages: Complaints::Shown,
        patience,
        cancelled: &|| cancel.is_set(),
    };
    let begin = Instant::now();
    output::note(&format!("building `{}` with {}", project.folder().display(), project.builder()));
    let entries = app.builds().build(&project, &wish)?;
    let took = units::duration(begin.elapsed().as_nanos() as f64);
    let begin = Instant::now();
    let report = if args.no_check { None } else { Some(checked(app, &entries)?) };
    if cancel.is_set() {
        return Ok(End::Cancelled.into());
    }
    let is_refused = report.as_ref().is_some_and(|report| check::has_failed(report, false));
    let places = if is_refused { Vec::new() } else { app.builds().publish(&entries)? };
    let summary = report.as_ref().map(|report| check::summary(report, false, begin.elapsed()));
    if json {
        let tests = |i: usize| {
            report.as_ref().and_then(|report: &CheckReport| report.files.get(i)).map(|file| &file.tests)
        };
        let built: Vec<Value> = entries
            .iter()
            .enumerate()
            .map(|(i, entry)| json!({"plugin": entry.plugin(), "file": places.get(i), "tests": tests(i)}))
            .collect();
        output::json(&built)?;
        summary.iter().for_each(|summary| output::note(summary));
    } else {
        let mut text = format!("built in {took}\n");
        for (i, entry) in entries.iter().enumerate() {
            let plugin = &entry.descriptor.plugin;
            let file = places.get(i).unwrap_or(&entry.path).display();
            text.push_str(&format!(
                "{} {} ({})  {file}\n",
                shown(&plugin.id),
                shown(&plugin.version),
                entry.kind
            ));
        }
        text.push_str(&report.as_ref().map(check::complaints).unwrap_or_default());
        summary.iter().for_each(|summary| text.push_str(&format!("{summary}\n")));
        let first = entries.first().and_then(|entry| Some((entry, entry.descriptor.benchmarks.first()?)));
        if let Some((entry, benchmark)) = first.filter(|_| !is_refused) {
            let id = &entry.descriptor.plugin.id;
            let device = match benchmark.hardware.first() {
                Some(kind) if !benchmark.hardware.iter().any(|kind| kind == "cpu") => {
                    format!(" --hardware {}", shown(kind))
                }
                _ => String::new(),
            };
            text.push_str(&format!("run it: dyno run {}/{}{device}\n", shown(id), shown(&benchmark.name)));
        }
        output::text(&terminal::folded(&text))?;
    }
    if is_refused {
        output::note(
            "the plugin folder was left as it was; mend what failed, or give --no-check to use the plugin as it is",
        );
        return Ok(End::BenchmarkFailed.into());
    }
    Ok(End::Good.into())
}

fn checked(app: &App, entries: &[Entry]) -> Result<CheckReport, Failure> {
    let options = CheckOptions {
        benchmarks: Vec::new(),
        hardware: Vec::new(),
        budget: TEST_BUDGET,
        seed: seed(None).0,
        depth: Depth::Full,
    };
    let files: Vec<String> = entries.iter().map(|entry| entry.path.display().to_string()).collect();
    Ok(app.checks().check(&files, &options, &app.cancel(), &mut |_, news| check::note_waiting(&news))?)
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let message = error.to_string();
        match error {
            BuildError::Cancelled => Self::Cancelled,
            BuildError::Host(_) => Self::Host(message),
            _ => Self::Usage(message),
        }
    }
}
