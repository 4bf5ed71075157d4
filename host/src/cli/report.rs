//! `dyno report`: a stored run as a file.

use std::{fs, process::ExitCode};

use super::{
    Failure,
    args::{ReportArgs, ReportFormat},
    exit_code::End,
    output,
};
use crate::{app::App, export};

pub(super) fn execute(app: &App, args: &ReportArgs, json: bool) -> Result<ExitCode, Failure> {
    let format = args.format.unwrap_or(if json { ReportFormat::Json } else { ReportFormat::Markdown });
    let record =
        app.stored_run(&args.run, matches!(format, ReportFormat::Json | ReportFormat::SamplesCsv))?;
    let text = match format {
        ReportFormat::Markdown => export::markdown(&record),
        ReportFormat::Json => export::json(&record).map_err(|error| Failure::Host(error.to_string()))?,
        ReportFormat::Csv => export::csv(&record),
        ReportFormat::SamplesCsv => export::samples_csv(&record),
    };
    match &args.file {
        None => output::text(&text)?,
        Some(path) => {
            fs::write(path, text)
                .map_err(|error| Failure::Host(format!("cannot write `{}`: {error}", path.display())))?;
            output::note(&format!("wrote {}", path.display()));
        }
    }
    Ok(End::Good.into())
}
