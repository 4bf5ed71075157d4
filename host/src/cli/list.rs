//! `dyno list`: what the plugins offer.

use std::process::ExitCode;

use serde_json::json;

use super::{Failure, args, exit_code::End, output, table};
use crate::{app::App, catalog::Entry};

pub(super) fn execute(app: &App, args: &args::ListArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let catalog = app.catalog();
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
    let mut rows = table::new(&["benchmark", "category", "hardware", "plugin", "engine", "description"]);
    let mut count = 0;
    for entry in &entries {
        let info = &entry.descriptor.plugin;
        for benchmark in entry.descriptor.benchmarks.iter().filter(|benchmark| {
            let about =
                format!("{} {} {} {}", benchmark.name, info.id, benchmark.category, benchmark.tags.join(" "));
            about.to_lowercase().contains(&wanted)
        }) {
            count += 1;
            rows.add_row([
                benchmark.name.clone(),
                benchmark.category.clone(),
                benchmark.hardware.join(", "),
                format!("{} {}", info.id, info.version),
                entry.kind.to_string(),
                entry.incompatible.clone().unwrap_or_else(|| benchmark.description.clone()),
            ]);
        }
    }
    if count > 0 {
        output::text(&rows.to_string())?;
    } else {
        let folders: Vec<String> =
            app.settings().plugins.value.iter().map(|folder| folder.display().to_string()).collect();
        let place = if folders.is_empty() {
            "no plugin folder was found".to_owned()
        } else {
            format!("looked in {}", folders.join(", "))
        };
        output::note(&format!(
            "no benchmark{}; {place}; give --plugins DIR",
            if wanted.is_empty() { String::new() } else { format!(" matches `{wanted}`") }
        ));
    }
    for problem in &catalog.problems {
        output::note(&format!("note: {problem}"));
    }
    Ok(End::Good.into())
}

fn offers(entry: &Entry, wanted: &str) -> bool {
    let info = &entry.descriptor.plugin;
    entry.descriptor.benchmarks.iter().any(|benchmark| {
        format!("{} {} {} {}", benchmark.name, info.id, benchmark.category, benchmark.tags.join(" "))
            .to_lowercase()
            .contains(wanted)
    })
}
