//! The scan: every plugin file in the plugin folders, without running any. A broken file costs one line.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use dyno_core::model::PluginKind;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use super::{
    cache,
    entry::{Entry, Problem, Stamp, Unread, is_presentable},
    read::described_and_admitted,
    scan_format::{Found, Scanned},
    vouched::witness,
};
use crate::{
    fault::{HostFault, Place, Resource},
    trust::TrustStore,
};

/// What plugin files are called.
const EXTENSIONS: [&str; 4] = ["so", "dylib", "dll", "wasm"];
/// Said of a file that cannot be named.
const UNPRINTABLE: &str = "has a name that is not printable text; rename it to use it";
/// Folders in which Cargo keeps intermediate files: dependencies, procedural macros, and libraries that it later copies
/// beside these folders.
const OF_CARGO: [&str; 3] = ["build", "deps", "incremental"];
/// Maximum depth of folders: deeper ones are a loop or a mistake.
const MAX_DEPTH: usize = 32;

/// The plugins that were found, and remarks about the other files.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Catalog {
    /// Plugins, by identifier, version, kind and path.
    pub entries: Vec<Entry>,
    /// One line per file or folder that is not simply a plugin.
    pub problems: Vec<Problem>,
    /// The folders that were searched.
    #[serde(default)]
    pub folders: Vec<PathBuf>,
    /// Whether the files were named one by one: each is then meant, whatever its version and engine.
    #[serde(skip)]
    pub is_named: bool,
    /// Why the list is incomplete: the host lacked a resource to read a file or folder.
    #[serde(skip)]
    pub(crate) fault: Option<HostFault>,
}

impl Catalog {
    /// Scans folders, recursively, for the plugins that the trust store admits. `cache` is a folder for what was found the last
    /// time.
    #[must_use]
    pub fn scan(folders: &[PathBuf], cache: Option<&Path>, trust: &TrustStore) -> Self {
        let Scan { files, problems, fault, .. } = Scan::of(folders, cache, trust);
        let found = files.into_iter().map(|file| file.found).collect();
        Self { fault, ..Self::of_found(folders, found, problems) }
    }

    /// The list of what was found in folders, by path.
    pub(super) fn of_found(folders: &[PathBuf], found: Vec<Found>, problems: Vec<Problem>) -> Self {
        let mut catalog = Self { folders: folders.to_vec(), problems, ..Self::default() };
        catalog.take(found);
        catalog.note_ambiguities();
        catalog.entries.sort_by(|a, b| rank(a).cmp(&rank(b)));
        catalog
    }

    /// The plugins in files that were named one by one.
    ///
    /// # Errors
    /// One line that says what is wrong with a file, or what the trust store finds lacking.
    pub fn of_files(files: &[PathBuf], trust: &TrustStore) -> Result<Self, Problem> {
        let mut catalog = Self { is_named: true, ..Self::default() };
        let mut found = Vec::new();
        for file in files {
            let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            if !is_presentable(&path) {
                return Err(Problem::error(&path, UNPRINTABLE));
            }
            match described_and_admitted(&path, trust) {
                Ok(entry) => found.push(Found::Plugin(entry)),
                Err(Unread::Problem(problem)) => return Err(problem),
                Err(Unread::Host(fault)) => catalog.fault = Some(fault),
            }
        }
        catalog.take(found);
        Ok(catalog)
    }

    /// Takes what was found, in this order. The same bytes in two places are one plugin: the first.
    fn take(&mut self, found: Vec<Found>) {
        // Where the first file with these bytes, and the first of this build, stands in the list.
        let mut by_bytes: HashMap<String, usize> = HashMap::new();
        let mut by_build: HashMap<_, usize> = HashMap::new();
        for file in found {
            let entry = match file {
                Found::Plugin(entry) => entry,
                Found::Problem(problem) => {
                    self.problems.push(problem);
                    continue;
                }
            };
            let place = self.entries.len();
            let twin = *by_bytes.entry(entry.sha256.clone()).or_insert(place);
            if twin != place {
                let message =
                    format!("is the same file as {}; listed once", self.entries[twin].path.display());
                self.problems.push(Problem::note(&entry.path, message));
                continue;
            }
            let info = &entry.descriptor.plugin;
            let rival = *by_build.entry((info.id.clone(), info.version.clone(), entry.kind)).or_insert(place);
            if rival != place {
                let message = format!(
                    "differs from {}, but is also {} {} ({}); give one of them another version, or remove it",
                    self.entries[rival].path.display(),
                    info.id,
                    info.version,
                    entry.kind
                );
                self.problems.push(Problem::note(&entry.path, message));
            }
            self.entries.push(entry);
        }
    }

    /// Benchmarks of one name in several plugins can only be asked for with the plugin's name.
    fn note_ambiguities(&mut self) {
        let mut owners: HashMap<&str, Vec<&Entry>> = HashMap::new();
        for entry in &self.entries {
            for benchmark in &entry.descriptor.benchmarks {
                owners.entry(benchmark.name.as_str()).or_default().push(entry);
            }
        }
        let mut notes = Vec::new();
        for (name, entries) in owners {
            let mut ids: Vec<&str> =
                entries.iter().map(|entry| entry.descriptor.plugin.id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            if let ([_, _, ..], Some(entry)) = (ids.as_slice(), entries.first()) {
                let choices: Vec<String> = ids.iter().map(|id| format!("{id}/{name}")).collect();
                let message =
                    format!("the benchmark `{name}` is in several plugins; ask for {}", choices.join(" or "));
                notes.push(Problem::note(&entry.path, message));
            }
        }
        notes.sort_by(|a, b| a.message.cmp(&b.message));
        self.problems.extend(notes);
    }
}

/// What lies in plugin folders, file by file.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Files that are called like plugins, by path.
    pub(super) files: Vec<Scanned>,
    /// Remarks about other files, and about folders.
    pub(super) problems: Vec<Problem>,
    /// Why this is incomplete.
    pub(super) fault: Option<HostFault>,
    /// The folders that were read, those inside others included, and those that links lead to.
    pub(super) read: BTreeSet<PathBuf>,
    /// The plugin folders that cannot be read.
    pub(super) unreadable: Vec<PathBuf>,
}

impl Scan {
    /// Looks into folders, recursively. A file is read only if it has changed since the scan that is kept in `cache`.
    pub(super) fn of(folders: &[PathBuf], cache: Option<&Path>, trust: &TrustStore) -> Self {
        let mut old = cache.map(|cache| cache::read(cache, folders, trust)).unwrap_or_default();
        let mut scan = Self::default();
        let mut changed = false;
        for folder in folders {
            for path in scan.candidates(folder) {
                if !is_presentable(&path) {
                    scan.problems.push(Problem::error(&path, UNPRINTABLE));
                    continue;
                }
                let Ok(about) = std::fs::metadata(&path) else {
                    scan.problems.push(Problem::error(
                        &path,
                        "cannot be read: it is a broken link, or was just removed",
                    ));
                    continue;
                };
                // Looked at before it is read: if it changes meanwhile, the next scan reads it again.
                let stamp = Stamp::of(&about).with(witness(&path, trust));
                let found = match old.remove(path.as_os_str()) {
                    Some(known) if known.stamp == stamp => known.found,
                    _ => {
                        changed = true;
                        match described_and_admitted(&path, trust) {
                            Ok(entry) => Found::Plugin(entry),
                            Err(Unread::Problem(problem)) => Found::Problem(problem),
                            // This says nothing about the file, so it is not cached, and is reported for the whole
                            // scan.
                            Err(Unread::Host(fault)) => {
                                scan.problems.push(Problem::error(&path, fault.to_string()));
                                scan.fault = Some(fault);
                                continue;
                            }
                        }
                    }
                };
                scan.files.push(Scanned { stamp, found });
            }
        }
        // What is left in the old cache has vanished.
        changed |= !old.is_empty();
        // Which of two equal files is listed must not vary between scans. Each folder is sorted already.
        scan.files.sort_by(|a, b| a.path().cmp(b.path()));
        // A folder may stand inside another one.
        scan.files.dedup_by(|a, b| a.path() == b.path());
        if let Some(cache) = cache
            && changed
        {
            cache::write(&scan.files, cache, folders, trust);
        }
        scan
    }

    /// Files that are called like plugins. Hidden files are leftovers of editors and linkers.
    fn candidates(&mut self, folder: &Path) -> Vec<PathBuf> {
        let mut out = Vec::new();
        let walk = WalkDir::new(folder)
            .follow_links(true)
            .max_depth(MAX_DEPTH)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| {
                entry.depth() == 0
                    || !entry.file_name().to_string_lossy().starts_with('.') && !is_of_cargo(entry.path())
            });
        for entry in walk {
            // Without descriptors or memory, the list would silently be incomplete.
            let exhausted = entry.as_ref().err().and_then(walkdir::Error::io_error);
            if let Some(error) = exhausted.filter(|error| Resource::of(error).is_exhausted()) {
                let doing = format!("cannot look into the plugin folder `{}`", folder.display());
                self.fault = Some(HostFault::new(doing, error, Place::Machine));
            }
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {
                    self.read.insert(entry.into_path());
                }
                Ok(entry) if is_plugin_name(entry.path()) => {
                    if entry.path_is_symlink()
                        && let Ok(target) = entry.path().canonicalize()
                    {
                        self.read.extend(target.parent().map(Path::to_owned));
                    }
                    out.push(entry.into_path());
                }
                Ok(entry) if is_lonely_rlib(entry.path()) => self.problems.push(Problem::aside(
                    entry.path(),
                    "a Rust library that only rustc links; a plugin needs `crate-type = [\"cdylib\"]` below `[lib]` in its \
                     Cargo.toml",
                )),
                Ok(_) => {}
                Err(error) if error.depth() == 0 => {
                    self.unreadable.push(folder.to_owned());
                    let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    self.problems.push(Problem::error(
                        folder,
                        format!("plugin folder cannot be read: {why}; give another with --plugins or DYNO_PLUGIN_PATH"),
                    ));
                }
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    if error.loop_ancestor().is_some() {
                        self.problems
                            .push(Problem::note(&path, "is a link back to a folder above it; skipped"));
                    } else if path.is_dir() || is_plugin_name(&path) {
                        let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                        self.problems.push(Problem::error(&path, format!("cannot be read: {why}")));
                    }
                }
            }
        }
        out
    }
}

/// The order of the list.
fn rank(entry: &Entry) -> (&str, &str, PluginKind, &Path) {
    let info = &entry.descriptor.plugin;
    (&info.id, &info.version, entry.kind, &entry.path)
}

/// Whether a folder holds Cargo's intermediate files: it then lies beside Cargo's records.
fn is_of_cargo(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| OF_CARGO.contains(&name))
        && path.parent().is_some_and(|parent| parent.join(".fingerprint").is_dir())
}

/// Whether a file is a Rust library without a shared library beside it.
fn is_lonely_rlib(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rlib")
        && is_presentable(path)
        && !EXTENSIONS.iter().any(|extension| path.with_extension(extension).exists())
}

/// Whether a word that could be a benchmark's name is a plugin file instead: by its ending, or since it leads to a file.
#[must_use]
pub fn is_plugin_path(word: &str) -> bool {
    let path = Path::new(word);
    let leads_somewhere = ["/", "./", "../"].iter().any(|start| word.starts_with(start));
    is_plugin_name(path) || leads_somewhere && path.is_file()
}

fn is_plugin_name(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}
