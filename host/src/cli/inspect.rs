//! `dyno inspect PLUGIN|FILE`: all metadata of a plugin.

use std::{fmt::Write, path::Path, process::ExitCode};

use dyno_core::{
    binary::{unknown_imports, withheld_imports},
    model::build_remark,
    protocol::missing_libraries,
    units,
};
use dyno_plugin_api::descriptor::BenchmarkInfo;
use serde_json::{Value, json};

use super::{
    Failure, args,
    exit_code::End,
    grid::{Grid, Role},
    list, output, terminal,
};
use crate::app::{App, Entry, Libraries, Problem, is_plugin_path};

pub(super) fn execute(app: &App, args: &args::InspectArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let path = Path::new(&args.what);
    let entries: Vec<Entry> = if path.is_file() || is_plugin_path(&args.what) {
        vec![app.plugins().file(path).map_err(|problem| Failure::Usage(problem.to_string()))?]
    } else {
        let catalog = app.plugins().listed()?;
        let found: Vec<Entry> =
            catalog.entries.iter().filter(|entry| entry.descriptor.plugin.id == args.what).cloned().collect();
        if found.is_empty() {
            let offers = |entry: &&Entry| entry.descriptor.benchmarks.iter().any(|it| it.name == args.what);
            if let Some(entry) = catalog.entries.iter().find(offers) {
                let id = &entry.descriptor.plugin.id;
                return Err(Failure::Usage(format!(
                    "`{}` is a benchmark of the plugin {id}; `dyno inspect {id}` describes it",
                    args.what
                )));
            }
            let mut ids: Vec<&str> =
                catalog.entries.iter().map(|entry| entry.descriptor.plugin.id.as_str()).collect();
            ids.dedup();
            return Err(Failure::Usage(format!(
                "`{}` is neither a file nor a plugin; known plugins: {}{}",
                args.what,
                if ids.is_empty() {
                    "none (give their folder with --plugins DIR)".to_owned()
                } else {
                    ids.join(", ")
                },
                catalog.rejected(&args.what).iter().map(|line| format!("\n  {line}")).collect::<String>()
            )));
        }
        found
    };
    if as_json {
        let all: Vec<_> = entries.iter().map(|entry| document(app, entry)).collect();
        output::json(&all)?;
    } else {
        let texts: Vec<String> =
            entries.iter().map(|entry| describe(entry, &surroundings(app, entry))).collect();
        output::text(&texts.join("\n"))?;
        entries.iter().for_each(list::note_warnings);
    }
    Ok(End::Good.into())
}

/// What a plugin needs from outside its file: libraries of a native one, functions of a component.
struct Surroundings {
    libraries: Libraries,
    imports: Vec<String>,
}

fn surroundings(app: &App, entry: &Entry) -> Result<Surroundings, Problem> {
    Ok(Surroundings { libraries: app.plugins().libraries(entry)?, imports: app.plugins().imports(entry)? })
}

fn document(app: &App, entry: &Entry) -> Value {
    let mut document = list::entry_document(entry);
    match surroundings(app, entry) {
        Ok(Surroundings { libraries: Libraries { brought, missing }, imports }) => {
            let brought: Vec<&str> = brought.iter().map(|library| library.name.as_str()).collect();
            document["libraries"] = json!({ "brought": brought, "missing": missing });
            document["imports"] = json!(imports);
        }
        Err(problem) => document["libraries"] = json!({ "error": problem.to_string() }),
    }
    document
}

fn describe(entry: &Entry, surroundings: &Result<Surroundings, Problem>) -> String {
    let descriptor = &entry.descriptor;
    let info = &descriptor.plugin;
    let (brought, withheld, unloadable) = match surroundings {
        Ok(Surroundings { libraries, imports }) => {
            let names = libraries.brought.iter().map(|library| library.name.clone()).collect();
            let imports = || imports.iter().map(String::as_str);
            let unloadable = missing_libraries(&libraries.missing).or_else(|| unknown_imports(imports()));
            (names, withheld_imports(imports()), unloadable)
        }
        Err(problem) => (Vec::new(), None, Some(problem.to_string())),
    };
    let mut out = format!("{} {} ({})\n", info.id, info.version, entry.kind);
    for (name, value) in [
        ("description", info.description.clone()),
        ("authors", info.authors.join(", ")),
        ("license", info.license.clone()),
        ("homepage", info.homepage.clone()),
        ("file", format!("{} ({})", entry.path.display(), units::bytes(entry.size as f64))),
        ("sha256", entry.sha256.clone()),
        ("signature", entry.signature.to_string()),
        (
            "contract",
            format!(
                "version {} {}",
                descriptor.abi.version,
                descriptor.abi.layout_hash.clone().unwrap_or_default()
            ),
        ),
        ("build", descriptor.build.map(|build| build.to_string()).unwrap_or_default()),
        ("warning", build_remark(&info.id, descriptor.build).unwrap_or_default()),
        ("asks for", descriptor.capabilities.join(", ")),
        ("brings along", brought.join(", ")),
        ("not offered", withheld.unwrap_or_default()),
        ("cannot run", entry.incompatible.clone().unwrap_or_default()),
        ("cannot load", unloadable.unwrap_or_default()),
    ] {
        if !value.is_empty() {
            // Writing to a string cannot fail.
            let line = format!("  {name}: {}", value.trim_end());
            // A hash and a path are copied: they stay whole.
            let line = if matches!(name, "file" | "sha256") { line } else { terminal::folded(&line) };
            let _ = writeln!(out, "{line}");
        }
    }
    for benchmark in &descriptor.benchmarks {
        describe_benchmark(&mut out, benchmark);
    }
    out
}

fn describe_benchmark(out: &mut String, benchmark: &BenchmarkInfo) {
    let BenchmarkInfo { name, category, hardware, .. } = benchmark;
    let _ = write!(out, "\n  {name} [{category}] on {}", hardware.join(", "));
    if !benchmark.models.is_empty() {
        let _ = write!(out, "; models {}", benchmark.models.join(", "));
    }
    let _ = writeln!(out, "\n{}", terminal::folded(&format!("    {}", benchmark.description)));
    if !benchmark.params.is_empty() {
        let mut rows = Grid::new([
            ("parameter", Role::Needed),
            ("type", Role::Needed),
            ("default", Role::Headline),
            ("allowed", Role::Needed),
            ("unit", Role::Needed),
            ("description", Role::Prose),
        ]);
        for param in &benchmark.params {
            rows.add_row([
                param.name.clone(),
                param.kind.to_string(),
                param.default.as_str().map_or_else(|| param.default.to_string(), str::to_owned),
                param.allowed(),
                param.unit.clone(),
                param.description.clone(),
            ]);
        }
        let _ = writeln!(out, "{rows}");
    }
    for metric in &benchmark.metrics {
        let _ = writeln!(out, "    metric {} [{}], {:?} is better", metric.name, metric.unit, metric.better);
    }
}
