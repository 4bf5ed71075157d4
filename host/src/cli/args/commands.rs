//! The commands, and the flags that every command has.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{
    AaArgs, AbArgs, AnalyzeArgs, BackupArgs, BuildArgs, CacheArgs, CheckArgs, CompareArgs, CompletionsArgs,
    DashboardArgs, DevArgs, DevicesArgs, DoctorArgs, ExamineArgs, HistoryArgs, InspectArgs, InstallArgs,
    KeyArgs, ListArgs, LockArgs, NewArgs, PackArgs, RemoveArgs, ReportArgs, RestoreArgs, ResultsArgs,
    RunArgs, ServeArgs, SignArgs, SqlArgs, TokenArgs, VacuumArgs, VerifyArgs,
};
use crate::{app::EXAMINE, config::Flags};

/// Run benchmarks that come as plugins, in isolated processes, and compare their results.
#[derive(Debug, Parser)]
#[command(name = "dyno", version, max_term_width = 100, propagate_version = true)]
pub(in crate::cli) struct Cli {
    #[command(flatten)]
    pub(in crate::cli) global: Global,
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(in crate::cli) struct Global {
    /// Folder with plugins, searched with all its sub-folders; can be repeated [env: DYNO_PLUGIN_PATH]
    #[arg(long, global = true, value_name = "DIR")]
    pub(in crate::cli) plugins: Vec<PathBuf>,
    /// Database file [env: DYNO_DB_PATH] [default: OUTPUT/dyno.duckdb]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) db_path: Option<PathBuf>,
    /// Folder for result files and reports [env: DYNO_OUTPUT] [default: dyno-results]
    #[arg(long, global = true, value_name = "DIR")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Configuration file [env: DYNO_CONFIG] [default: dyno.toml in the current folder, then the user's]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Server to work through [env: DYNO_SERVER, token: DYNO_TOKEN] [default: the server that has the database open]
    #[arg(long, global = true, value_name = "URL")]
    pub(in crate::cli) server: Option<String>,
    /// Write JSON for programs instead of text for people
    #[arg(long, global = true)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
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
    /// Write a folder with a plugin that builds and runs
    New(NewArgs),
    /// Find the benchmarks in a tree of source code, and what to port and correct
    Analyze(AnalyzeArgs),
    /// Build a plugin whenever its sources change, and compare it with the baseline
    Dev(Box<DevArgs>),
    /// Build the plugin in a folder of sources, check it, and put it where it is found
    Build(BuildArgs),
    /// Test whether plugins keep the promises of their descriptors and of the contract
    Check(CheckArgs),
    /// Make a package of a plugin's builds, or put a descriptor into a component
    Pack(PackArgs),
    /// Install packages: files, folders with packages, URLs, or names from an index
    Install(InstallArgs),
    /// Remove installed packages
    Remove(RemoveArgs),
    /// Trust the plugins in a folder as they are: write their hashes into its lock file
    Lock(LockArgs),
    /// Make a pair of keys for signing
    Key(KeyArgs),
    /// Sign plugins and packages: write `FILE.minisig` beside each
    Sign(SignArgs),
    /// Show who signed plugins and packages, and whether the trust store knows the key
    Verify(VerifyArgs),
    /// Make, list and revoke the access tokens of a server
    Token(TokenArgs),
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
    /// Save the database as a file, while it is in use
    Backup(BackupArgs),
    /// Put a backup in the place of the database, which is kept under another name
    Restore(RestoreArgs),
    /// Remove what is older than the setting `retention` allows, and give the space back
    Vacuum(VacuumArgs),
    /// Start a server with a dashboard, REST, WebSocket and a queue of runs
    Serve(ServeArgs),
    /// Show the dashboard of a server elsewhere on this machine
    Dashboard(DashboardArgs),
    /// Show what the cache holds and how large it may become, or clear it
    Cache(CacheArgs),
    /// Show every setting and where its value comes from
    Config,
    /// Write a completion script for a shell
    Completions(CompletionsArgs),
    /// Read a database completely, and say as JSON whether it is whole; for `dyno` itself
    #[command(name = EXAMINE, hide = true)]
    Examine(ExamineArgs),
}

impl Cli {
    /// The flags that override settings.
    pub(in crate::cli) fn flags(&self) -> Flags {
        let global = self.global.flags();
        match &self.command {
            Command::Run(args) => args.limits.over(args.wait.over(global)),
            Command::Ab(args) => args.limits.over(args.wait.over(global)),
            Command::Check(args) => args.over(global),
            Command::Dev(args) => args.over(global),
            Command::Install(args) => args.over(global),
            Command::Remove(args) => args.over(global),
            Command::List(args) => Flags { index: args.index.clone(), ..global },
            Command::Serve(args) => args.over(global),
            Command::Token(args) => args.over(global),
            _ => global,
        }
    }
}

impl Global {
    fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            plugins: self.plugins.clone(),
            db_path: self.db_path.clone(),
            output: self.output.clone(),
            server: self.server.clone(),
            ..Flags::default()
        }
    }
}
