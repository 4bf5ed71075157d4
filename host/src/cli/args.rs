//! The flags, as close to what is typed as possible. Meaning is given to them by the commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::formats::RunFormat;
use crate::{
    app::is_plugin_path,
    config::Flags,
    export::{ComparisonFormat, Format},
};

/// Run benchmarks that come as plugins, in isolated workers, with sound statistics.
#[derive(Debug, Parser)]
#[command(name = "dyno", version, max_term_width = 100, propagate_version = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Folder with plugins; may be given several times [env: DYNO_PLUGIN_PATH]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) plugins: Vec<PathBuf>,
    /// Database [env: DYNO_DB_PATH] [default: OUTPUT/dyno.duckdb]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) db_path: Option<PathBuf>,
    /// Folder for result files and reports [env: DYNO_OUTPUT] [default: dyno-results]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Configuration file [env: DYNO_CONFIG] [default: dyno.toml here, then the user's]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Server to work through [env: DYNO_SERVER, token: DYNO_TOKEN] [default: the one that has the database open]
    #[arg(long, global = true, value_name = "URL")]
    pub(super) server: Option<String>,
    /// Write JSON for programs instead of text for people
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the benchmarks that the plugins offer, without running any code of theirs
    List(ListArgs),
    /// Show everything that a plugin says about itself
    Inspect(InspectArgs),
    /// Run benchmarks and store what comes of it
    Run(Box<RunArgs>),
    /// Compare two builds of a plugin, by pairs of launches in random order
    Ab(Box<AbArgs>),
    /// Compare a build with itself, to measure this machine's noise and false-alarm rate
    Aa(AaArgs),
    /// Show a benchmark over all stored runs, and where its level changed
    History(HistoryArgs),
    /// Compare two stored runs or result files, also of other tools
    Compare(CompareArgs),
    /// Show the results of a stored run, or list the runs
    Results(ResultsArgs),
    /// Write a report of a stored run
    Report(ReportArgs),
    /// List the devices of this machine, and why the others are not available
    Devices(DevicesArgs),
    /// Say what makes this machine measure well or badly, and what improves it
    Doctor(DoctorArgs),
    /// Answer one SELECT over the database
    Sql(SqlArgs),
    /// Serve REST, WebSocket and a queue of runs
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
    /// The query. // eg: "SELECT * FROM performance_results_view LIMIT 10"
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
    /// Address to listen on; beyond this machine only with --token-file [env: DYNO_HOST] [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) host: Option<String>,
    /// Port; 0 for any that is free [env: DYNO_PORT] [default: 8000]
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<u16>,
    /// Folder for reports: the same as --output
    #[arg(long, value_name = "DIR")]
    pub(super) results_dir: Option<PathBuf>,
    /// Tokens that are accepted, with their scopes [env: DYNO_TOKEN_FILE]
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// `dev`, or `server`: plugin folders must be the operator's alone [env: DYNO_PROFILE] [default: dev]
    #[arg(long, value_name = "PROFILE")]
    pub(super) profile: Option<String>,
    /// How much is logged on standard error
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub(super) log_level: LogLevel,
    /// How it is logged
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LogLevel {
    /// What failed
    Error,
    /// What went wrong
    Warn,
    /// Runs, and calls that change something
    Info,
    /// Every call
    Debug,
}

/// How it is logged.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    Text,
    /// For programs, an object per line
    Json,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Words that the name, plugin, category or tags of a benchmark must contain; a plugin file lists that file instead of the
    /// plugin folders
    #[arg(value_name = "FILTER|FILE")]
    pub(super) words: Vec<String>,
    /// Show every column, and descriptions in full
    #[arg(long)]
    pub(super) all_columns: bool,
    /// Name every library that is not a plugin, and say why
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Identifier of a plugin, or a plugin file
    #[arg(value_name = "PLUGIN|FILE")]
    pub(super) what: String,
}

/// Which builds of a plugin to run.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Engine {
    /// Native where there is a native build, else WASM
    Auto,
    /// Only native libraries
    Native,
    /// Only WASM components
    Wasm,
    /// Every build
    All,
}

/// How queries arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ScenarioName {
    /// The next query is sent when the last is answered
    SingleStream,
    /// The same, with several samples in a query
    MultiStream,
    /// Queries arrive at random at a rate
    Server,
    /// All samples are there at once
    Offline,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Benchmarks: `name`, `plugin/name` or `plugin@version/name`; `*` matches anything. A plugin file (`.so`, `.wasm`) is
    /// used instead of the plugin folders: all its benchmarks run, or those that are named beside it
    #[arg(value_name = "FILE|BENCHMARK")]
    pub(super) benchmarks: Vec<String>,
    /// The same, one at a time
    #[arg(long = "benchmark", value_name = "NAME")]
    pub(super) benchmark: Vec<String>,
    /// Suite file: TOML, or JSON in the form of the original suite
    #[arg(long, value_name = "FILE")]
    pub(super) suite: Option<PathBuf>,
    /// Values of a parameter: `-p n=256,512` runs a case for each; several `-p` make every combination
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUES")]
    pub(super) param: Vec<String>,
    /// Parameters as a JSON object, like '{"n": 512}'; a list is a sweep
    #[arg(long, value_name = "JSON")]
    pub(super) params: Option<String>,
    /// Devices to run on: a kind (`cpu`), a name (`cuda:0`) or `all`, separated by commas [default: cpu]
    #[arg(long, value_name = "DEVICES", value_delimiter = ',')]
    pub(super) hardware: Vec<String>,
    /// Exit with 4 where a device is not there, instead of only skipping its cases
    #[arg(long)]
    pub(super) require_hardware: bool,
    /// Let CPU cases run beside those of other runs that say so, too; their times then disturb each other
    #[arg(long)]
    pub(super) overlap: bool,
    /// Longest wait for a device that another process has [env: DYNO_LEASE_TIMEOUT] [default: wait indefinitely]
    #[arg(long, value_name = "DURATION")]
    pub(super) lease_timeout: Option<String>,
    /// Which builds of a plugin to run [default: auto]
    #[arg(long, value_enum)]
    pub(super) engine: Option<Engine>,
    /// Launches (fresh worker processes) per case
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) launches: Option<u32>,
    /// Measuring time per case, like `500ms` or `2s`, shared out among the launches
    #[arg(long, value_name = "DURATION")]
    pub(super) time: Option<String>,
    /// Samples per launch, instead of a time
    #[arg(long, value_name = "N", conflicts_with_all = ["time", "precision"],
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) samples: Option<u32>,
    /// Launch until the interval on the median is this narrow, like `1%` (the default rule)
    #[arg(long, value_name = "SHARE")]
    pub(super) precision: Option<String>,
    /// Longest time for any stage of a launch [env: DYNO_TIMEOUT] [default: 60s]
    #[arg(long, value_name = "DURATION")]
    pub(super) timeout: Option<String>,
    /// Most memory of a worker [env: DYNO_MEMORY] [default: 4GiB]
    #[arg(long, value_name = "BYTES")]
    pub(super) memory: Option<String>,
    /// Processors to measure on, like `3` or `0-2,5` [default: the quietest]
    #[arg(long, value_name = "LIST")]
    pub(super) cpus: Option<String>,
    /// Ask for real-time priority, so that other programs do not interrupt what is measured
    #[arg(long)]
    pub(super) realtime: bool,
    /// Report instructions, cycles, branch and cache misses, page faults and energy per iteration as further metrics
    #[arg(long)]
    pub(super) counters: bool,
    /// Seed for the inputs of every launch, e.g. `7` [default: another one for each launch]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Keep address-space layout randomisation on (slower to decide, not tied to one memory layout)
    #[arg(long)]
    pub(super) random_layout: bool,
    /// How queries arrive, with LoadGen's meanings, instead of plain samples
    #[arg(long, value_enum)]
    pub(super) scenario: Option<ScenarioName>,
    /// Samples in a query of multi-stream
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(super) streams: u64,
    /// Queries per second of server
    #[arg(long, value_name = "RATE")]
    pub(super) target_qps: Option<f64>,
    /// Maximum p99 latency for the `server` scenario, e.g. `10ms`
    #[arg(long, value_name = "DURATION")]
    pub(super) latency_bound: Option<String>,
    /// Find the highest rate at which server meets its latency bound
    #[arg(long, conflicts_with = "target_qps")]
    pub(super) find_peak: bool,
    /// Ask for huge pages for the heap: memory-bound launches then differ less
    #[arg(long)]
    pub(super) huge_pages: bool,
    /// Word to find the run by; may be given several times
    #[arg(long, value_name = "WORD")]
    pub(super) tag: Vec<String>,
    /// Show the cases that would be run, and run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Show every parameter and every column, however many lines a case then takes
    #[arg(long)]
    pub(super) all_columns: bool,
    /// Compare the results with this run or result file, and exit with 1 where something is worse
    #[arg(long, value_name = "RUN|FILE")]
    pub(super) compare: Option<String>,
    /// Name this run as a baseline; the current git branch where no name is given
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", require_equals = true)]
    pub(super) save_baseline: Option<String>,
    /// Compare with the baseline of that name; of the current git branch where no name is given
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", require_equals = true,
          conflicts_with = "compare")]
    pub(super) baseline: Option<String>,
    #[command(flatten)]
    pub(super) judge: JudgeArgs,
    /// What to write [default: text]
    #[arg(long, value_enum)]
    pub(super) format: Option<RunFormat>,
    /// Where to write it; standard output where none is given
    #[arg(long, short = 'o', value_name = "FILE", requires = "format")]
    pub(super) file: Option<PathBuf>,
}

/// How strictly results are compared that were measured at different times.
#[derive(Debug, Args)]
pub(super) struct JudgeArgs {
    /// Smallest relative change that matters, like `0.05`, `5%` or `150%` [default: 5%]
    #[arg(long, value_name = "SHARE")]
    pub(super) threshold: Option<String>,
    /// Accepted share of wrong alarms among alarms [default: 0.01]
    #[arg(long, value_name = "SHARE")]
    pub(super) alpha: Option<String>,
    /// Judge even where machine, governor or WASM engine differ
    #[arg(long)]
    pub(super) allow_differences: bool,
    /// Exit with 3 where a metric is inconclusive or a case could not be compared
    #[arg(long)]
    pub(super) fail_inconclusive: bool,
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// What to compare against: a run, `baseline:NAME`, a result file of dyno or another tool, or a folder of Criterion
    pub(super) baseline: String,
    /// What to judge: the same
    #[arg(default_value = "last")]
    pub(super) candidate: String,
    #[command(flatten)]
    pub(super) judge: JudgeArgs,
    /// Show every metric, also those that are equivalent
    #[arg(long)]
    pub(super) all: bool,
    /// What to write [default: text]
    #[arg(long, value_enum)]
    pub(super) format: Option<ComparisonFormat>,
}

#[derive(Debug, Args)]
pub(super) struct AaArgs {
    /// The build: a plugin file, or `plugin` or `plugin@version`
    pub(super) build: String,
    /// Benchmarks; `*` matches anything [default: all]
    #[arg(long = "benchmark", short = 'b', value_name = "NAME")]
    pub(super) benchmark: Vec<String>,
    /// Comparisons per case: 300 without an alarm show a rate of at most 1 %
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) comparisons: u32,
    /// Values of a parameter: `-p n=256,512` compares a case for each
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUES")]
    pub(super) param: Vec<String>,
    /// Devices, separated by commas [default: cpu]
    #[arg(long, value_name = "DEVICES", value_delimiter = ',')]
    pub(super) hardware: Vec<String>,
    /// Smallest relative change that matters [default: 0.5%]
    #[arg(long, value_name = "SHARE")]
    pub(super) threshold: Option<String>,
    /// Chance of a wrong alarm, over all cases together [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub(super) alpha: Option<String>,
    /// Wall time of a comparison of a case
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(super) budget: String,
    /// Processors to measure on, like `3` or `0-2,5` [default: the quietest]
    #[arg(long, value_name = "LIST")]
    pub(super) cpus: Option<String>,
    /// Seed for the inputs of every pair and for their order, e.g. `7` [default: another one for each pair]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Name of the benchmark
    pub(super) benchmark: String,
    /// Which metric
    #[arg(long, value_name = "NAME", default_value = "time")]
    pub(super) metric: String,
    /// Smallest relative change of the level that counts [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub(super) min_change: Option<String>,
    /// Accept the change that begins with this run: later runs are compared with the new level
    #[arg(long, value_name = "RUN")]
    pub(super) accept: Option<String>,
    /// Why it is accepted
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub(super) note: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct AbArgs {
    /// The build to compare against: a plugin file, or `plugin` or `plugin@version`
    pub(super) baseline: String,
    /// The build to judge; with --native or --wasm, the baseline's plugin where it is left out
    pub(super) candidate: Option<String>,
    /// Benchmarks; `*` matches anything. Without any: the only one there is, or say --all-benchmarks
    #[arg(long = "benchmark", short = 'b', value_name = "NAME")]
    pub(super) benchmark: Vec<String>,
    /// Every benchmark that both builds have
    #[arg(long, conflicts_with = "benchmark")]
    pub(super) all_benchmarks: bool,
    /// Judge the WASM build of the plugin against its native build
    #[arg(long, conflicts_with = "native")]
    pub(super) wasm: bool,
    /// Judge the native build of the plugin against its WASM build
    #[arg(long)]
    pub(super) native: bool,
    /// Values of a parameter: `-p n=256,512` compares a case for each
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUES")]
    pub(super) param: Vec<String>,
    /// Devices, separated by commas [default: cpu]
    #[arg(long, value_name = "DEVICES", value_delimiter = ',')]
    pub(super) hardware: Vec<String>,
    /// Smallest relative change that matters [default: 0.5%]
    #[arg(long, value_name = "SHARE")]
    pub(super) threshold: Option<String>,
    /// Chance of a wrong alarm, over all cases together [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub(super) alpha: Option<String>,
    /// Wall time per case; what one leaves over, others may use
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(super) budget: String,
    /// Longest wait for a device that another process has [env: DYNO_LEASE_TIMEOUT] [default: wait indefinitely]
    #[arg(long, value_name = "DURATION")]
    pub(super) lease_timeout: Option<String>,
    /// Longest time for any stage of a launch [env: DYNO_TIMEOUT] [default: 60s]
    #[arg(long, value_name = "DURATION")]
    pub(super) timeout: Option<String>,
    /// Most memory of a worker [env: DYNO_MEMORY] [default: 4GiB]
    #[arg(long, value_name = "BYTES")]
    pub(super) memory: Option<String>,
    /// Processors to measure on, like `3` or `0-2,5` [default: the quietest]
    #[arg(long, value_name = "LIST")]
    pub(super) cpus: Option<String>,
    /// Seed for the inputs of every pair and for their order, e.g. `7` [default: another one for each pair]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Keep address-space layout randomisation on (slower to decide, not tied to one memory layout)
    #[arg(long)]
    pub(super) random_layout: bool,
    /// Leave the heap on small pages, whose place in memory makes memory-bound launches differ
    #[arg(long)]
    pub(super) small_pages: bool,
    /// Exit with 3 where nothing can be said of a case
    #[arg(long)]
    pub(super) fail_inconclusive: bool,
    /// What to write [default: text]
    #[arg(long, value_enum)]
    pub(super) format: Option<ComparisonFormat>,
}

#[derive(Debug, Args)]
pub(super) struct ResultsArgs {
    /// Run: its identifier, the beginning of it, `last`, or `last~1`
    #[arg(default_value = "last")]
    pub(super) run: String,
    /// List the stored runs instead, newest first
    #[arg(long)]
    pub(super) list: bool,
    /// Show every parameter and every column, however many lines a case then takes
    #[arg(long, conflicts_with = "list")]
    pub(super) all_columns: bool,
    /// Maximum number of runs to list
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(super) limit: u32,
    /// Only runs with this tag
    #[arg(long, value_name = "WORD")]
    pub(super) tag: Option<String>,
    /// With every launch and sample (JSON only)
    #[arg(long)]
    pub(super) samples: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Run: its identifier, the beginning of it, `last`, or `last~1`
    #[arg(default_value = "last")]
    pub(super) run: String,
    /// What to write [default: markdown]
    #[arg(long, value_enum)]
    pub(super) format: Option<Format>,
    /// File to write; standard output where none is given
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DevicesArgs {
    /// Show everything about this device, or this kind of device
    #[arg(conflicts_with = "all")]
    pub(super) device: Option<String>,
    /// Show everything about every device
    #[arg(long)]
    pub(super) all: bool,
    /// Ask the drivers again, whatever is known
    #[arg(long)]
    pub(super) refresh: bool,
    /// Ask the drivers how the devices are now: temperature, power, clocks, free memory
    #[arg(long)]
    pub(super) live: bool,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Compare this machine with a saved one, or two saved ones with each other
    #[arg(long, value_name = "FILE", num_args = 1..=2)]
    pub(super) compare: Vec<PathBuf>,
    /// Write what was found to a file, for --compare
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

/// Those of these words that are plugin files.
fn files(words: &[String]) -> Vec<PathBuf> {
    words.iter().filter(|word| is_plugin_path(word)).map(PathBuf::from).collect()
}

/// The others.
fn others(words: &[String]) -> impl Iterator<Item = &str> {
    words.iter().map(String::as_str).filter(|word| !is_plugin_path(word))
}

impl ListArgs {
    /// The plugin files that were named.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        files(&self.words)
    }

    /// What benchmarks must contain.
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
    /// What the flags say about settings.
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
