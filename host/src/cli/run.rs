//! `dyno run`: flags to a request, progress while it runs, the table and the files when it has ended.

use std::{fs, path::PathBuf, process::ExitCode};

use dyno_core::{
    model::{CaseStatus, Comparison, Event, Measured, Pages, RunRecord, RunSpec, RunStatus, Settings},
    text::shown,
    units,
};
use serde_json::{Value, json};

use super::{
    Failure,
    args::{RunArgs, Selection},
    compare,
    exit_code::End,
    formats::{self, RunFormat},
    grid::{Grid, Role},
    output,
    progress::Progress,
    table, target, terminal,
};
use crate::{
    app::{self, App, Cancel, Planned},
    config::Resolved,
    export::{ComparisonFormat, Format, Rendered},
    fault::{HostFault, Place},
    user_file::write_whole,
};

pub(super) fn execute(app: &App, args: &RunArgs, as_json: bool) -> Result<ExitCode, Failure> {
    check_format(args)?;
    if let Some(file) = &args.file {
        target::check_file("-o", file)?;
    }
    let spec = request(args, app.settings())?;
    for warning in app.plugins().warnings(&spec)? {
        output::note(&format!("warning: {warning}"));
    }
    // Read before anything is measured: a missing baseline is reported at once, and `last` does not mean this run.
    let against = match (&args.compare, &args.baseline) {
        (Some(side), _) => Some(app.results().measured(side)?),
        (None, Some(name)) => {
            Some(app.results().measured(&app.results().baseline(&baseline_name(app, name)?)?)?)
        }
        (None, None) => None,
    };
    let judged = against.map(|side| Ok::<_, Failure>((side, args.judge.options()?))).transpose()?;
    let save_as = args.save_baseline.as_ref().map(|name| baseline_name(app, name)).transpose()?;
    if args.dry_run {
        return dry_run(app, &spec, as_json, args.all_columns);
    }
    target::check_settings(app.settings(), app.server_url().is_none())?;
    let cancel = listen_for_ctrl_c(app)?;
    let format =
        args.format.unwrap_or(if as_json { RunFormat::Document(Format::Json) } else { RunFormat::Text });
    let mut progress = Progress::new(format == RunFormat::Text);
    let mut begun = None;
    let outcome = app.runs().run(spec, &cancel, &mut |event| {
        if let Event::RunStarted { run, .. } = event {
            begun = Some(run.clone());
        }
        progress.show(event);
    });
    progress.finish();
    let record = match (outcome, begun) {
        (Ok(record), _) => record,
        (Err(error), Some(run)) => {
            output::note(&format!(
                "run {run} is interrupted; completed measurements are kept: `dyno results {run}`"
            ));
            return Err(error.into());
        }
        (Err(error), None) => return Err(error.into()),
    };
    if let Some(name) = save_as.filter(|_| record.status == RunStatus::Completed) {
        app.results().save_baseline(&name, &record)?;
        output::note(&format!("saved as the baseline `{}`", shown(&name)));
    }
    let written = write_files(app, &record)?;
    let comparison =
        judged.map(|(baseline, options)| app.verdicts().judge(&baseline, &Measured::from(&record), &options));
    show(app, args, format, &record, comparison.as_ref())?;
    if format == RunFormat::Text {
        show_places(app, &record, &written)?;
    }
    let end = end(&record, args.require_hardware);
    let Some(comparison) = comparison else { return Ok(end.into()) };
    show_beside(&comparison, format)?;
    let judged = compare::concluded(app, &comparison, args.judge.gate);
    Ok(if end == End::Good { judged } else { end }.into())
}

/// Refuses, before anything is measured, what could not be written afterwards.
fn check_format(args: &RunArgs) -> Result<(), Failure> {
    match args.format {
        Some(RunFormat::Document(format)) => formats::check(format, args.file.as_deref()),
        Some(RunFormat::Text) | None => Ok(()),
    }
}

/// Writes the run, or its comparison if the format is made for one.
fn show(
    app: &App,
    args: &RunArgs,
    format: RunFormat,
    record: &RunRecord,
    comparison: Option<&Comparison>,
) -> Result<(), Failure> {
    let file = args.file.as_deref();
    match format {
        RunFormat::Text => {
            let text = table::outcome(record, args.all_columns);
            match file {
                None => output::text(&text),
                Some(_) => formats::write(&output::lines(&text), file),
            }
        }
        RunFormat::Document(format) => match (format.of_comparison(), comparison) {
            (Some(format), Some(comparison)) => {
                formats::write(&compare::rendered(comparison, format, false)?, file)
            }
            _ => formats::write_run(app, record, format, file),
        },
    }
}

/// Writes the comparison beside the run, unless it was written instead of it.
fn show_beside(comparison: &Comparison, format: RunFormat) -> Result<(), Failure> {
    let text = || compare::rendered(comparison, ComparisonFormat::Text, false);
    match format {
        RunFormat::Text => output::text(&format!("\n{}", terminal::folded(&text()?)))?,
        // The document that was written is the comparison itself.
        RunFormat::Document(format) if format.of_comparison().is_some() => {}
        // Standard output or the file holds the result, and programs expect one document.
        RunFormat::Document(_) => output::aside(&text()?),
    }
    Ok(())
}

/// Prints the run's identifier and the places of its database and files.
fn show_places(app: &App, record: &RunRecord, written: &[(&'static str, PathBuf)]) -> Result<(), Failure> {
    let database = match &app.settings().server.value {
        Some(url) => format!("of the server {url}"),
        None => app.settings().db_path.value.display().to_string(),
    };
    let mut places = format!("\nrun      {}\ndatabase {database}", record.id);
    for (what, path) in written {
        places.push_str(&format!("\n{what:<8} {}", path.display()));
    }
    output::text(&places)
}

/// The name of a baseline; by default the current branch.
fn baseline_name(app: &App, given: &str) -> Result<String, Failure> {
    if !given.is_empty() {
        return Ok(given.to_owned());
    }
    app.results().branch().ok_or_else(|| {
        Failure::Usage(
            "no git branch is checked out here to name the baseline after; give a name, like --baseline=main"
                .to_owned(),
        )
    })
}

/// Cancels when the user presses Ctrl-C or sends SIGTERM.
pub(super) fn listen_for_ctrl_c(app: &App) -> Result<Cancel, Failure> {
    let cancel = app.cancel();
    cancel
        .set_by_signals()
        .map_err(|error| HostFault::new("cannot listen for Ctrl-C", &error, Place::Machine))?;
    Ok(cancel)
}

fn end(record: &RunRecord, require_hardware: bool) -> End {
    let is_failure = |status: &CaseStatus| status.is_failure() || require_hardware && status.lacks_device();
    if record.cases.iter().any(|case| is_failure(&case.status)) {
        End::BenchmarkFailed
    } else if matches!(record.status, RunStatus::Cancelled | RunStatus::Interrupted) {
        End::Cancelled
    } else {
        End::Good
    }
}

fn dry_run(app: &App, spec: &RunSpec, as_json: bool, all_columns: bool) -> Result<ExitCode, Failure> {
    let planned = app.runs().plan(spec)?;
    if as_json {
        let cases: Vec<Value> = planned
            .iter()
            .map(|case| {
                json!({"benchmark": case.benchmark, "plugin": case.plugin, "params": case.params,
                       "device": case.device.name, "skipped": case.obstacle.as_ref().map(ToString::to_string)})
            })
            .collect();
        output::json(&json!({"spec": spec, "cases": cases}))?;
    } else {
        output::text(&planned_table(&planned, all_columns))?;
    }
    Ok(End::Good.into())
}

/// The cases of a dry run.
fn planned_table(planned: &[Planned], everything: bool) -> String {
    let cases: Vec<table::CaseKey<'_>> = planned
        .iter()
        .map(|case| table::CaseKey {
            benchmark: &case.benchmark,
            plugin: &case.plugin,
            device: case.device.name.clone(),
            params: &case.params,
        })
        .collect();
    let table::Keys { columns, rows, shared } = table::keys(&cases, everything);
    let mut grid = Grid::new(columns.into_iter().chain([("remark", Role::Prose)]));
    for (case, mut row) in planned.iter().zip(rows) {
        row.push(case.obstacle.as_ref().map(|why| format!("will be skipped: {why}")).unwrap_or_default());
        grid.add_row(row);
    }
    let shared: String = shared.iter().map(|line| format!("\n{}", terminal::folded(line))).collect();
    format!("{grid}\n{shared}\n{}; nothing was run", units::count(planned.len(), "case"))
}

/// Result file and report, named after the run.
fn write_files(app: &App, record: &RunRecord) -> Result<Vec<(&'static str, PathBuf)>, Failure> {
    let folder = &app.settings().output.value;
    let kept = |error: &dyn std::fmt::Display| {
        Failure::Host(format!(
            "{error}; the run is in the database: `dyno report {}` writes it again",
            record.id
        ))
    };
    fs::create_dir_all(folder).map_err(|error| {
        let doing = format!("cannot make the folder `{}`", folder.display());
        kept(&HostFault::new(doing, &error, Place::Output))
    })?;
    let result = folder.join(format!("{}.json", record.id));
    let report = folder.join(format!("{}.md", record.id));
    for (path, format) in [(&result, Format::Json), (&report, Format::Markdown)] {
        match format.render(record).map_err(|error| kept(&error))? {
            Rendered::Text(text) => {
                write_whole(path, text.as_bytes(), Place::Output).map_err(|fault| kept(&fault))?;
            }
            Rendered::ByDatabase => {}
        }
    }
    Ok(vec![("result", result), ("report", report)])
}

/// The request that the flags describe.
fn request(args: &RunArgs, settings: &Resolved) -> Result<RunSpec, Failure> {
    let Selection { suite, requests, wishes } = args.selection.read(args.engine.map(Into::into))?;
    let scenario = args.scenario.read()?;
    let (seed, inputs) = app::seed(args.seed);
    Ok(RunSpec {
        suite,
        requests,
        settings: Settings {
            stop: match scenario {
                Some(_) => args.stop.in_scenario()?,
                None => args.stop.rule(&wishes)?,
            },
            scenario,
            timeout_ms: settings.timeout_ms(),
            seed,
            inputs,
            layout: args.layout.layout(),
            pages: if args.huge_pages { Pages::Huge } else { Pages::Normal },
            memory_limit_bytes: settings.memory_bytes.value,
            overlap: args.overlap,
            lease_timeout_ms: settings.lease_timeout_ms(),
            cpus: args.processors.read()?,
            realtime: args.realtime,
            counters: args.counters,
            require_isolation: settings.require_isolation.value.clone(),
            ..Settings::default()
        },
        tags: args.tag.clone(),
    })
}
