//! `dyno results`: a stored run as a table, or the list of runs.

use std::process::ExitCode;

use dyno_core::text::Shown;

use super::{
    Failure, args,
    exit_code::End,
    grid::{Grid, Role},
    output, table, terminal,
};
use crate::app::{App, RunFilter};

/// Maximum length of the tags in the table of runs [characters].
const TAGS: usize = 80;

pub(super) fn execute(app: &App, args: &args::ResultsArgs, json: bool) -> Result<ExitCode, Failure> {
    if args.list {
        return list(app, args, json);
    }
    let record = app.results().run(&args.run, json && args.samples)?;
    if json {
        output::json(&record)?;
        return Ok(End::Good.into());
    }
    output::text(&format!(
        "{}\n{}",
        terminal::folded(&format!("run {} · {} · {}", record.id, record.created_at, record.status.word())),
        table::outcome(&record, args.all_columns)
    ))?;
    Ok(End::Good.into())
}

fn list(app: &App, args: &args::ResultsArgs, json: bool) -> Result<ExitCode, Failure> {
    let runs = app.results().runs(&RunFilter {
        limit: args.limit,
        tag: args.tag.clone(),
        ..RunFilter::default()
    })?;
    if json {
        output::json(&runs)?;
        return Ok(End::Good.into());
    }
    let mut rows = Grid::new([
        ("run", Role::Needed),
        ("begun", Role::Headline),
        ("status", Role::Needed),
        ("cases", Role::Needed),
        ("failed", Role::Needed),
        ("tags", Role::Prose),
    ]);
    for run in &runs {
        rows.add_row([
            run.id.clone(),
            run.created_at.clone(),
            run.status.word().to_owned(),
            run.cases.to_string(),
            Some(run.failed)
                .filter(|failed| *failed > 0)
                .map(|failed| failed.to_string())
                .unwrap_or_default(),
            Shown::at_most(&run.tags.join(", "), TAGS).to_string(),
        ]);
    }
    output::text(&rows.to_string())?;
    Ok(End::Good.into())
}
