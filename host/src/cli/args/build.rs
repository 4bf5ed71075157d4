//! The command that builds plugins: `build`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use dyno_core::model::EngineChoice;

use super::{Engine, values};
use crate::cli::Failure;

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
