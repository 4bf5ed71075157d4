//! `dyno list`: the benchmarks that the plugins offer.

use std::process::ExitCode;

use dyno_core::{
    model::{DeviceKind, PluginBuild, PluginKind},
    units,
};
use dyno_plugin_api::descriptor::BenchmarkInfo;
use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{
    Failure, args,
    exit_code::End,
    grid::{Grid, Role},
    output, table,
};
use crate::app::{App, Catalog, Entry, Problem, Severity, SignatureState};

pub(super) fn execute(app: &App, args: &args::ListArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let catalog = app.plugins().listed()?;
    let wanted: Vec<String> = args.filters().map(str::to_lowercase).collect();
    let entries: Vec<&Entry> = catalog.entries.iter().filter(|entry| offers(entry, &wanted)).collect();
    if as_json {
        output::json(&Document { plugins: &entries, problems: &catalog.problems })?;
        return end(&catalog);
    }
    let listed = lines(&entries, &wanted);
    if listed.is_empty() {
        nothing(&catalog, &wanted.join(" "));
        return end(&catalog);
    }
    let is_all_cpu = listed.keys().all(|line| line.hardware == DeviceKind::Cpu.word());
    let mut grid = Grid::new([
        ("benchmark", Role::Needed),
        ("plugin", Role::Needed),
        ("engines", Role::Needed),
        ("hardware", if is_all_cpu { Role::Extra } else { Role::Needed }),
        ("category", Role::Extra),
        ("signed by", Role::Needed),
        ("description", Role::Summary),
        ("cannot run", Role::Prose),
    ]);
    for (line, engines) in &listed {
        let engines: Vec<String> = engines.iter().map(ToString::to_string).collect();
        let Line { benchmark, plugin, hardware, category, signer, description, incompatible } = line;
        let incompatible = incompatible.as_ref().map(|why| format!("cannot run: {why}")).unwrap_or_default();
        let engines = engines.join(", ");
        grid.add_row([benchmark, plugin, &engines, hardware, category, signer, description, &incompatible]);
    }
    output::text(&grid.complete(args.all_columns, table::ALL_COLUMNS).to_string())?;
    entries.into_iter().for_each(note_warnings);
    let mut asides = 0;
    for problem in &catalog.problems {
        match problem.severity {
            Severity::Aside if !args.all => asides += 1,
            _ => output::note(&format!("note: {problem}")),
        }
    }
    if asides > 0 {
        let (libraries, are) = (
            units::count(asides, "other library"),
            if asides == 1 { "is not a plugin" } else { "are not plugins" },
        );
        output::note(&format!("note: {libraries} in these folders {are}; `dyno list --all` says why"));
    }
    end(&catalog)
}

/// A list from which files are missing that the host could not read is not a good end.
pub(super) fn end(catalog: &Catalog) -> Result<ExitCode, Failure> {
    catalog.fault.clone().map_or_else(|| Ok(End::Good.into()), |fault| Err(fault.into()))
}

/// Explains why nothing is listed.
fn nothing(catalog: &Catalog, wanted: &str) {
    let place = match catalog.folders.as_slice() {
        [] if catalog.is_named => "the named files have other benchmarks".to_owned(),
        [] => "there is no plugin folder".to_owned(),
        folders => {
            let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            format!("looked in {}", names.join(", "))
        }
    };
    let what = if wanted.is_empty() { String::new() } else { format!(" matches `{wanted}`") };
    output::note(&format!(
        "no benchmark{what}; {place}; give another folder with --plugins, or a plugin file"
    ));
    for line in catalog.rejected(wanted) {
        output::note(&format!("note: {line}"));
    }
}

/// A benchmark in the list; its builds share a row if nothing else differs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Line {
    benchmark: String,
    plugin: String,
    hardware: String,
    category: String,
    signer: String,
    description: String,
    incompatible: Option<String>,
}

/// The list, for programs. Only one plugin at a time is a JSON value, which takes several times the memory of its text.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(serialize_with = "entry_documents")]
    plugins: &'a [&'a Entry],
    #[serde(serialize_with = "problem_documents")]
    problems: &'a [Problem],
}

fn entry_documents<S: Serializer>(entries: &[&Entry], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(entries.iter().map(|entry| entry_document(entry)))
}

fn problem_documents<S: Serializer>(problems: &[Problem], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(problems.iter().map(|problem| json!(problem)))
}

/// A plugin file, for programs.
pub(super) fn entry_document(entry: &Entry) -> Value {
    json!({
        "path": entry.path, "sha256": entry.sha256, "size_bytes": entry.size,
        "incompatible": entry.incompatible, "warnings": entry.warnings, "signature": entry.signature,
        "descriptor": entry.descriptor,
    })
}

/// Prints the warnings about a plugin file.
pub(super) fn note_warnings(entry: &Entry) {
    for warning in &entry.warnings {
        output::note(&format!("warning: {}: {warning}", entry.path.display()));
    }
}

/// One line per benchmark and plugin version, with the kinds of build that there are.
fn lines(entries: &[&Entry], wanted: &[String]) -> IndexMap<Line, Vec<PluginKind>> {
    let mut lines: IndexMap<Line, Vec<PluginKind>> = IndexMap::new();
    for entry in entries {
        let info = &entry.descriptor.plugin;
        for benchmark in
            entry.descriptor.benchmarks.iter().filter(|benchmark| is_about(entry, benchmark, wanted))
        {
            let line = Line {
                benchmark: benchmark.name.clone(),
                plugin: format!("{} {}{}", info.id, info.version, debug_mark(entry)),
                hardware: benchmark.hardware.join(", "),
                category: benchmark.category.clone(),
                signer: signer(&entry.signature).to_owned(),
                description: benchmark.description.clone(),
                incompatible: entry.incompatible.clone(),
            };
            lines.entry(line).or_default().push(entry.kind);
        }
    }
    lines
}

/// Who signed a file. In parentheses, so that no publisher can be called so: why nobody did.
fn signer(signature: &SignatureState) -> &str {
    match signature {
        SignatureState::NotChecked => "",
        SignatureState::Unsigned => "(unsigned)",
        SignatureState::Invalid { .. } => "(not accepted)",
        SignatureState::Signed { publisher, .. } => publisher,
    }
}

/// The mark of a debug build, whose times are not those of a release build.
fn debug_mark(entry: &Entry) -> &'static str {
    if entry.descriptor.build == Some(PluginBuild::Debug) { " (debug build)" } else { "" }
}

fn offers(entry: &Entry, wanted: &[String]) -> bool {
    entry.descriptor.benchmarks.iter().any(|benchmark| is_about(entry, benchmark, wanted))
}

/// Whether name, plugin, category or tags contain every one of these texts.
fn is_about(entry: &Entry, benchmark: &BenchmarkInfo, wanted: &[String]) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let id = &entry.descriptor.plugin.id;
    let about = format!("{} {id} {} {}", benchmark.name, benchmark.category, benchmark.tags.join(" "));
    let about = about.to_lowercase();
    wanted.iter().all(|text| about.contains(text))
}
