//! Use cases: analysing source code, and beginning to port a benchmark that was found.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use dyno_analyze::{Analysis, AnalyzeError, Benchmark, Cancelled, LanguageId, Options, Progress};
use dyno_core::text::hex;
use sha2::{Digest, Sha256};

use super::{error::AppError, root::App};
use crate::{
    build::{BuildError, Original, TemplateLanguage},
    catalog::{self, CachePart},
    fault::{HostFault, Place},
};

/// How many benchmarks are named where one was not found or is not the only one of its name.
const NAMED: usize = 8;

/// The analysis of source code.
#[derive(Debug, Clone, Copy)]
pub struct Analyses<'a>(&'a App);

/// A plugin that was begun.
#[derive(Debug)]
pub struct Skeleton {
    /// Its folder.
    pub folder: PathBuf,
    /// The benchmark that it is for.
    pub benchmark: String,
}

impl App {
    /// The use cases of the analysis of source code.
    #[must_use]
    pub fn analyses(&self) -> Analyses<'_> {
        Analyses(self)
    }
}

impl Analyses<'_> {
    /// Where outputs go unless the user says otherwise.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.0.settings.output.value.join("analysis")
    }

    /// Analyses a folder. With `cached`, facts of earlier analyses are taken from the cache of this machine, if it has
    /// one.
    ///
    /// # Errors
    /// When the folder cannot be read, or the user gives up.
    pub fn analyze(
        &self,
        mut options: Options,
        cached: bool,
        progress: Progress<'_>,
        cancelled: Cancelled<'_>,
    ) -> Result<Analysis, AppError> {
        if cached {
            options.cache = self.cache_file(&options.root);
        }
        // What is used is not what was used longest ago; a file that is not there yet is written.
        if let Some(kept) = &options.cache {
            let _ = fs::File::open(kept).and_then(|file| file.set_modified(SystemTime::now()));
        }
        let analysis = dyno_analyze::analyze(&options, progress, cancelled);
        if let Ok(folder) = self.0.settings.cache_folder() {
            catalog::prune_cache(folder, self.0.settings.cache_limit_bytes.value);
        }
        analysis.map_err(|error| match error {
            AnalyzeError::Cancelled => AppError::Cancelled,
            AnalyzeError::Threads(error) => {
                HostFault::new("cannot start the threads of the analysis", &error, Place::Machine).into()
            }
            other => AppError::Settings(other.to_string()),
        })
    }

    /// The file with the facts of a tree, by the path of the tree.
    fn cache_file(&self, root: &Path) -> Option<PathBuf> {
        let folder = self.0.settings.cache_folder().ok()?;
        let root = root.canonicalize().ok()?;
        let hash = Sha256::digest(root.as_os_str().as_encoded_bytes());
        Some(CachePart::Analyses.folder(folder).join(format!("{}.facts", hex(&hash[..8]))))
    }

    /// Writes the outputs of an analysis; returns their names.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be written.
    pub fn write(&self, analysis: &Analysis, folder: &Path) -> Result<Vec<&'static str>, AppError> {
        dyno_analyze::write(analysis, folder).map_err(|failed| {
            let doing = format!("--output: cannot write `{}`", failed.path.display());
            HostFault::new(doing, &failed.error, Place::Named).into()
        })
    }

    /// Writes a plugin for a benchmark, in its language or `language`, into the folder `into`. One in Rust takes the SDK of
    /// the folder `sdk`, or else that of this installation.
    ///
    /// # Errors
    /// When there is not exactly one benchmark of that name, or its folder cannot be written.
    pub fn port(
        &self,
        analysis: &Analysis,
        root: &Path,
        wanted: &str,
        language: Option<TemplateLanguage>,
        into: &Path,
        sdk: Option<PathBuf>,
    ) -> Result<Skeleton, AppError> {
        let (file, found) = chosen(analysis, wanted)?;
        let path = root.join(file);
        let content = fs::read(&path).map_err(|error| {
            HostFault::new(format!("cannot read `{}`", path.display()), &error, Place::Named)
        })?;
        let text = String::from_utf8_lossy(&content);
        let first = (found.line as usize).saturating_sub(1);
        let length = (found.end_line as usize).saturating_sub(first);
        let code = text.lines().skip(first).take(length).collect::<Vec<_>>().join("\n");
        let written_in = analysis.files.iter().find(|one| one.path == file).map(|one| one.facts.language);
        let original = Original {
            name: &found.name,
            category: found.category.as_deref(),
            framework: found.framework.label(),
            place: format!("{file}:{}", found.line),
            parameters: found.parameters.iter().map(|one| (one.name.clone(), one.values.clone())).collect(),
            problems: found.problems.iter().map(|one| one.reason.clone()).collect(),
            code: &code,
        };
        let language = language.unwrap_or_else(|| template(written_in, found));
        let sdk = sdk.or_else(|| self.0.settings.sdk_for_rust());
        let folder = original.write(into, language, sdk.as_deref()).map_err(|error| match error {
            BuildError::Host(fault) => AppError::Host(fault),
            other => AppError::Settings(other.to_string()),
        })?;
        Ok(Skeleton { folder, benchmark: found.name.clone() })
    }
}

/// The template for a benchmark. A component in Python cannot reach a GPU, so such a benchmark becomes one in CUDA.
fn template(language: Option<LanguageId>, found: &Benchmark) -> TemplateLanguage {
    match language {
        Some(LanguageId::Python) if found.gpu => TemplateLanguage::Cuda,
        Some(LanguageId::Python) => TemplateLanguage::Python,
        Some(LanguageId::C) => TemplateLanguage::C,
        Some(LanguageId::Cpp) if !found.gpu => TemplateLanguage::Cpp,
        Some(LanguageId::Cpp | LanguageId::Cuda) => TemplateLanguage::Cuda,
        Some(LanguageId::Rust) | None => TemplateLanguage::Rust,
    }
}

/// What a benchmark is called: as its framework prints it, and as its source does.
fn names(found: &Benchmark) -> impl Iterator<Item = &str> {
    [found.name.as_str(), found.subject.as_str()].into_iter().filter(|name| !name.is_empty())
}

/// The ways to read `FILE:NAME`: a name may hold colons as well, such as `ns::f`.
fn readings(wanted: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let files = wanted.match_indices(':').map(|(at, _)| (Some(&wanted[..at]), &wanted[at + 1..]));
    std::iter::once((None, wanted)).chain(files)
}

/// Whether a path is asked for: by itself, or by its last parts.
fn is_path(path: &str, asked: &str) -> bool {
    let asked = asked.trim_start_matches("./");
    path.strip_suffix(asked).is_some_and(|rest| rest.is_empty() || rest.ends_with('/')) && !asked.is_empty()
}

/// Whether a name ends in whole parts: between them stand `.` of Python, `::` of C++ and Rust, and `/` of groups.
fn ends(name: &str, asked: &str) -> bool {
    let before = name.strip_suffix(asked).filter(|_| !asked.is_empty());
    before.is_some_and(|before| before.ends_with(['.', ':', '/']))
}

/// The one benchmark with this name, or at `FILE:NAME` or `FILE:LINE`, of which `FILE` may be the end of a path. If there is none, the
/// end of a name is enough: `time_keys` for `TimeSuite.time_keys`.
fn chosen<'a>(analysis: &'a Analysis, wanted: &str) -> Result<(&'a str, &'a Benchmark), AppError> {
    type Found<'a> = (&'a str, &'a Benchmark);
    let all: Vec<Found<'_>> = analysis
        .files
        .iter()
        .flat_map(|file| file.facts.benchmarks.iter().map(|found| (file.path.as_str(), found)))
        .collect();
    let whole = |found: &Found<'_>| format!("{}:{}", found.0, found.1.name);
    // Two of one name can stand in one file.
    let place = |found: &Found<'_>| format!("{}:{}", found.0, found.1.line);
    let asked = wanted.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<u32>().ok()?)));
    let is_there = |found: &Found<'_>| {
        asked.is_some_and(|(file, line)| {
            is_path(found.0, file) && (found.1.line..=found.1.end_line).contains(&line)
        })
    };
    let is_named = |found: &Found<'_>, fits: fn(&str, &str) -> bool| {
        readings(wanted).any(|(file, asked)| {
            file.is_none_or(|file| is_path(found.0, file)) && names(found.1).any(|name| fits(name, asked))
        })
    };
    let mut fitting: Vec<_> = all.iter().filter(|found| whole(found) == wanted).collect();
    if fitting.is_empty() {
        fitting = all
            .iter()
            .filter(|found| is_named(found, |name, asked| name == asked) || is_there(found))
            .collect();
    }
    let is_by_end = fitting.is_empty();
    if is_by_end {
        fitting = all.iter().filter(|found| is_named(found, ends)).collect();
    }
    match fitting.as_slice() {
        [only] => Ok(**only),
        [] if all.is_empty() => Err(AppError::Settings(format!(
            "--port: there is no benchmark `{wanted}`: none was found in this folder"
        ))),
        [] => {
            let asked = wanted.rsplit(':').next().unwrap_or(wanted);
            let mut near: Vec<(usize, String)> = all
                .iter()
                .map(|found| (strsim::levenshtein(&found.1.name, asked), whole(found)))
                .filter(|(distance, _)| *distance <= asked.chars().count().max(3) / 3 + 1)
                .collect();
            near.sort();
            let names: Vec<String> = near.iter().take(NAMED).map(|found| format!("`{}`", found.1)).collect();
            let next = match names.as_slice() {
                [] => format!(
                    "no name of the {} that were found is like it; `summary.json` of `dyno analyze` lists them",
                    all.len()
                ),
                [one] => format!("did you mean {one}?"),
                several => format!("the nearest names are {}", several.join(", ")),
            };
            Err(AppError::Settings(format!("--port: there is no benchmark `{wanted}`; {next}")))
        }
        several => {
            let count = several.len();
            let shown = |name: &dyn Fn(&Found<'_>) -> String| {
                let names: Vec<String> =
                    several.iter().take(NAMED).map(|found| format!("`{}`", name(found))).collect();
                let more = match count.saturating_sub(NAMED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("{}{more}", names.join(", "))
            };
            Err(AppError::Settings(if is_by_end {
                format!(
                    "--port: the names of {count} benchmarks end in `{wanted}`; give one of {}",
                    shown(&whole)
                )
            } else {
                format!(
                    "--port: {count} benchmarks are called `{wanted}`; give the place of one: {}",
                    shown(&place)
                )
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SUITE: &str = "class NAME:\n    def setup(self):\n        pass\n\n    def time_keys(self):\n        keys()\n\n    def time_ONLY(self):\n        \
         keys()\n";

    #[test]
    fn a_name_or_its_last_parts_are_enough() {
        let folder = tempfile::tempdir().unwrap();
        let suite = |file: &str, name: &str, only: &str| {
            fs::write(folder.path().join(file), SUITE.replace("NAME", name).replace("ONLY", only)).unwrap();
        };
        suite("a.py", "TimeSuite", "first");
        suite("b.py", "TimeOther", "second");
        let rust = "mod sort {\n    #[divan::bench]\n    fn second() {}\n    #[divan::bench]\n    fn third() {}\n}\n";
        fs::write(folder.path().join("c.rs"), rust).unwrap();
        let analysis = dyno_analyze::analyze(&Options::new(folder.path()), &|_, _| {}, &|| false).unwrap();
        let found = |wanted: &str| {
            let found = chosen(&analysis, wanted).map_err(|error| error.to_string());
            found.map(|(file, found)| format!("{file}:{}", found.name))
        };
        for (wanted, expected) in [
            ("time_first", "a.py:TimeSuite.time_first"),
            ("a.py:time_keys", "a.py:TimeSuite.time_keys"),
            ("./b.py:time_keys", "b.py:TimeOther.time_keys"),
            ("TimeSuite.time_first", "a.py:TimeSuite.time_first"),
            ("a.py:5", "a.py:TimeSuite.time_keys"),
            ("third", "c.rs:third"),
            ("sort::third", "c.rs:third"),
            ("c.rs:third", "c.rs:third"),
            ("c.rs:sort::third", "c.rs:third"),
        ] {
            assert_eq!(found(wanted).as_deref(), Ok(expected), "{wanted}");
        }
        let both = "the names of 2 benchmarks end in `time_keys`; give one of `a.py:TimeSuite.time_keys`, \
                    `b.py:TimeOther.time_keys`";
        assert!(found("time_keys").unwrap_err().ends_with(both));
        for nothing in ["", ":", "keys", "first", "x.py:time_keys", "py:time_keys", "TimeSuite"] {
            assert!(found(nothing).unwrap_err().contains("there is no benchmark"), "{nothing}");
        }
    }
}
