//! `dyno build`: from a folder of sources to a checked plugin in the folder where the next command finds it.

use std::{path::Path, process::ExitCode, time::Instant};

use dyno_core::{model::CheckReport, text::shown, units};
use serde_json::{Value, json};

use super::{Failure, args::BuildArgs, check, exit_code::End, output, run, terminal};
use crate::app::{App, BuildError, CheckNews, CheckOptions, Complaints, Depth, Entry, Project, Wish, seed};

/// Time of each test: a build is waited for.
const TEST_BUDGET: std::time::Duration = std::time::Duration::from_secs(2);

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
    let report = if args.no_check { None } else { Some(checked(app, &entries)?) };
    if cancel.is_set() {
        return Ok(End::Cancelled.into());
    }
    let is_refused = report.as_ref().is_some_and(|report| check::has_failed(report, false));
    let places = if is_refused { Vec::new() } else { app.builds().publish(&entries)? };
    if json {
        let built: Vec<Value> = entries.iter().enumerate().map(|(i, entry)| {
            json!({"plugin": entry.plugin(), "file": places.get(i), "tests": report.as_ref().and_then(|it| it.files.get(i)).map(|it| &it.tests)})
        }).collect();
        output::json(&built)?;
    } else {
        let mut text = format!("built in {took}\n");
        for (i, entry) in entries.iter().enumerate() {
            text.push_str(&about(entry, places.get(i).map(std::path::PathBuf::as_path)));
        }
        output::text(&terminal::folded(&text))?;
    }
    let Some(report) = report else { return Ok(End::Good.into()) };
    if !json {
        output::text(&terminal::folded(
            &(check::complaints(&report) + &check::summary(&report, false, begin.elapsed())),
        ))?;
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
    let mut told = |_: &str, news: CheckNews<'_>| match news {
        CheckNews::Compiling => output::note("compiling the component; it is compiled only once"),
        CheckNews::Waiting { device, holder } => {
            output::note(&format!("waiting for {}: {}", shown(device), shown(&holder)));
        }
        CheckNews::Tested(_) => {}
    };
    Ok(app.checks().check(&files, &options, &app.cancel(), &mut told)?)
}

/// What was built, where it is, and the next command.
fn about(entry: &Entry, place: Option<&Path>) -> String {
    let plugin = &entry.descriptor.plugin;
    let mut out = format!("{} {} ({})", shown(&plugin.id), shown(&plugin.version), entry.kind);
    match place {
        Some(place) => out.push_str(&format!(" is now {}\n", place.display())),
        None => out.push_str(&format!(" is {}\n", entry.path.display())),
    }
    if let (Some(_), Some(benchmark)) = (place, entry.descriptor.benchmarks.first()) {
        out.push_str(&format!("  run it: dyno run {}/{}\n", shown(&plugin.id), shown(&benchmark.name)));
    }
    out
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
