//! `dyno results`: a stored run as a table, or the list of runs.

use std::process::ExitCode;

use dyno_core::text::Shown;

use super::{Failure, args, exit_code::End, output, table};
use crate::app::{App, RunFilter};

/// Longest list of tags in the table of runs [characters].
const TAGS: usize = 80;

pub(super) fn execute(app: &App, args: &args::ResultsArgs, json: bool) -> Result<ExitCode, Failure> {
    if args.list {
        return list(app, args, json);
    }
    let record = app.stored_run(&args.run, json && args.samples)?;
    if json {
        output::json(&record)?;
        return Ok(End::Good.into());
    }
    output::text(&format!(
        "run {} · {} · {}\n{}",
        record.id,
        record.created_at,
        record.status.word(),
        table::results(&record)
    ))?;
    let failures = table::failures(&record);
    if !failures.is_empty() {
        output::text(&failures)?;
    }
    if let Some(counted) = table::counted(&record) {
        output::text(&counted.to_string())?;
    }
    let remarks = table::remarks(&record);
    if !remarks.is_empty() {
        output::text(&remarks)?;
    }
    Ok(End::Good.into())
}

fn list(app: &App, args: &args::ResultsArgs, json: bool) -> Result<ExitCode, Failure> {
    let runs =
        app.stored_runs(&RunFilter { limit: args.limit, tag: args.tag.clone(), ..RunFilter::default() })?;
    if json {
        output::json(&runs)?;
        return Ok(End::Good.into());
    }
    let mut rows = table::new(&["run", "begun", "status", "cases", "failed", "tags"]);
    for run in &runs {
        rows.add_row([
            run.id.clone(),
            run.created_at.clone(),
            run.status.word().to_owned(),
            run.cases.to_string(),
            run.failed.to_string(),
            Shown::at_most(&run.tags.join(", "), TAGS).to_string(),
        ]);
    }
    output::text(&rows.to_string())?;
    Ok(End::Good.into())
}
