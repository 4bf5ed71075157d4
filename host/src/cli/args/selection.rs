//! What `dyno run` runs: benchmarks or a suite, with which parameters, on which devices.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dyno_core::model::{CaseRequest, EngineChoice, SuiteInfo};

use super::cases;
use crate::{
    app::is_plugin_path,
    cli::{
        Failure,
        suite::{self, Overrides, SuiteSettings},
    },
};

#[derive(Debug, Args)]
pub(in crate::cli) struct SelectionArgs {
    /// Benchmarks: `name`, `plugin/name` or `plugin@version/name`; `*` matches anything. Plugin files (`.so`, `.wasm`) are
    /// used instead of the plugin folders; all their benchmarks run, or only those that you name as well
    #[arg(value_name = "FILE|BENCHMARK")]
    benchmarks: Vec<String>,
    /// Another way to name a benchmark; can be repeated
    #[arg(long = "benchmark", value_name = "NAME")]
    benchmark: Vec<String>,
    /// Suite file with a list of benchmarks: TOML, or the JSON of the suite that dyno replaces
    #[arg(long, value_name = "FILE")]
    suite: Option<PathBuf>,
    /// Comma-separated values of a parameter, e.g. `-p n=256,512`, each of which gives a case; several `-p` give every
    /// combination
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUES")]
    param: Vec<String>,
    /// Parameters as a JSON object, e.g. '{"n": 512}'; a list is a sweep
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    /// Comma-separated devices: kinds (`cuda`), names (`cuda:1`) or `all` [default: cpu]
    #[arg(long, value_name = "DEVICES", value_delimiter = ',')]
    hardware: Vec<String>,
}

/// Which builds of a plugin to run.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Engine {
    /// Native if there is a native build, otherwise WASM
    Auto,
    /// Only native libraries
    Native,
    /// Only WASM components
    Wasm,
    /// Every build
    All,
}

impl From<Engine> for EngineChoice {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Auto => Self::Auto,
            Engine::Native => Self::Native,
            Engine::Wasm => Self::Wasm,
            Engine::All => Self::All,
        }
    }
}

/// What was selected, as requests.
#[derive(Debug)]
pub(in crate::cli) struct Selection {
    /// Present if the requests come from a suite.
    pub(in crate::cli) suite: Option<SuiteInfo>,
    pub(in crate::cli) requests: Vec<CaseRequest>,
    /// How the suite asks to be measured.
    pub(in crate::cli) wishes: SuiteSettings,
}

impl SelectionArgs {
    /// The plugin files that were named.
    pub(in crate::cli) fn files(&self) -> Vec<PathBuf> {
        files(&self.benchmarks)
    }

    /// Reads the suite, or requests each benchmark that was named. `engine` replaces what the suite says.
    pub(in crate::cli) fn read(&self, engine: Option<EngineChoice>) -> Result<Selection, Failure> {
        let overrides = Overrides { hardware: self.hardware.clone(), engine };
        let suite = self.suite.as_ref().map(|path| suite::read(path, &overrides)).transpose()?;
        let params = cases::params(self.params.as_deref(), &self.param)?;
        let names = self.names();
        if let Some(folder) = names.iter().find(|name| is_folder(name)) {
            return Err(Failure::Usage(format!(
                "`{folder}` is a folder, not a benchmark; to use the plugins in it, give --plugins {folder}"
            )));
        }
        match suite {
            None => Ok(Selection {
                suite: None,
                requests: cases::requests(
                    self.or_all(names),
                    &params,
                    &self.hardware,
                    engine.unwrap_or_default(),
                ),
                wishes: SuiteSettings::default(),
            }),
            Some(suite) if names.is_empty() && params.is_empty() => {
                Ok(Selection { suite: Some(suite.info), requests: suite.requests, wishes: suite.settings })
            }
            Some(suite) => Err(Failure::Usage(format!(
                "the suite `{}` already names the benchmarks; leave out --suite, or the benchmarks and parameters",
                suite.info.name
            ))),
        }
    }

    fn names(&self) -> Vec<String> {
        others(&self.benchmarks).map(str::to_owned).chain(self.benchmark.iter().cloned()).collect()
    }

    /// Plugin files without names mean all benchmarks in them.
    fn or_all(&self, names: Vec<String>) -> Vec<String> {
        if names.is_empty() && !self.files().is_empty() { vec!["*".to_owned()] } else { names }
    }
}

/// The plugin files among these words.
pub(super) fn files(words: &[String]) -> Vec<PathBuf> {
    words.iter().filter(|word| is_plugin_path(word)).map(PathBuf::from).collect()
}

/// The words that are not plugin files.
pub(super) fn others(words: &[String]) -> impl Iterator<Item = &str> {
    words.iter().map(String::as_str).filter(|word| !is_plugin_path(word))
}

/// Whether a word that should be a benchmark is written as a folder, and is one.
fn is_folder(word: &str) -> bool {
    let is_path = ["/", "./", "../"].iter().any(|start| word.starts_with(start)) || word.ends_with('/');
    is_path && Path::new(word).is_dir()
}
