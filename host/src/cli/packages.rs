//! Lists of packages: `dyno list --installed` and `dyno list --available`.

use std::process::ExitCode;

use dyno_core::{model::unusable, units};

use super::{
    Failure,
    args::ListArgs,
    exit_code::End,
    grid::{Grid, Role},
    output,
};
use crate::app::{App, Installed, Wholeness};

/// The installed packages, and whether each is still what was installed. If one is not, the command fails: nobody knows what
/// would run.
pub(super) fn installed(app: &App, args: &ListArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let wanted: Vec<String> = args.words.iter().map(|word| word.to_lowercase()).collect();
    let mut folders = app.packages().installed()?;
    for (_, packages) in &mut folders {
        packages.retain(|one| wanted.iter().all(|word| one.package.name().to_lowercase().contains(word)));
    }
    let all = || folders.iter().flat_map(|(_, packages)| packages);
    if as_json {
        output::json(&all().collect::<Vec<_>>())?;
    } else if all().next().is_none() {
        output::note("no package is installed; `dyno install` installs one");
    } else {
        let mut grid = Grid::new([
            ("package", Role::Needed),
            ("version", Role::Needed),
            ("size", Role::Needed),
            ("state", Role::Needed),
            ("folder", Role::Prose),
        ]);
        for Installed { package, folder, state } in all() {
            let bytes: u64 = package.files.iter().map(|file| file.size_bytes).sum();
            grid.add_row([
                package.id.clone(),
                package.version.clone(),
                units::bytes(bytes as f64),
                word(state).to_owned(),
                folder.display().to_string(),
            ]);
        }
        output::text(&grid.to_string())?;
    }
    let harmed: Vec<String> = all().filter_map(harm).collect();
    harmed.iter().for_each(|sentence| output::note(&format!("warning: {sentence}")));
    Ok(if harmed.is_empty() { End::Good } else { End::HostFailed }.into())
}

fn word(state: &Wholeness) -> &'static str {
    match state {
        Wholeness::Whole => "whole",
        Wholeness::Changed { .. } => "changed",
        Wholeness::Missing => "missing",
    }
}

/// What is wrong with a package, and what helps.
fn harm(one: &Installed) -> Option<String> {
    let (name, folder) = (one.package.name(), one.folder.display());
    let what = match &one.state {
        Wholeness::Whole => return None,
        Wholeness::Changed { file } => format!("`{folder}/{file}` is not what was installed as {name}"),
        Wholeness::Missing => format!("the folder `{folder}` of {name} is gone"),
    };
    Some(format!("{what}; install it again from {}, or run `dyno remove {name}`", one.package.source))
}

/// The packages of an index.
pub(super) fn available(app: &App, args: &ListArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let Some(index) = app.settings().index.value.as_deref() else {
        return Err(Failure::Usage(
            "no index is named; give a folder, a file or a URL with --index or DYNO_INDEX".to_owned(),
        ));
    };
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let found = app.packages().offered(index, &words)?;
    if as_json {
        output::json(&found)?;
        return Ok(End::Good.into());
    }
    if found.is_empty() {
        output::note(&format!("the index `{index}` has no such package"));
        return Ok(End::Good.into());
    }
    let mut grid = Grid::new([
        ("package", Role::Needed),
        ("version", Role::Needed),
        ("builds", Role::Needed),
        ("size", Role::Needed),
        ("description", Role::Summary),
        ("cannot be used", Role::Prose),
    ]);
    for package in &found {
        let builds: Vec<String> = package
            .builds
            .iter()
            .map(|build| format!("{} {}", build.abi.kind, build.target).replace(" any", ""))
            .collect();
        grid.add_row([
            package.plugin.id.clone(),
            package.plugin.version.clone(),
            builds.join(", "),
            units::bytes(package.size_bytes as f64),
            package.plugin.description.clone(),
            unusable(&package.builds).map(|why| format!("it {why}")).unwrap_or_default(),
        ]);
    }
    output::text(&grid.to_string())?;
    Ok(End::Good.into())
}

/// Files with their sizes, as a table.
pub(super) fn files<'a>(files: impl Iterator<Item = (&'a str, u64)>) -> String {
    let mut grid = Grid::new([("file", Role::Needed), ("size", Role::Needed)]);
    for (path, bytes) in files {
        grid.add_row([path.to_owned(), units::bytes(bytes as f64)]);
    }
    grid.to_string()
}
