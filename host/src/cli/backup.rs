//! `dyno backup`, `dyno restore` and `dyno vacuum`: the database as a file, and what it no longer has to keep.

use std::process::ExitCode;

use dyno_core::{model::Event, units};

use super::{
    Failure,
    args::{BackupArgs, RestoreArgs, VacuumArgs},
    exit_code::End,
    grid::{Grid, Role},
    output,
    run::listen_for_ctrl_c,
};
use crate::app::{App, Outdated, Vacuumed};

pub(super) fn backup(app: &App, args: &BackupArgs, json: bool) -> Result<ExitCode, Failure> {
    listen_for_ctrl_c(app)?;
    let saved = app.backups().save(&args.file, args.force, &mut note_waiting)?;
    if json {
        output::json(&saved)?;
        return Ok(End::Good.into());
    }
    output::text(&format!(
        "saved {} with {}, {}, in `{}` in {}",
        units::count(count(saved.contents.runs), "run"),
        units::count(count(saved.contents.samples), "sample"),
        units::bytes(saved.bytes as f64),
        saved.file.display(),
        units::duration(saved.elapsed_s * 1e9),
    ))?;
    Ok(End::Good.into())
}

pub(super) fn restore(app: &App, args: &RestoreArgs, json: bool) -> Result<ExitCode, Failure> {
    // Once begun, it goes to its end: that is soon.
    listen_for_ctrl_c(app)?;
    let restored = app.backups().restore(&args.file)?;
    if json {
        output::json(&restored)?;
        return Ok(End::Good.into());
    }
    let previous = restored.previous.as_ref().map_or_else(String::new, |previous| {
        format!(
            "\nthe previous database is now `{}`; delete it when you no longer need it",
            previous.display()
        )
    });
    output::text(&format!(
        "restored {} with {} as `{}`{previous}",
        units::count(count(restored.contents.runs), "run"),
        units::count(count(restored.contents.samples), "sample"),
        restored.database.display(),
    ))?;
    Ok(End::Good.into())
}

pub(super) fn vacuum(app: &App, args: &VacuumArgs, json: bool) -> Result<ExitCode, Failure> {
    listen_for_ctrl_c(app)?;
    let vacuumed = app.vacuum().run(args.dry_run, &mut note_waiting, &mut |_| {})?;
    if json {
        output::json(&vacuumed)?;
        return Ok(End::Good.into());
    }
    let Vacuumed { outdated, is_complete, bytes_before, bytes_after, is_shrunk } = &vacuumed;
    if args.dry_run {
        output::text(&planned(outdated))?;
        return Ok(End::Good.into());
    }
    let end = match (is_complete, is_shrunk) {
        (false, _) => "; not everything was done yet: call it again",
        (true, true) => "",
        (true, false) => {
            "; the server reuses the space. To make the file smaller, end the server and run `dyno vacuum` where the database is"
        }
    };
    output::text(&format!(
        "{}; the database had {} and has {}{end}",
        summary(outdated, "removed", "thinned"),
        units::bytes(*bytes_before as f64),
        units::bytes(*bytes_after as f64),
    ))?;
    Ok(End::Good.into())
}

/// What would be removed, a row for each run.
fn planned(outdated: &Outdated) -> String {
    let line = summary(outdated, "would be removed", "would be thinned");
    if outdated.is_empty() {
        return line;
    }
    let mut rows = Grid::new([
        ("run", Role::Needed),
        ("begun", Role::Headline),
        ("what", Role::Needed),
        ("samples removed", Role::Needed),
    ]);
    for it in &outdated.runs {
        rows.add_row([it.run.clone(), it.created_at.clone(), "remove".to_owned(), it.samples.to_string()]);
    }
    for it in &outdated.samples {
        let what = format!("thin {}", units::count(count(it.launches), "launch"));
        rows.add_row([it.run.clone(), it.created_at.clone(), what, it.samples.to_string()]);
    }
    format!("{rows}\n\n{line}")
}

fn summary(outdated: &Outdated, removed: &str, thinned: &str) -> String {
    if outdated.is_empty() {
        return "nothing is older than the setting `retention` allows".to_owned();
    }
    let samples: u64 = outdated.runs.iter().map(|it| it.samples).sum::<u64>()
        + outdated.samples.iter().map(|it| it.samples).sum::<u64>();
    format!(
        "{removed}: {}; {thinned}: {}; {} in all",
        units::count(outdated.runs.len(), "run"),
        units::count(outdated.samples.len(), "run"),
        units::count(count(samples), "sample"),
    )
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn note_waiting(event: &Event) {
    if let Event::WaitingForDatabase { holder, .. } = event {
        output::note(&format!("waiting for the database, which is open in {holder}"));
    }
}
