//! `dyno report`: a stored run as a file.

use std::process::ExitCode;

use super::{Failure, args::ReportArgs, exit_code::End, formats, target};
use crate::{app::App, export::Format};

pub(super) fn execute(app: &App, args: &ReportArgs, json: bool) -> Result<ExitCode, Failure> {
    let format = args.format.unwrap_or(if json { Format::Json } else { Format::Markdown });
    let file = args.file.as_deref();
    formats::check(format, file)?;
    if let Some(file) = file {
        target::check_file("-o", file)?;
    }
    let run = app.results().run(&args.run, format.needs_samples())?;
    formats::write_run(app, &run, format, file)?;
    Ok(End::Good.into())
}
