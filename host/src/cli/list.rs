//! `dyno list`: what the plugins offer.

use std::process::ExitCode;

use dyno_core::model::{PluginBuild, PluginKind};
use dyno_plugin_api::descriptor::BenchmarkInfo;
use indexmap::IndexMap;
use serde_json::json;

use super::{Failure, args, exit_code::End, output, table};
use crate::app::{App, Entry};

pub(super) fn execute(app: &App, args: &args::ListArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let catalog = app.listed()?;
    let wanted = args.filter.as_deref().unwrap_or_default().to_lowercase();
    let entries: Vec<&Entry> = catalog.entries.iter().filter(|entry| offers(entry, &wanted)).collect();
    if as_json {
        let plugins: Vec<_> = entries
            .iter()
            .map(|entry| {
                json!({
                    "path": entry.path, "sha256": entry.sha256, "size_bytes": entry.size,
                    "incompatible": entry.incompatible, "descriptor": entry.descriptor,
                })
            })
            .collect();
        output::json(&json!({ "plugins": plugins, "problems": catalog.problems }))?;
        return Ok(End::Good.into());
    }
    let mut rows = table::new(&["benchmark", "category", "hardware", "plugin", "engines", "description"]);
    let listed = lines(&entries, &wanted);
    for (line, engines) in &listed {
        let engines: Vec<String> = engines.iter().map(ToString::to_string).collect();
        let mut cells = line.clone();
        cells.insert(4, engines.join(", "));
        rows.add_row(cells);
    }
    if listed.is_empty() {
        let folders: Vec<String> =
            app.settings().plugins.value.iter().map(|folder| folder.display().to_string()).collect();
        let place = if folders.is_empty() {
            "no plugin folder was found".to_owned()
        } else {
            format!("looked in {}", folders.join(", "))
        };
        let what = if wanted.is_empty() { String::new() } else { format!(" matches `{wanted}`") };
        output::note(&format!("no benchmark{what}; {place}; give --plugins DIR"));
    } else {
        output::text(&rows.to_string())?;
    }
    for problem in &catalog.problems {
        output::note(&format!("note: {problem}"));
    }
    Ok(End::Good.into())
}

/// One line per benchmark and plugin version, with the kinds of build that there are.
fn lines(entries: &[&Entry], wanted: &str) -> IndexMap<Vec<String>, Vec<PluginKind>> {
    let mut lines: IndexMap<Vec<String>, Vec<PluginKind>> = IndexMap::new();
    for entry in entries {
        let info = &entry.descriptor.plugin;
        for benchmark in
            entry.descriptor.benchmarks.iter().filter(|benchmark| is_about(entry, benchmark, wanted))
        {
            let line = vec![
                benchmark.name.clone(),
                benchmark.category.clone(),
                benchmark.hardware.join(", "),
                format!("{} {}{}", info.id, info.version, debug_mark(entry)),
                entry.incompatible.clone().unwrap_or_else(|| benchmark.description.clone()),
            ];
            lines.entry(line).or_default().push(entry.kind);
        }
    }
    lines
}

/// What follows the version of a plugin whose times are not those of a release build.
fn debug_mark(entry: &Entry) -> &'static str {
    if entry.descriptor.build == Some(PluginBuild::Debug) { " (debug build)" } else { "" }
}

fn offers(entry: &Entry, wanted: &str) -> bool {
    entry.descriptor.benchmarks.iter().any(|benchmark| is_about(entry, benchmark, wanted))
}

/// Whether name, plugin, category or tags contain the text.
fn is_about(entry: &Entry, benchmark: &BenchmarkInfo, wanted: &str) -> bool {
    let id = &entry.descriptor.plugin.id;
    let about = format!("{} {id} {} {}", benchmark.name, benchmark.category, benchmark.tags.join(" "));
    about.to_lowercase().contains(wanted)
}
