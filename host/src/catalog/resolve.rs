//! From what a user writes to benchmarks: names, patterns, versions, engines; and the nearest names if none matches.

use std::cmp::Ordering;

use dyno_core::model::{DeviceKind, EngineChoice, PluginKind};
use dyno_plugin_api::descriptor::BenchmarkInfo;
use semver::Version;

use super::{Catalog, Entry, glob};

/// A benchmark of a plugin file.
#[derive(Debug, Clone, Copy)]
pub struct Resolved<'a> {
    /// The file.
    pub entry: &'a Entry,
    /// The benchmark.
    pub benchmark: &'a BenchmarkInfo,
}

/// Why a name leads to no benchmark. The user can correct all of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Nothing matches.
    #[error("there is no benchmark `{name}`; {hint}{}", list(rejected))]
    Unknown {
        /// The requested name.
        name: String,
        /// The nearest names, or the next step.
        hint: String,
        /// Why files and folders that were searched offer no benchmark, a line each.
        rejected: Vec<String>,
    },
    /// Several plugins have it for that hardware.
    #[error("the benchmark `{name}` for {hardware} is in several plugins; ask for {}", choices.join(" or "))]
    Ambiguous {
        /// The requested name.
        name: String,
        /// Hardware that it was to run on.
        hardware: DeviceKind,
        /// Full names to choose from.
        choices: Vec<String>,
    },
    /// The benchmark exists, but not in the requested kind of build.
    #[error("the benchmark `{name}` has no {wanted} build, only {present}; leave out --engine, or build it")]
    Engine {
        /// The requested name.
        name: String,
        /// The kind that was asked for.
        wanted: PluginKind,
        /// The kind that exists.
        present: PluginKind,
    },
}

/// Maximum number of names that are suggested for an unknown one.
const MAX_HINTS: usize = 5;

impl Catalog {
    /// The benchmarks that `pattern` names: `name`, `plugin/name` or `plugin@version/name`, `*` matching anything.
    /// Without a version the newest counts. Of a plain name that several plugins have, [`meant`] says which it means
    /// on a device.
    ///
    /// # Errors
    /// When nothing matches.
    pub fn resolve(&self, pattern: &str, engine: EngineChoice) -> Result<Vec<Resolved<'_>>, ResolveError> {
        let (plugin, name) =
            pattern.rsplit_once('/').map_or((None, pattern), |(plugin, name)| (Some(plugin), name));
        let (id, version) = match plugin.map(|plugin| plugin.split_once('@')) {
            None => (None, None),
            Some(None) => (plugin, None),
            Some(Some((id, version))) => (Some(id), Some(version)),
        };
        let mut all: Vec<Resolved<'_>> = self
            .entries
            .iter()
            .filter(|entry| id.is_none_or(|id| glob::matches(id, &entry.descriptor.plugin.id)))
            .filter(|entry| version.is_none_or(|version| entry.descriptor.plugin.version == version))
            .flat_map(|entry| {
                entry.descriptor.benchmarks.iter().map(move |benchmark| Resolved { entry, benchmark })
            })
            .filter(|resolved| glob::matches(name, &resolved.benchmark.name))
            .collect();
        if all.is_empty() {
            return Err(ResolveError::Unknown {
                name: pattern.to_owned(),
                hint: self.hint(pattern, name),
                rejected: self.rejected(pattern),
            });
        }
        // The user named these files one by one, so all of them count, not only the newest version.
        if version.is_none() && !self.is_named {
            all = newest(&all);
        }
        let is_every = self.is_named && engine == EngineChoice::Auto;
        let chosen = choose(&all, if is_every { EngineChoice::All } else { engine });
        match (chosen.is_empty(), engine) {
            (true, EngineChoice::Native) => Err(missing(pattern, PluginKind::Native, PluginKind::Wasm)),
            (true, EngineChoice::Wasm) => Err(missing(pattern, PluginKind::Wasm, PluginKind::Native)),
            _ => Ok(chosen),
        }
    }

    fn hint(&self, pattern: &str, name: &str) -> String {
        if self.entries.iter().any(|entry| entry.descriptor.plugin.id == pattern) {
            return format!("that is the name of a plugin; `{pattern}/*` means all benchmarks in it");
        }
        let mut all = self.entries.iter().flat_map(|entry| &entry.descriptor.benchmarks);
        if let Some(benchmark) = all.find(|it| it.models.iter().any(|model| model == name)) {
            return format!(
                "that is a model: `dyno run {} -p model={name}`; `dyno list --models` shows all",
                benchmark.name
            );
        }
        let mut names: Vec<String> = self
            .entries
            .iter()
            .flat_map(|entry| {
                let id = &entry.descriptor.plugin.id;
                entry.descriptor.benchmarks.iter().map(move |benchmark| {
                    if pattern.contains('/') {
                        format!("{id}/{}", benchmark.name)
                    } else {
                        benchmark.name.clone()
                    }
                })
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            let place = match self.folders.as_slice() {
                [] => "there is no plugin folder".to_owned(),
                folders => {
                    let names: Vec<String> =
                        folders.iter().map(|folder| folder.display().to_string()).collect();
                    format!("no plugin was found in {}", names.join(", "))
                }
            };
            return format!("{place}; give a plugin file, or its folder with --plugins");
        }
        let wanted = if pattern.contains('/') { pattern } else { name };
        let score = |candidate: &str| {
            let contained = f64::from(u8::from(candidate.contains(wanted) || wanted.contains(candidate)));
            strsim::jaro_winkler(candidate, wanted) + contained
        };
        names.sort_by(|a, b| score(b).total_cmp(&score(a)));
        names.truncate(MAX_HINTS);
        let more = if self.is_named { "" } else { "; `dyno list` shows all" };
        format!("the nearest are {}{more}", names.join(", "))
    }
}

/// Lines below a message.
fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|line| format!("\n  {line}")).collect();
    format!("\nsearched, and no plugin:{lines}")
}

/// Whether `pattern`, which names all of `found`, means `one` of them on that hardware. A plain name means the plugin
/// that has it for the hardware; if none has, all of them, so that each can report its hardware.
///
/// # Errors
/// When several plugins have a plain name for the hardware.
pub fn meant(
    pattern: &str,
    found: &[Resolved<'_>],
    one: &Resolved<'_>,
    hardware: DeviceKind,
) -> Result<bool, ResolveError> {
    let runs = |it: &Resolved<'_>| it.benchmark.hardware.iter().any(|kind| kind == hardware.word());
    let mut able: Vec<&str> =
        found.iter().filter(|it| runs(it)).map(|it| it.entry.descriptor.plugin.id.as_str()).collect();
    able.sort_unstable();
    able.dedup();
    if pattern.contains('*') || able.is_empty() {
        return Ok(true);
    }
    if able.len() > 1 {
        let choices = able.iter().map(|id| format!("{id}/{}", one.benchmark.name)).collect();
        return Err(ResolveError::Ambiguous { name: pattern.to_owned(), hardware, choices });
    }
    Ok(runs(one))
}

fn missing(pattern: &str, wanted: PluginKind, present: PluginKind) -> ResolveError {
    ResolveError::Engine { name: pattern.to_owned(), wanted, present }
}

/// Of each plugin and benchmark the newest version, in every kind that this version has.
fn newest<'a>(all: &[Resolved<'a>]) -> Vec<Resolved<'a>> {
    let rivals = |a: &Resolved<'_>, b: &Resolved<'_>| {
        a.entry.descriptor.plugin.id == b.entry.descriptor.plugin.id
            && a.benchmark.name == b.benchmark.name
            && a.entry.kind == b.entry.kind
    };
    let beats = |a: &Resolved<'_>, b: &Resolved<'_>| {
        let (left, right) = (&a.entry.descriptor.plugin.version, &b.entry.descriptor.plugin.version);
        compare(left, right).then_with(|| b.entry.path.cmp(&a.entry.path)) == Ordering::Greater
    };
    all.iter()
        .filter(|one| !all.iter().any(|other| rivals(one, other) && beats(other, one)))
        .copied()
        .collect()
}

fn compare(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        // An invalid version loses against a valid one.
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

fn choose<'a>(all: &[Resolved<'a>], engine: EngineChoice) -> Vec<Resolved<'a>> {
    let is = |resolved: &Resolved<'_>, kind: PluginKind| resolved.entry.kind == kind;
    let has_native = |one: &Resolved<'_>| {
        all.iter().any(|other| {
            is(other, PluginKind::Native)
                && other.benchmark.name == one.benchmark.name
                && other.entry.descriptor.plugin.id == one.entry.descriptor.plugin.id
        })
    };
    all.iter()
        .filter(|one| match engine {
            EngineChoice::All => true,
            EngineChoice::Native => is(one, PluginKind::Native),
            EngineChoice::Wasm => is(one, PluginKind::Wasm),
            EngineChoice::Auto => is(one, PluginKind::Native) || !has_native(one),
        })
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use dyno_plugin_api::descriptor::Descriptor;
    use serde_json::json;

    use super::*;
    use crate::trust::SignatureState;

    fn entry(id: &str, version: &str, kind: PluginKind, names: &[&str]) -> Entry {
        entry_for("cpu", id, version, kind, names)
    }

    fn entry_for(hardware: &str, id: &str, version: &str, kind: PluginKind, names: &[&str]) -> Entry {
        let benchmarks: Vec<_> =
            names.iter().map(|name| json!({"name": name, "hardware": [hardware]})).collect();
        let descriptor: Descriptor = serde_json::from_value(json!({
            "schema": "dyno.descriptor/1", "plugin": {"id": id, "version": version},
            "abi": {"kind": kind, "version": 1}, "benchmarks": benchmarks,
        }))
        .unwrap();
        let path = format!("/{id}-{version}.{kind}").into();
        Entry {
            path,
            sha256: String::new(),
            size: 0,
            kind,
            descriptor,
            incompatible: None,
            warnings: Vec::new(),
            signature: SignatureState::NotChecked,
        }
    }

    fn catalog() -> Catalog {
        use PluginKind::{Native, Wasm};
        Catalog {
            entries: vec![
                entry("cpu", "1.2.0", Native, &["gemm", "fft"]),
                entry("cpu", "1.10.0", Native, &["gemm", "fft"]),
                entry("cpu", "1.10.0", Wasm, &["gemm", "fft"]),
                entry("cpu", "2.0.0-rc.1", Wasm, &["sort"]),
                entry("other", "0.1.0", Native, &["fft", "hash"]),
                entry_for("webgpu", "gpu", "0.1.0", Native, &["gemm", "copy"]),
                entry_for("webgpu", "gpu2", "0.1.0", Native, &["copy"]),
            ],
            ..Catalog::default()
        }
    }

    fn paths(pattern: &str, engine: EngineChoice) -> Result<Vec<String>, String> {
        paths_on(DeviceKind::Cpu, pattern, engine)
    }

    fn paths_on(hardware: DeviceKind, pattern: &str, engine: EngineChoice) -> Result<Vec<String>, String> {
        let catalog = catalog();
        let found = catalog.resolve(pattern, engine).map_err(|error| error.to_string())?;
        let mut kept = Vec::new();
        for one in &found {
            if meant(pattern, &found, one, hardware).map_err(|error| error.to_string())? {
                kept.push(one);
            }
        }
        Ok(kept.iter().map(|one| format!("{} {}", one.entry.path.display(), one.benchmark.name)).collect())
    }

    #[test]
    fn the_newest_version_by_semver_and_the_native_build_win() {
        assert_eq!(paths("gemm", EngineChoice::Auto).unwrap(), ["/cpu-1.10.0.native gemm"]);
        assert_eq!(
            paths("gemm", EngineChoice::All).unwrap(),
            ["/cpu-1.10.0.native gemm", "/cpu-1.10.0.wasm gemm"]
        );
        assert_eq!(paths("cpu@1.2.0/gemm", EngineChoice::Auto).unwrap(), ["/cpu-1.2.0.native gemm"]);
        assert_eq!(paths("sort", EngineChoice::Auto).unwrap(), ["/cpu-2.0.0-rc.1.wasm sort"]);
    }

    #[test]
    fn what_is_ambiguous_or_missing_says_what_to_write() {
        assert!(paths("fft", EngineChoice::Auto).unwrap_err().contains("cpu/fft or other/fft"));
        assert_eq!(paths("other/fft", EngineChoice::Auto).unwrap(), ["/other-0.1.0.native fft"]);
        let message = paths("gem", EngineChoice::Auto).unwrap_err();
        assert!(message.contains("`gem`") && message.contains("the nearest are gemm"), "{message}");
        let message = paths("other", EngineChoice::Auto).unwrap_err();
        assert!(message.contains("the name of a plugin; `other/*` means all"), "{message}");
        assert!(paths("hash", EngineChoice::Wasm).unwrap_err().contains("has no wasm build, only native"));
    }

    #[test]
    fn hardware_tells_plugins_with_the_same_name_apart() {
        let on = |hardware, pattern| paths_on(hardware, pattern, EngineChoice::Auto);
        assert_eq!(on(DeviceKind::Cpu, "gemm").unwrap(), ["/cpu-1.10.0.native gemm"]);
        assert_eq!(on(DeviceKind::WebGpu, "gemm").unwrap(), ["/gpu-0.1.0.native gemm"]);
        let nowhere = ["/cpu-1.10.0.native gemm", "/gpu-0.1.0.native gemm"];
        assert_eq!(on(DeviceKind::Cuda, "gemm").unwrap(), nowhere, "each is to say what it runs on");
        assert_eq!(
            on(DeviceKind::WebGpu, "copy").unwrap_err(),
            "the benchmark `copy` for webgpu is in several plugins; ask for gpu/copy or gpu2/copy"
        );
        assert_eq!(on(DeviceKind::Cpu, "gpu/copy").unwrap(), ["/gpu-0.1.0.native copy"]);
        assert_eq!(on(DeviceKind::WebGpu, "*").unwrap().len(), 8, "a pattern means all that it matches");
    }

    #[test]
    fn of_files_that_were_named_each_is_meant() {
        let mut catalog = catalog();
        catalog.is_named = true;
        let number = |engine| catalog.resolve("gemm", engine).map(|found| found.len());
        assert_eq!(number(EngineChoice::Auto), Ok(4));
        assert_eq!(number(EngineChoice::Wasm), Ok(1));
        assert!(catalog.resolve("nothing", EngineChoice::Auto).is_err());
    }

    #[test]
    fn globs_match_across_plugins() {
        assert_eq!(paths("*", EngineChoice::Native).unwrap().len(), 7);
        assert_eq!(paths("cpu/*", EngineChoice::Auto).unwrap().len(), 3);
    }
}
