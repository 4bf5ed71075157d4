//! `dyno run`: flags to a request, progress while it runs, the table and the files when it has ended.

use std::{fs, path::PathBuf, process::ExitCode};

use dyno_core::{
    model::{
        CaseRequest, CaseStatus, Comparison, EngineChoice, Event, Layout, Measured, Pages, RunRecord,
        RunSpec, RunStatus, Scenario, Settings, StopRule,
    },
    text::shown,
    units,
};
use indexmap::IndexMap;
use serde_json::{Value, json};

use super::{
    Failure,
    args::{Engine, RunArgs, ScenarioName},
    compare,
    exit_code::End,
    formats::{self, RunFormat},
    grid::{Grid, Role},
    output,
    progress::Progress,
    suite::{self, Overrides, SuiteSettings},
    table, target, terminal,
};
use crate::{
    app::{self, App, Cancel, Planned},
    config::Resolved,
    export::{ComparisonFormat, Format, Rendered},
    fault::{HostFault, Place},
    user_file::write_whole,
};

const DEFAULT_LAUNCHES: u32 = 5;
const MAX_LAUNCHES: u32 = 30;
const DEFAULT_BUDGET_NS: u64 = 3_000_000_000;
const DEFAULT_PRECISION: f64 = 0.01;

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
    let judged = against.map(|side| Ok::<_, Failure>((side, compare::options(&args.judge)?))).transpose()?;
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
    match format {
        RunFormat::Text => {
            output::text(&format!(
                "\n{}",
                terminal::folded(&compared(&comparison, ComparisonFormat::Text)?)
            ))?;
        }
        // The document that was written is the comparison itself.
        RunFormat::Document(format) if format.of_comparison().is_some() => {}
        // Standard output or the file holds the result, and programs expect one document.
        RunFormat::Document(_) => output::aside(&compared(&comparison, ComparisonFormat::Text)?),
    }
    let judged = compare::concluded(app, &comparison, args.judge.fail_inconclusive);
    Ok(if end == End::Good { judged } else { end }.into())
}

/// Refuses, before anything is measured, what could not be written afterwards.
fn check_format(args: &RunArgs) -> Result<(), Failure> {
    match args.format {
        Some(RunFormat::Document(format)) => formats::check(format, args.file.as_deref()),
        Some(RunFormat::Text) | None => Ok(()),
    }
}

fn compared(comparison: &Comparison, format: ComparisonFormat) -> Result<String, Failure> {
    format.render(comparison, false).map_err(|error| Failure::Host(error.to_string()))
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
            (Some(format), Some(comparison)) => formats::write(&compared(comparison, format)?, file),
            _ => formats::write_run(app, record, format, file),
        },
    }
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
    let engine = args.engine.map(|engine| match engine {
        Engine::Auto => EngineChoice::Auto,
        Engine::Native => EngineChoice::Native,
        Engine::Wasm => EngineChoice::Wasm,
        Engine::All => EngineChoice::All,
    });
    let overrides = Overrides { hardware: args.hardware.clone(), engine };
    let suite = args.suite.as_ref().map(|path| suite::read(path, &overrides)).transpose()?;
    let params = params(args.params.as_deref(), &args.param)?;
    let mut names: Vec<&str> = args.names().collect();
    if let Some(folder) = names.iter().find(|name| is_folder(name)) {
        return Err(Failure::Usage(format!(
            "`{folder}` is a folder, not a benchmark; to use the plugins in it, give --plugins {folder}"
        )));
    }
    // Plugin files without names mean all benchmarks in them.
    if names.is_empty() && suite.is_none() && !args.files().is_empty() {
        names.push("*");
    }
    if let Some(suite) = &suite
        && !(names.is_empty() && params.is_empty())
    {
        return Err(Failure::Usage(format!(
            "the suite `{}` already names the benchmarks; leave out --suite, or the benchmarks and parameters",
            suite.info.name
        )));
    }
    let hardware = if args.hardware.is_empty() { vec!["cpu".to_owned()] } else { args.hardware.clone() };
    let mut requests: Vec<CaseRequest> = names
        .into_iter()
        .map(|name| CaseRequest {
            benchmark: name.to_owned(),
            params: params.clone(),
            hardware: hardware.clone(),
            engine: engine.unwrap_or_default(),
            sha256: None,
        })
        .collect();
    let wishes = suite.as_ref().map(|suite| suite.settings.clone()).unwrap_or_default();
    let info = suite.map(|suite| {
        requests = suite.requests;
        suite.info
    });
    let scenario = scenario(args)?;
    let (seed, inputs) = app::seed(args.seed);
    Ok(RunSpec {
        suite: info,
        requests,
        settings: Settings {
            stop: match scenario {
                Some(_) => scenario_time(args)?,
                None => stop_rule(args, &wishes)?,
            },
            scenario,
            timeout_ms: (settings.timeout_ns.value / 1_000_000).max(1),
            seed,
            inputs,
            layout: if args.random_layout { Layout::Random } else { Layout::Fixed },
            pages: if args.huge_pages { Pages::Huge } else { Pages::Normal },
            memory_limit_bytes: settings.memory_bytes.value,
            overlap: args.overlap,
            lease_timeout_ms: settings.lease_timeout_ns.value.map(|ns| ns / 1_000_000),
            cpus: cpus(args.cpus.as_deref())?,
            realtime: args.realtime,
            counters: args.counters,
            ..Settings::default()
        },
        tags: args.tag.clone(),
    })
}

/// Whether a word that should be a benchmark is written as a folder, and is one.
fn is_folder(word: &str) -> bool {
    let is_path = ["/", "./", "../"].iter().any(|start| word.starts_with(start)) || word.ends_with('/');
    is_path && std::path::Path::new(word).is_dir()
}

/// `--cpus`, parsed; `app` checks that the machine has these processors.
pub(super) fn cpus(given: Option<&str>) -> Result<Vec<u32>, Failure> {
    given
        .map_or_else(|| Ok(Vec::new()), units::parse_cpus)
        .map_err(|message| Failure::Usage(format!("--cpus: {message}")))
}

/// `-p` and `--params`, each value still as it was given.
pub(super) fn params(json: Option<&str>, given: &[String]) -> Result<IndexMap<String, Vec<Value>>, Failure> {
    let mut out = IndexMap::new();
    if let Some(text) = json {
        let object: IndexMap<String, Value> = serde_json::from_str(text).map_err(|error| {
            Failure::Usage(format!(
                "--params `{text}` is not a JSON object: {error}; write it like '{{\"n\": 512}}'"
            ))
        })?;
        out.extend(object.into_iter().map(|(name, value)| (name, suite::sweep(value))));
    }
    for text in given {
        let (name, values) =
            text.split_once('=').filter(|(name, values)| !name.is_empty() && !values.is_empty()).ok_or_else(
                || Failure::Usage(format!("-p `{text}` is not NAME=VALUES; write it like `-p n=256,512`")),
            )?;
        let values = values.split(',').map(|value| Value::String(value.trim().to_owned())).collect();
        if out.insert(name.trim().to_owned(), values).is_some() {
            return Err(Failure::Usage(format!(
                "parameter `{name}` is given twice; write all values in one list"
            )));
        }
    }
    Ok(out)
}

/// `--scenario` and what belongs to it.
fn scenario(args: &RunArgs) -> Result<Option<Scenario>, Failure> {
    let usage = |message: &str| Failure::Usage(message.to_owned());
    if args.scenario != Some(ScenarioName::Server)
        && (args.target_qps.is_some() || args.latency_bound.is_some() || args.find_peak)
    {
        return Err(usage("--target-qps, --latency-bound and --find-peak belong to `--scenario server`"));
    }
    Ok(match args.scenario {
        None => None,
        Some(ScenarioName::SingleStream) => Some(Scenario::SingleStream),
        Some(ScenarioName::MultiStream) => Some(Scenario::MultiStream { streams: args.streams }),
        Some(ScenarioName::Offline) => Some(Scenario::Offline),
        Some(ScenarioName::Server) => {
            let Some(bound) = &args.latency_bound else {
                return Err(usage(
                    "`--scenario server` needs a --latency-bound, like `--latency-bound 10ms`",
                ));
            };
            let latency_bound_ns = units::parse_duration(bound)
                .map_err(|message| Failure::Usage(format!("--latency-bound: {message}")))?;
            let target_qps = match args.target_qps {
                Some(rate) if rate.is_finite() && rate > 0.0 && rate <= 1e7 => Some(rate),
                Some(rate) => {
                    return Err(Failure::Usage(format!(
                        "--target-qps: `{rate}` is not a rate; give a number above 0 and up to 10 million"
                    )));
                }
                None if args.find_peak => None,
                None => return Err(usage("`--scenario server` needs a --target-qps, or --find-peak")),
            };
            Some(Scenario::Server { target_qps, latency_bound_ns })
        }
    })
}

/// A scenario lasts a fixed time in each launch.
fn scenario_time(args: &RunArgs) -> Result<StopRule, Failure> {
    if args.samples.is_some() || args.precision.is_some() {
        return Err(Failure::Usage(
            "a scenario lasts for --time; leave out --samples and --precision".to_owned(),
        ));
    }
    let text = args.time.as_deref().unwrap_or("5s");
    let budget_ns =
        units::parse_duration(text).map_err(|message| Failure::Usage(format!("--time: {message}")))?;
    Ok(StopRule::Time { launches: args.launches.unwrap_or(1).max(1), budget_ns })
}

/// Flags override the suite, even if a flag names another stop rule than the suite.
fn stop_rule(args: &RunArgs, suite: &SuiteSettings) -> Result<StopRule, Failure> {
    let named = args.time.is_some() || args.samples.is_some() || args.precision.is_some();
    let (time, samples, precision) = if named {
        (args.time.clone(), args.samples, args.precision.clone())
    } else {
        (suite.time.clone(), suite.samples, suite.precision.clone())
    };
    let launches = args.launches.or(suite.launches);
    let count = launches.unwrap_or(DEFAULT_LAUNCHES).max(1);
    let usage = |flag: &str, message: String| Failure::Usage(format!("{flag}: {message}"));
    let budget_ns = time
        .as_deref()
        .map(|text| match units::parse_duration(text) {
            Ok(0) => Err(usage("--time", format!("`{text}` is zero; give more, like `500ms`"))),
            Ok(ns) => Ok(ns),
            Err(message) => Err(usage("--time", message)),
        })
        .transpose()?;
    if let Some(per_launch) = samples {
        return Ok(StopRule::Samples { launches: count, per_launch });
    }
    match (precision, budget_ns) {
        (None, Some(budget_ns)) => Ok(StopRule::Time { launches: count, budget_ns }),
        (precision, budget_ns) => Ok(StopRule::Precision {
            target: precision
                .as_deref()
                .map_or(Ok(DEFAULT_PRECISION), units::parse_fraction)
                .map_err(|message| usage("--precision", message))?,
            min_launches: count,
            max_launches: launches.unwrap_or(MAX_LAUNCHES).max(count),
            budget_ns: budget_ns.unwrap_or(DEFAULT_BUDGET_NS),
        }),
    }
}
