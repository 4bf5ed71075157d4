//! The flags, as typed. The commands check them and turn them into requests.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::formats::RunFormat;
use crate::{
    app::is_plugin_path,
    config::Flags,
    export::{ComparisonFormat, Format},
};

/// Run benchmarks that come as plugins, in isolated processes, and compare their results.
#[derive(Debug, Parser)]
#[command(name = "dyno", version, max_term_width = 100, propagate_version = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Folder with plugins, searched with all its sub-folders; can be repeated [env: DYNO_PLUGIN_PATH]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) plugins: Vec<PathBuf>,
    /// Database file [env: DYNO_DB_PATH] [default: OUTPUT/dyno.duckdb]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) db_path: Option<PathBuf>,
    /// Folder for result files and reports [env: DYNO_OUTPUT] [default: dyno-results]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Configuration file [env: DYNO_CONFIG] [default: dyno.toml in the current folder, then the user's]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Server to work through [env: DYNO_SERVER, token: DYNO_TOKEN] [default: the server that has the database open]
    #[arg(long, global = true, value_name = "URL")]
    pub(super) server: Option<String>,
    /// Write JSON for programs instead of text for people
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the benchmarks that the plugins offer, without running plugin code
    List(ListArgs),
    /// Show all metadata of a plugin
    Inspect(InspectArgs),
    /// Run benchmarks, store their results and show them
    Run(Box<RunArgs>),
    /// Compare two builds of a plugin, by pairs of launches in random order
    Ab(Box<AbArgs>),
    /// Compare a build with itself, to measure this machine's noise and false-alarm rate
    Aa(AaArgs),
    /// Show a benchmark over all stored runs, and where its performance changed
    History(HistoryArgs),
    /// Compare two stored runs or result files, including those of other tools
    Compare(CompareArgs),
    /// Show the results of a stored run, or list the runs
    Results(ResultsArgs),
    /// Write a stored run as a report or in another format
    Report(ReportArgs),
    /// List the devices of this machine, and explain why others are not available
    Devices(DevicesArgs),
    /// Report what makes this machine measure well or badly, and how to improve it
    Doctor(DoctorArgs),
    /// Run one SELECT query on the database
    Sql(SqlArgs),
    /// Start a server with REST, WebSocket and a queue of runs
    Serve(ServeArgs),
    /// Show what the cache holds and how large it may become, or clear it
    Cache(CacheArgs),
    /// Show every setting and where its value comes from
    Config,
    /// Write a completion script for a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
pub(super) struct SqlArgs {
    /// Query, e.g. "SELECT * FROM performance_results_view LIMIT 10"
    #[arg(value_name = "SELECT")]
    pub(super) query: String,
    /// Maximum number of rows to return
    #[arg(long, value_name = "ROWS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) limit: u32,
}

#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    /// Remove everything from the cache; refused while a run uses it
    #[arg(long)]
    pub(super) clear: bool,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Address to listen on; one that other machines can reach requires --token-file [env: DYNO_HOST] [default:
    /// 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) host: Option<String>,
    /// Port to listen on; 0 takes a free port and prints it [env: DYNO_PORT] [default: 8000]
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<u16>,
    /// Folder for reports; the same as --output
    #[arg(long, value_name = "DIR")]
    pub(super) results_dir: Option<PathBuf>,
    /// File with the accepted tokens and their scopes [env: DYNO_TOKEN_FILE]
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// `dev`, or `server`: the plugin folders must belong to root or the server's user, and not be writable by others
    /// [env: DYNO_PROFILE] [default: dev]
    #[arg(long, value_name = "PROFILE")]
    pub(super) profile: Option<String>,
    /// Least severe events to log, on standard error
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub(super) log_level: LogLevel,
    /// Format of the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,
}

/// `--log-level`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LogLevel {
    /// Failures
    Error,
    /// Also warnings
    Warn,
    /// Also runs, and calls that change something
    Info,
    /// Also every other call
    Debug,
}

/// `--log-format`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LogFormat {
    /// Text for people
    Text,
    /// For programs: one JSON object per line
    Json,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Text that the name, plugin, category or tags of a benchmark must contain; or a plugin file (`.so`, `.wasm`), which is
    /// listed instead of the plugin folders
    #[arg(value_name = "FILTER|FILE")]
    pub(super) words: Vec<String>,
    /// Show every column, and descriptions in full
    #[arg(long)]
    pub(super) all_columns: bool,
    /// Name every library that is not a plugin, with the reason
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Identifier of a plugin, or any plugin file
    #[arg(value_name = "PLUGIN|FILE")]
    pub(super) what: String,
}

/// Which builds of a plugin to run.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Engine {
    /// Native if there is a native build, otherwise WASM
    Auto,
    /// Only native libraries
    Native,
    /// Only WASM components
    Wasm,
    /// Every build
    All,
}

/// `--scenario`: how queries arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ScenarioName {
    /// Each query has one sample and is sent when the previous one is answered
    SingleStream,
    /// The same, with `--streams` samples per query
    MultiStream,
    /// Queries arrive at random (Poisson) at `--target-qps`
    Server,
    /// All samples are available at once
    Offline,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Benchmarks: `name`, `plugin/name` or `plugin@version/name`; `*` matches anything. Plugin files (`.so`, `.wasm`) are
    /// used instead of the plugin folders; all their benchmarks run, or only those that you name as well
    #[arg(value_name = "FILE|BENCHMARK")]
    pub(super) benchmarks: Vec<String>,
    /// Another way to name a benchmark; can be repeated
    #[arg(long = "benchmark", value_name = "NAME")]
    pub(super) benchmark: Vec<String>,
    /// Suite file with a list of benchmarks: TOML, or the JSON of the suite that dyno replaces
    #[arg(long, value_name = "FILE")]
    pub(super) suite: Option<PathBuf>,
    /// Comma-separated values of a parameter, e.g. `-p n=256,512`, each of which gives a case; several `-p` give every
    /// combination
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUES")]
    pub(super) param: Vec<String>,
    /// Parameters as a JSON object, e.g. '{"n": 512}'; a list is a sweep
    #[arg(long, value_name = "JSON")]
    pub(super) params: Option<String>,
    /// Comma-separated devices: kinds (`cuda`), names (`cuda:1`) or `all` [default: cpu]
    #[arg(long, value_name = "DEVICES", value_delimiter = ',')]
    pub(super) hardware: Vec<String>,
    /// Exit with 4 if a device is missing, instead of only skipping its cases
    #[arg(long)]
    pub(super) require_hardware: bool,
    /// Let CPU cases run at the same time as those of other runs that also use --overlap; they then disturb each other's
    /// times
    #[arg(long)]
    pub(super) overlap: bool,
    /// Maximum wait for a device that another process holds [env: DYNO_LEASE_TIMEOUT] [default: wait indefinitely]
    #[arg(long, value_name = "DURATION")]
    pub(super) lease_timeout: Option<String>,
    /// Which builds of a plugin to run [default: auto]
    #[arg(long, value_enum)]
    pub(super) engine: Option<Engine>,
    /// Number of launches (fresh worker processes) per case [default: at least 5, at most 30]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) launches: Option<u32>,
    /// Measuring time per case, e.g. `500ms` or `2s`, divided among the launches
    #[arg(long, value_name = "DURATION")]
    pub(super) time: Option<String>,
    /// Samples per launch, instead of a time or a precision
    #[arg(long, value_name = "N", conflicts_with_all = ["time", "precision"],
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) samples: Option<u32>,
    /// Launch until the half-width of the median's confidence interval is below this share of the median [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub(super) precision: Option<String>,
    /// Maximum time for any stage of a launch [env: DYNO_TIMEOUT] [default: 60s]
    #[arg(long, value_name = "DURATION")]
    pub(super) timeout: Option<String>,
    /// Maximum memory of a worker [env: DYNO_MEMORY] [default: 4GiB]
    #[arg(long, value_name = "BYTES")]
    pub(super) memory: Option<String>,
    /// Processors to measure on, e.g. `3` or `0-2,5` [default: the quietest]
    #[arg(long, value_name = "LIST")]
    pub(super) cpus: Option<String>,
    /// Ask for real-time priority, so that other programs do not interrupt the measured thread
    #[arg(long)]
    pub(super) realtime: bool,
    /// Count instructions, cycles, branch and cache misses, page faults and energy; each becomes a metric per iteration
    #[arg(long)]
    pub(super) counters: bool,
    /// Seed for the inputs of every launch, e.g. `7` [default: a new seed for each launch]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Keep address-space layout randomisation on (slower to decide, not tied to one memory layout)
    #[arg(long)]
    pub(super) random_layout: bool,
    /// Measure queries instead of plain samples; how they arrive is defined as in MLPerf LoadGen
    #[arg(long, value_enum)]
    pub(super) scenario: Option<ScenarioName>,
    /// Samples per query in the `multi-stream` scenario
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(super) streams: u64,
    /// Queries per second in the `server` scenario
    #[arg(long, value_name = "RATE")]
    pub(super) target_qps: Option<f64>,
    /// Maximum p99 latency for the `server` scenario, e.g. `10ms`
    #[arg(long, value_name = "DURATION")]
    pub(super) latency_bound: Option<String>,
    /// Find the highest rate that meets the latency bound of the `server` scenario, by bisection
    #[arg(long, conflicts_with = "target_qps")]
    pub(super) find_peak: bool,
    /// Ask for huge pages for the heap, which makes launches of memory-bound benchmarks differ less
    #[arg(long)]
    pub(super) huge_pages: bool,
    /// Word to find the run by; can be repeated
    #[arg(long, value_name = "WORD")]
    pub(super) tag: Vec<String>,
    /// Show the cases without running them
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Show every parameter and every column, even if a case then takes several lines
    #[arg(long)]
    pub(super) all_columns: bool,
    /// Compare the results with this run or result file, and exit with 1 on a regression
    #[arg(long, value_name = "RUN|FILE")]
    pub(super) compare: Option<String>,
    /// Save this run as the baseline of this name [default name: the current git branch]
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", require_equals = true)]
    pub(super) save_baseline: Option<String>,
    /// Compare with the baseline of this name, as --compare does [default name: the current git branch]
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", require_equals = true,
          conflicts_with = "compare")]
    pub(super) baseline: Option<String>,
    #[command(flatten)]
    pub(super) judge: JudgeArgs,
    /// Format of the output [default: text]
    #[arg(long, value_enum)]
    pub(super) format: Option<RunFormat>,
    /// File for the output of --format [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE", requires = "format")]
    pub(super) file: Option<PathBuf>,
}

/// How strictly to compare results that were measured at different times.
#[derive(Debug, Args)]
pub(super) struct JudgeArgs {
    /// Smallest relative change that matters, e.g. `0.05`, `5%` or `150%` [default: 5%]
    #[arg(long, value_name = "SHARE")]
    pub(super) threshold: Option<String>,
    /// Accepted share of false alarms among alarms, over all cases and metrics together [default: 0.01]
    #[arg(long, value_name = "SHARE")]
    pub(super) alpha: Option<String>,
    /// Judge even if machine, governor or WASM engine differ
    #[arg(long)]
    pub(super) allow_differences: bool,
    /// Exit with 3 if a metric is inconclusive or a case could not be compared
    #[arg(long)]
    pub(super) fail_inconclusive: bool,
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Side to compare with: a run, `baseline:NAME`, a result file of dyno or another tool, or Criterion's folder
    pub(super) baseline: String,
    /// Side to judge, given in the same ways
    #[arg(default_value = "last")]
    pub(super) candidate: String,
    #[command(flatten)]
    pub(super) judge: JudgeArgs,
    /// Also show metrics that are equivalent
    #[arg(long)]
    pub(super) all: bool,
    /// Format of the output [default: text]
    #[arg(long, value_enum)]
    pub(super) format: Option<ComparisonFormat>,
}

#[derive(Debug, Args)]
pub(super) struct AaArgs {
    /// Build to compare with itself: a plugin file, or `plugin` or `plugin@version`
    pub(super) build: String,
    /// Benchmark to compare; `*` matches anything; can be repeated [default: all]
    #[arg(long = "benchmark", short = 'b', value_name = "NAME")]
    pub(super) benchmark: Vec<String>,
    /// Number of comparisons per case; 300 without an alarm show a false-alarm rate of at most 1 %
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) comparisons: u32,
    /// Comma-separated values of a parameter, e.g. `-p n=256,512`, each of which gives a case
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUES")]
    pub(super) param: Vec<String>,
    /// Comma-separated devices [default: cpu]
    #[arg(long, value_name = "DEVICES", value_delimiter = ',')]
    pub(super) hardware: Vec<String>,
    /// Smallest relative change that matters; may be above `100%` [default: 0.5%]
    #[arg(long, value_name = "SHARE")]
    pub(super) threshold: Option<String>,
    /// Chance of a false alarm, over all cases together [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub(super) alpha: Option<String>,
    /// Wall time per comparison of a case
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(super) budget: String,
    /// Processors to measure on, e.g. `3` or `0-2,5` [default: the quietest]
    #[arg(long, value_name = "LIST")]
    pub(super) cpus: Option<String>,
    /// Seed for the inputs of every pair and for their order, e.g. `7` [default: a new seed for each pair]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Benchmark: `name` or `plugin/name`
    pub(super) benchmark: String,
    /// Metric to show
    #[arg(long, value_name = "NAME", default_value = "time")]
    pub(super) metric: String,
    /// Smallest relative change of the level that counts [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub(super) min_change: Option<String>,
    /// Accept the change that begins with this run: later runs are compared with the new level
    #[arg(long, value_name = "RUN")]
    pub(super) accept: Option<String>,
    /// Reason for accepting the change
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub(super) note: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct AbArgs {
    /// Build to compare with: a plugin file, or `plugin` or `plugin@version`
    pub(super) baseline: String,
    /// Build to judge [default with --native or --wasm: the baseline's plugin]
    pub(super) candidate: Option<String>,
    /// Benchmark to compare; `*` matches anything; can be repeated [default: the only one]
    #[arg(long = "benchmark", short = 'b', value_name = "NAME")]
    pub(super) benchmark: Vec<String>,
    /// Compare every benchmark that both builds have
    #[arg(long, conflicts_with = "benchmark")]
    pub(super) all_benchmarks: bool,
    /// Judge the WASM build of the plugin; the baseline is its native build
    #[arg(long, conflicts_with = "native")]
    pub(super) wasm: bool,
    /// Judge the native build of the plugin; the baseline is its WASM build
    #[arg(long)]
    pub(super) native: bool,
    /// Comma-separated values of a parameter, e.g. `-p n=256,512`, each of which gives a case
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUES")]
    pub(super) param: Vec<String>,
    /// Comma-separated devices [default: cpu]
    #[arg(long, value_name = "DEVICES", value_delimiter = ',')]
    pub(super) hardware: Vec<String>,
    /// Smallest relative change that matters; may be above `100%` [default: 0.5%]
    #[arg(long, value_name = "SHARE")]
    pub(super) threshold: Option<String>,
    /// Chance of a false alarm, over all cases together [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub(super) alpha: Option<String>,
    /// Wall time per case; decided cases leave their unused time to the others
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(super) budget: String,
    /// Maximum wait for a device that another process holds [env: DYNO_LEASE_TIMEOUT] [default: wait indefinitely]
    #[arg(long, value_name = "DURATION")]
    pub(super) lease_timeout: Option<String>,
    /// Maximum time for any stage of a launch [env: DYNO_TIMEOUT] [default: 60s]
    #[arg(long, value_name = "DURATION")]
    pub(super) timeout: Option<String>,
    /// Maximum memory of a worker [env: DYNO_MEMORY] [default: 4GiB]
    #[arg(long, value_name = "BYTES")]
    pub(super) memory: Option<String>,
    /// Processors to measure on, e.g. `3` or `0-2,5` [default: the quietest]
    #[arg(long, value_name = "LIST")]
    pub(super) cpus: Option<String>,
    /// Seed for the inputs of every pair and for their order, e.g. `7` [default: a new seed for each pair]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Keep address-space layout randomisation on (slower to decide, not tied to one memory layout)
    #[arg(long)]
    pub(super) random_layout: bool,
    /// Do not move the heap to huge pages; launches of memory-bound benchmarks then differ more
    #[arg(long)]
    pub(super) small_pages: bool,
    /// Exit with 3 if a metric is inconclusive or a case could not be compared
    #[arg(long)]
    pub(super) fail_inconclusive: bool,
    /// Format of the output [default: text]
    #[arg(long, value_enum)]
    pub(super) format: Option<ComparisonFormat>,
}

#[derive(Debug, Args)]
pub(super) struct ResultsArgs {
    /// Run: its identifier, the beginning of one, `last`, or `last~1` for the run before it
    #[arg(default_value = "last")]
    pub(super) run: String,
    /// List the stored runs instead, newest first
    #[arg(long)]
    pub(super) list: bool,
    /// Show every parameter and every column, even if a case then takes several lines
    #[arg(long, conflicts_with = "list")]
    pub(super) all_columns: bool,
    /// Maximum number of runs to list
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(super) limit: u32,
    /// Only runs with this tag
    #[arg(long, value_name = "WORD")]
    pub(super) tag: Option<String>,
    /// Include every launch and sample; needs --json
    #[arg(long)]
    pub(super) samples: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Run: its identifier, the beginning of one, `last`, or `last~1` for the run before it
    #[arg(default_value = "last")]
    pub(super) run: String,
    /// Format of the report [default: markdown]
    #[arg(long, value_enum)]
    pub(super) format: Option<Format>,
    /// File to write [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DevicesArgs {
    /// Device (`cuda:0`) or kind of device (`cuda`) to show in full
    #[arg(conflicts_with = "all")]
    pub(super) device: Option<String>,
    /// Show everything about every device
    #[arg(long)]
    pub(super) all: bool,
    /// Ask the drivers again instead of using cached answers
    #[arg(long)]
    pub(super) refresh: bool,
    /// Show temperature, power, clocks, free memory and throttling, as the driver reports them now
    #[arg(long)]
    pub(super) live: bool,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Compare this machine with a saved one; with two files, compare them with each other
    #[arg(long, value_name = "FILE", num_args = 1..=2)]
    pub(super) compare: Vec<PathBuf>,
    /// Save the findings to a file, for --compare
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Shell to write the script for
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

/// The plugin files among these words.
fn files(words: &[String]) -> Vec<PathBuf> {
    words.iter().filter(|word| is_plugin_path(word)).map(PathBuf::from).collect()
}

/// The words that are not plugin files.
fn others(words: &[String]) -> impl Iterator<Item = &str> {
    words.iter().map(String::as_str).filter(|word| !is_plugin_path(word))
}

impl ListArgs {
    /// The plugin files that were named.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        files(&self.words)
    }

    /// The words that are not plugin files.
    pub(super) fn filters(&self) -> impl Iterator<Item = &str> {
        others(&self.words)
    }
}

impl RunArgs {
    /// The plugin files that were named.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        files(&self.benchmarks)
    }

    /// The benchmarks that were named.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        others(&self.benchmarks).chain(self.benchmark.iter().map(String::as_str))
    }
}

impl Cli {
    /// The flags that override settings.
    pub(super) fn flags(&self) -> Flags {
        let (timeout, memory, lease_timeout) = match &self.command {
            Command::Run(args) => (args.timeout.clone(), args.memory.clone(), args.lease_timeout.clone()),
            Command::Ab(args) => (args.timeout.clone(), args.memory.clone(), args.lease_timeout.clone()),
            _ => (None, None, None),
        };
        let serve = match &self.command {
            Command::Serve(args) => Some(args),
            _ => None,
        };
        Flags {
            config: self.global.config.clone(),
            plugins: self.global.plugins.clone(),
            db_path: self.global.db_path.clone(),
            output: serve.and_then(|args| args.results_dir.clone()).or_else(|| self.global.output.clone()),
            timeout,
            memory,
            lease_timeout,
            server: self.global.server.clone(),
            host: serve.and_then(|args| args.host.clone()),
            port: serve.and_then(|args| args.port),
            token_file: serve.and_then(|args| args.token_file.clone()),
            profile: serve.and_then(|args| args.profile.clone()),
        }
    }
}
