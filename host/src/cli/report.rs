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
    let text = match format {
        ReportFormat::Markdown => export::markdown(&app.stored_run(&args.run, false)?),
        ReportFormat::Json => export::json(&app.stored_run(&args.run, true)?)
            .map_err(|error| Failure::Host(error.to_string()))?,
        ReportFormat::Csv => export::csv(&app.stored_run(&args.run, false)?),
        ReportFormat::SamplesCsv => export::samples_csv(&app.stored_run(&args.run, true)?),
        ReportFormat::Bmf => export::bmf(&app.stored_run(&args.run, false)?),
        ReportFormat::Gbench => export::gbench(&app.stored_run(&args.run, true)?),
        ReportFormat::Openmetrics => export::openmetrics(&app.stored_run(&args.run, false)?),
        ReportFormat::Parquet => return parquet(app, args),
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

/// The database writes it: a Parquet file is no text.
fn parquet(app: &App, args: &ReportArgs) -> Result<ExitCode, Failure> {
    let Some(path) = &args.file else {
        return Err(Failure::Usage(
            "a Parquet file is no text; say where to write it with --file".to_owned(),
        ));
    };
    app.write_parquet(&args.run, path)?;
    output::note(&format!("wrote {}", path.display()));
    Ok(End::Good.into())
}
