//! `dyno report`: a stored run as a file; and what every command shares that writes a run in some format.

use std::{path::Path, process::ExitCode};

use dyno_core::model::RunRecord;

use super::{
    Failure,
    args::{ReportArgs, ReportFormat},
    exit_code::End,
    output, target,
};
use crate::{app::App, export, fault::Place, user_file::write_whole};

pub(super) fn execute(app: &App, args: &ReportArgs, json: bool) -> Result<ExitCode, Failure> {
    let format = args.format.unwrap_or(if json { ReportFormat::Json } else { ReportFormat::Markdown });
    if let Some(file) = &args.file {
        target::check_file("-o", file)?;
    }
    if matches!(format, ReportFormat::Parquet) {
        parquet(app, &args.run, args.file.as_deref())?;
    } else {
        let text = rendered(&app.stored_run(&args.run, needs_samples(format))?, format)?;
        write(&text, args.file.as_deref())?;
    }
    Ok(End::Good.into())
}

/// Whether a format shows launches and samples: reading them takes longer.
fn needs_samples(format: ReportFormat) -> bool {
    match format {
        ReportFormat::Json | ReportFormat::SamplesCsv | ReportFormat::Gbench | ReportFormat::Junit => true,
        ReportFormat::Markdown
        | ReportFormat::Csv
        | ReportFormat::Bmf
        | ReportFormat::GithubBenchmark
        | ReportFormat::Openmetrics
        | ReportFormat::Parquet => false,
    }
}

/// A run as text in every format that is text.
pub(super) fn rendered(run: &RunRecord, format: ReportFormat) -> Result<String, Failure> {
    Ok(match format {
        ReportFormat::Markdown => export::markdown(run),
        ReportFormat::Json => export::json(run).map_err(|error| Failure::Host(error.to_string()))?,
        ReportFormat::Csv => export::csv(run),
        ReportFormat::SamplesCsv => export::samples_csv(run),
        ReportFormat::Bmf => export::bmf(run),
        ReportFormat::Gbench => export::gbench(run),
        ReportFormat::GithubBenchmark => export::github_benchmark(run),
        ReportFormat::Junit => export::run_junit(run),
        ReportFormat::Openmetrics => export::openmetrics(run),
        ReportFormat::Parquet => return Err(Failure::Usage(NO_TEXT.to_owned())),
    })
}

/// Writes text to a file, or to standard output.
pub(super) fn write(text: &str, file: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = file else { return output::text(text) };
    write_whole(path, text.as_bytes(), Place::Named)?;
    output::note(&format!("wrote {}", path.display()));
    Ok(())
}

/// Said before anything is measured, or when it is to be written.
pub(super) const NO_TEXT: &str = "a Parquet file is no text; say where to write it with --file";

/// The database writes it.
pub(super) fn parquet(app: &App, run: &str, file: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = file else { return Err(Failure::Usage(NO_TEXT.to_owned())) };
    app.write_parquet(run, path)?;
    output::note(&format!("wrote {}", path.display()));
    Ok(())
}
