//! The commands that measure: `run`, `ab` and `aa`.

use std::path::PathBuf;

use clap::Args;

use super::{
    CaseArgs, ComparisonFormatArgs, DecisionArgs, Engine, GateArgs, JudgeArgs, LayoutArgs, LimitArgs,
    PairLaunchArgs, ProcessorArgs, ScenarioArgs, SelectionArgs, StopArgs, WaitArgs,
};
use crate::cli::formats::RunFormat;

#[derive(Debug, Args)]
pub(in crate::cli) struct RunArgs {
    #[command(flatten)]
    pub(in crate::cli) selection: SelectionArgs,
    /// Exit with 4 if a device is missing, instead of only skipping its cases
    #[arg(long)]
    pub(in crate::cli) require_hardware: bool,
    /// Let CPU cases run at the same time as those of other runs that also use --overlap; they then disturb each other's
    /// times
    #[arg(long)]
    pub(in crate::cli) overlap: bool,
    #[command(flatten)]
    pub(in crate::cli) wait: WaitArgs,
    /// Which builds of a plugin to run [default: auto]
    #[arg(long, value_enum)]
    pub(in crate::cli) engine: Option<Engine>,
    #[command(flatten)]
    pub(in crate::cli) stop: StopArgs,
    #[command(flatten)]
    pub(in crate::cli) limits: LimitArgs,
    #[command(flatten)]
    pub(in crate::cli) processors: ProcessorArgs,
    /// Ask for real-time priority, so that other programs do not interrupt the measured thread
    #[arg(long)]
    pub(in crate::cli) realtime: bool,
    /// Count instructions, cycles, branch and cache misses, page faults and energy; each becomes a metric per iteration
    #[arg(long)]
    pub(in crate::cli) counters: bool,
    /// Seed for the inputs of every launch, e.g. `7` [default: a new seed for each launch]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,
    #[command(flatten)]
    pub(in crate::cli) layout: LayoutArgs,
    #[command(flatten)]
    pub(in crate::cli) scenario: ScenarioArgs,
    /// Ask for huge pages for the heap, which makes launches of memory-bound benchmarks differ less
    #[arg(long)]
    pub(in crate::cli) huge_pages: bool,
    /// Word to find the run by; can be repeated
    #[arg(long, value_name = "WORD")]
    pub(in crate::cli) tag: Vec<String>,
    /// Show the cases without running them
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Show every parameter and every column, even if a case then takes several lines
    #[arg(long)]
    pub(in crate::cli) all_columns: bool,
    /// Compare the results with this run or result file, and exit with 1 on a regression
    #[arg(long, value_name = "RUN|FILE")]
    pub(in crate::cli) compare: Option<String>,
    /// Save this run as the baseline of this name [default name: the current git branch]
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", require_equals = true)]
    pub(in crate::cli) save_baseline: Option<String>,
    /// Compare with the baseline of this name, as --compare does [default name: the current git branch]
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", require_equals = true,
          conflicts_with = "compare")]
    pub(in crate::cli) baseline: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) judge: JudgeArgs,
    /// Format of the output [default: text]
    #[arg(long, value_enum)]
    pub(in crate::cli) format: Option<RunFormat>,
    /// File for the output of --format [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE", requires = "format")]
    pub(in crate::cli) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AbArgs {
    /// Build to compare with: a plugin file, or `plugin` or `plugin@version`
    pub(in crate::cli) baseline: String,
    /// Build to judge [default with --native or --wasm: the baseline's plugin]
    pub(in crate::cli) candidate: Option<String>,
    /// Benchmark to compare; `*` matches anything; can be repeated [default: the only one]
    #[arg(long = "benchmark", short = 'b', value_name = "NAME")]
    pub(in crate::cli) benchmark: Vec<String>,
    /// Compare every benchmark that both builds have
    #[arg(long, conflicts_with = "benchmark")]
    pub(in crate::cli) all_benchmarks: bool,
    /// Judge the WASM build of the plugin; the baseline is its native build
    #[arg(long, conflicts_with = "native")]
    pub(in crate::cli) wasm: bool,
    /// Judge the native build of the plugin; the baseline is its WASM build
    #[arg(long)]
    pub(in crate::cli) native: bool,
    #[command(flatten)]
    pub(in crate::cli) cases: CaseArgs,
    #[command(flatten)]
    pub(in crate::cli) decision: DecisionArgs,
    /// Wall time per case; decided cases leave their unused time to the others
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(in crate::cli) budget: String,
    #[command(flatten)]
    pub(in crate::cli) wait: WaitArgs,
    #[command(flatten)]
    pub(in crate::cli) limits: LimitArgs,
    #[command(flatten)]
    pub(in crate::cli) launch: PairLaunchArgs,
    #[command(flatten)]
    pub(in crate::cli) layout: LayoutArgs,
    /// Do not move the heap to huge pages; launches of memory-bound benchmarks then differ more
    #[arg(long)]
    pub(in crate::cli) small_pages: bool,
    #[command(flatten)]
    pub(in crate::cli) gate: GateArgs,
    #[command(flatten)]
    pub(in crate::cli) output: ComparisonFormatArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AaArgs {
    /// Build to compare with itself: a plugin file, or `plugin` or `plugin@version`
    pub(in crate::cli) build: String,
    /// Benchmark to compare; `*` matches anything; can be repeated [default: all]
    #[arg(long = "benchmark", short = 'b', value_name = "NAME")]
    pub(in crate::cli) benchmark: Vec<String>,
    /// Number of comparisons per case; 300 without an alarm show a false-alarm rate of at most 1 %
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(in crate::cli) comparisons: u32,
    #[command(flatten)]
    pub(in crate::cli) cases: CaseArgs,
    #[command(flatten)]
    pub(in crate::cli) decision: DecisionArgs,
    /// Wall time per comparison of a case
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(in crate::cli) budget: String,
    #[command(flatten)]
    pub(in crate::cli) launch: PairLaunchArgs,
}
