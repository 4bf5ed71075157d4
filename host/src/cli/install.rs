//! `dyno install` and `dyno remove`: packages into a plugin folder, and out of it.

use std::process::ExitCode;

use dyno_core::units;
use serde_json::json;

use super::{
    Failure,
    args::{InstallArgs, RemoveArgs},
    exit_code::End,
    output,
};
use crate::{
    app::{App, Placed, SignatureState},
    config::Origin,
};

pub(super) fn install(app: &App, args: &InstallArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let mut printed = Ok(());
    let index = app.settings().index.value.as_deref();
    let placed = app.packages().install(&args.what, index, &mut |placed| {
        if !as_json && printed.is_ok() {
            printed = output::text(&line(placed));
        }
    })?;
    printed?;
    if as_json {
        output::json(&placed)?;
    }
    if let Some(note) = not_searched(app) {
        output::note(&note);
    }
    Ok(End::Good.into())
}

fn line(placed: &Placed) -> String {
    let Placed { name, folder, was_there, files, signature } = placed;
    let bytes: u64 = files.iter().map(|file| file.size_bytes).sum();
    let what = if *was_there { "is installed already" } else { "installed" };
    let (files, bytes) = (units::count(files.len(), "file"), units::bytes(bytes as f64));
    let by = match signature {
        SignatureState::NotChecked => String::new(),
        other => format!(", {other}"),
    };
    if *was_there {
        format!("{name} {what} in `{}`{by}", folder.display())
    } else {
        format!("{what} {name} in `{}` ({files}, {bytes}){by}", folder.display())
    }
}

/// The remark that other commands do not look where packages were installed.
fn not_searched(app: &App) -> Option<String> {
    let settings = app.settings();
    let folder = settings.packages.value.as_deref()?;
    let is_default =
        settings.plugins.origin == Origin::Default && settings.packages.origin == Origin::Default;
    let is_searched =
        is_default || settings.plugins.value.iter().any(|searched| folder.starts_with(searched));
    let shown = folder.display();
    (!is_searched).then(|| {
        format!(
            "note: `{shown}` is not among the plugin folders; give --plugins {shown} to use what is in it"
        )
    })
}

pub(super) fn remove(app: &App, args: &RemoveArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let (mut removed, mut printed) = (Vec::new(), Ok(()));
    app.packages().remove(&args.what, &mut |name| {
        if !as_json && printed.is_ok() {
            printed = output::text(&format!("removed {name}"));
        }
        removed.push(name.to_owned());
    })?;
    printed?;
    if as_json {
        output::json(&json!({ "removed": removed }))?;
    }
    Ok(End::Good.into())
}
