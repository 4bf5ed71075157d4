//! The commands about plugins and this machine: `list`, `inspect`, `devices`, `doctor`, `cache` and `completions`.

use std::path::PathBuf;

use clap::Args;

use super::selection::{files, others};

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    /// Text that the name, plugin, category or tags of a benchmark must contain; or a plugin file (`.so`, `.wasm`), which is
    /// listed instead of the plugin folders
    #[arg(value_name = "FILTER|FILE")]
    pub(in crate::cli) words: Vec<String>,
    /// Show every column, and descriptions in full
    #[arg(long)]
    pub(in crate::cli) all_columns: bool,
    /// Name every library that is not a plugin, with the reason
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// List the models that the benchmarks run, and the hardware here that can run them
    #[arg(long, conflicts_with_all = ["installed", "available", "index"])]
    pub(in crate::cli) models: bool,
    /// List the installed packages, and whether their files are still what was installed
    #[arg(long, conflicts_with_all = ["available", "index"])]
    pub(in crate::cli) installed: bool,
    /// List the packages that the index offers
    #[arg(long)]
    pub(in crate::cli) available: bool,
    /// Index to list: a folder, a file or a URL; implies --available [env: DYNO_INDEX]
    #[arg(long, value_name = "DIR|FILE|URL")]
    pub(in crate::cli) index: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InspectArgs {
    /// Identifier of a plugin, or any plugin file
    #[arg(value_name = "PLUGIN|FILE")]
    pub(in crate::cli) what: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DevicesArgs {
    /// Device (`cuda:0`) or kind of device (`cuda`) to show in full
    #[arg(conflicts_with = "all")]
    pub(in crate::cli) device: Option<String>,
    /// Show everything about every device
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// Ask the drivers again instead of using cached answers
    #[arg(long)]
    pub(in crate::cli) refresh: bool,
    /// Show temperature, power, clocks, free memory and throttling, as the driver reports them now
    #[arg(long)]
    pub(in crate::cli) live: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DoctorArgs {
    /// Compare this machine with a saved one; with two files, compare them with each other
    #[arg(long, value_name = "FILE", num_args = 1..=2)]
    pub(in crate::cli) compare: Vec<PathBuf>,
    /// Save the findings to a file, for --compare
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) save: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CacheArgs {
    /// Remove everything from the cache; refused while a run uses it
    #[arg(long)]
    pub(in crate::cli) clear: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CompletionsArgs {
    /// Shell to write the script for
    #[arg(value_enum)]
    pub(in crate::cli) shell: clap_complete::Shell,
}

impl ListArgs {
    /// The plugin files that were named.
    pub(in crate::cli) fn files(&self) -> Vec<PathBuf> {
        files(&self.words)
    }

    /// The words that are not plugin files.
    pub(in crate::cli) fn filters(&self) -> impl Iterator<Item = &str> {
        others(&self.words)
    }
}
