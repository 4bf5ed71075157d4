//! The commands that make plugins: `new`, `build`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use dyno_core::model::EngineChoice;

use super::{Engine, values};
use crate::{app::TemplateLanguage, cli::Failure};

#[derive(Debug, Args)]
pub(in crate::cli) struct NewArgs {
    /// Name of the plugin, and of the folder that is written: small letters, digits and hyphens
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,
    /// What the plugin is written in
    #[arg(long, value_enum)]
    pub(in crate::cli) lang: Language,
    /// Build it as a WASM component as well
    #[arg(long)]
    pub(in crate::cli) wasm: bool,
    /// Folder with dyno's SDK for Rust [default: that of this installation, otherwise Cargo's registry]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) sdk: Option<PathBuf>,
}

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Language {
    /// Rust
    Rust,
    /// C
    C,
    /// C++
    Cpp,
    /// CUDA
    Cuda,
    /// JavaScript, as a component
    Js,
    /// Python, as a component
    Python,
    /// C, as a component
    CWasm,
}

impl From<Language> for TemplateLanguage {
    fn from(language: Language) -> Self {
        match language {
            Language::Rust => Self::Rust,
            Language::C => Self::C,
            Language::Cpp => Self::Cpp,
            Language::Cuda => Self::Cuda,
            Language::Js => Self::JavaScript,
            Language::Python => Self::Python,
            Language::CWasm => Self::CForWasm,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BuildArgs {
    /// Folder with the sources of a plugin
    #[arg(value_name = "DIR", default_value = ".")]
    pub(in crate::cli) folder: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) tools: ToolArgs,
    /// Leave out the tests of `dyno check`
    #[arg(long)]
    pub(in crate::cli) no_check: bool,
}

/// How the tools of a folder are run.
#[derive(Debug, Args)]
pub(in crate::cli) struct ToolArgs {
    /// Which kind of plugin to build [default: what the folder declares]
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// Maximum time for each tool that builds
    #[arg(long, value_name = "DURATION", default_value = "10min")]
    build_timeout: String,
}

impl ToolArgs {
    pub(in crate::cli) fn engine(&self) -> EngineChoice {
        self.engine.map_or(EngineChoice::Auto, EngineChoice::from)
    }

    pub(in crate::cli) fn patience(&self) -> Result<Duration, Failure> {
        values::time_to_spend("--build-timeout", &self.build_timeout, "10min").map(Duration::from_nanos)
    }
}
