//! The commands about what is stored: `compare`, `history`, `results`, `report` and `sql`.

use std::path::PathBuf;

use clap::Args;

use super::{ComparisonFormatArgs, JudgeArgs};
use crate::export::Format;

#[derive(Debug, Args)]
pub(in crate::cli) struct CompareArgs {
    /// Side to compare with: a run, `commit:HASH`, `branch:NAME`, `baseline:NAME`, a result file of dyno or another tool, or Criterion's folder
    pub(in crate::cli) baseline: String,
    /// Side to judge, given in the same ways
    #[arg(default_value = "last")]
    pub(in crate::cli) candidate: String,
    #[command(flatten)]
    pub(in crate::cli) judge: JudgeArgs,
    /// Also show metrics that are equivalent
    #[arg(long)]
    pub(in crate::cli) all: bool,
    #[command(flatten)]
    pub(in crate::cli) output: ComparisonFormatArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct HistoryArgs {
    /// Benchmark: `name` or `plugin/name`
    pub(in crate::cli) benchmark: String,
    /// Metric to show
    #[arg(long, value_name = "NAME", default_value = "time")]
    pub(in crate::cli) metric: String,
    /// Smallest relative change of the level that counts [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub(in crate::cli) min_change: Option<String>,
    /// Accept the change that begins with this run: later runs are compared with the new level
    #[arg(long, value_name = "RUN")]
    pub(in crate::cli) accept: Option<String>,
    /// Reason for accepting the change
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub(in crate::cli) note: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ResultsArgs {
    /// Run: its identifier, the beginning of one, `last`, `last~1` for the run before it, or the newest run of `commit:HASH`
    /// or `branch:NAME`
    #[arg(default_value = "last")]
    pub(in crate::cli) run: String,
    /// List the stored runs instead, newest first
    #[arg(long)]
    pub(in crate::cli) list: bool,
    /// Show every parameter and every column, even if a case then takes several lines
    #[arg(long, conflicts_with = "list")]
    pub(in crate::cli) all_columns: bool,
    /// Maximum number of runs to list
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(in crate::cli) limit: u32,
    /// Only runs with this tag
    #[arg(long, value_name = "WORD")]
    pub(in crate::cli) tag: Option<String>,
    /// Include every launch and sample; needs --json
    #[arg(long)]
    pub(in crate::cli) samples: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArgs {
    /// Run: its identifier, the beginning of one, `last`, `last~1` for the run before it, or the newest run of `commit:HASH`
    /// or `branch:NAME`
    #[arg(default_value = "last")]
    pub(in crate::cli) run: String,
    /// Format of the report [default: markdown]
    #[arg(long, value_enum)]
    pub(in crate::cli) format: Option<Format>,
    /// File to write [default: standard output; with --open, RUN.html in the folder of results]
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Also open the report in the browser; the format is then html
    #[arg(long)]
    pub(in crate::cli) open: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SqlArgs {
    /// Query, e.g. "SELECT * FROM performance_results_view LIMIT 10"
    #[arg(value_name = "SELECT")]
    pub(in crate::cli) query: String,
    /// Maximum number of rows to return
    #[arg(long, value_name = "ROWS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::cli) limit: u32,
}
