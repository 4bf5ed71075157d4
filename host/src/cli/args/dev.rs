//! The command that measures while somebody edits: `dev`.

use std::path::PathBuf;

use clap::Args;

use super::{CaseArgs, DecisionArgs, LimitArgs, PairLaunchArgs, ToolArgs, WaitArgs};
use crate::config::Flags;

#[derive(Debug, Args)]
pub(in crate::cli) struct DevArgs {
    /// Folder with the sources of a plugin, or a plugin file that something else builds
    #[arg(value_name = "DIR|FILE", default_value = ".")]
    pub(in crate::cli) what: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) tools: ToolArgs,
    /// Benchmark to measure; `*` matches anything; can be repeated [default: the first]
    #[arg(long = "benchmark", short = 'b', value_name = "NAME")]
    pub(in crate::cli) benchmark: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) cases: CaseArgs,
    #[command(flatten)]
    pub(in crate::cli) decision: DecisionArgs,
    /// Wall time per case of a comparison
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(in crate::cli) budget: String,
    /// Compare each build with the one before it; otherwise with the baseline that you accepted last
    #[arg(long)]
    pub(in crate::cli) follow: bool,
    /// Write JSON, a line for each event, instead of a screen
    #[arg(long)]
    pub(in crate::cli) headless: bool,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    pub(in crate::cli) launch: PairLaunchArgs,
}

impl DevArgs {
    pub(super) fn over(&self, flags: Flags) -> Flags {
        self.limits.over(self.wait.over(flags))
    }
}
