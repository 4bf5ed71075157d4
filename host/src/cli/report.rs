//! `dyno report`: a stored run as a file.

use std::{fs, process::ExitCode};

use super::{Failure, args::ReportArgs, browser, exit_code::End, formats, target};
use crate::{app::App, export::Format};

pub(super) fn execute(app: &App, args: &ReportArgs, json: bool) -> Result<ExitCode, Failure> {
    let usual = match (args.open, json) {
        (true, _) => Format::Html,
        (false, true) => Format::Json,
        (false, false) => Format::Markdown,
    };
    let format = args.format.unwrap_or(usual);
    if args.open && format != Format::Html {
        return Err(Failure::Usage(format!(
            "--open shows a report of the format html, not {}; leave one of both out",
            format.name()
        )));
    }
    if let Some(file) = &args.file {
        target::check_file("-o", file)?;
    } else if !args.open {
        formats::check(format, None)?;
    }
    let run = app.results().run(&args.run, format.needs_samples())?;
    let file = match &args.file {
        None if args.open => {
            let folder = &app.settings().output.value;
            let file = folder.join(format!("{}.html", run.id));
            target::check_output(folder)?;
            Some(file)
        }
        file => file.clone(),
    };
    formats::write_run(app, &run, format, file.as_deref())?;
    if let Some(file) = file.filter(|_| args.open) {
        // Browsers know files by their whole path.
        let file = fs::canonicalize(&file).unwrap_or(file);
        browser::open(&file.display().to_string());
    }
    Ok(End::Good.into())
}
