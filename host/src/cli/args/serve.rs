//! The flags of `dyno serve` (the settings that they override, and the log) and of `dyno dashboard`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config::Flags;

#[derive(Debug, Args)]
pub(in crate::cli) struct ServeArgs {
    /// Address to listen on; one that other machines can reach requires --token-file [env: DYNO_HOST] [default:
    /// 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// Port to listen on; 0 takes a free port and prints it [env: DYNO_PORT] [default: 8000]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Folder for reports; the same as --output
    #[arg(long, value_name = "DIR")]
    results_dir: Option<PathBuf>,
    /// File with the accepted tokens and their scopes [env: DYNO_TOKEN_FILE]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// File with the certificate of the server and its chain, PEM: clients then connect by https [env: DYNO_TLS_CERT]
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// File with the private key of that certificate, PEM [env: DYNO_TLS_KEY]
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// `dev`, or `server`: the plugin folders must belong to root or the server's user, and not be writable by others
    /// [env: DYNO_PROFILE] [default: dev]
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Comma-separated layers of isolation without which no plugin is loaded, e.g. `file_rules,no_network` [env:
    /// DYNO_REQUIRE_ISOLATION] [default: none]
    #[arg(long, value_name = "LAYERS")]
    require_isolation: Option<String>,
    /// Watch the plugin folders: a new version of a plugin is loaded once in a worker, and replaces the old one if that works;
    /// `poll` looks once per second, for file systems without notices [env: DYNO_WATCH] [default: off; auto if the flag has no
    /// value]
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    watch: Option<String>,
    /// Least severe events to log, on standard error
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub(in crate::cli) log_level: LogLevel,
    /// Format of the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(in crate::cli) log_format: LogFormat,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DashboardArgs {
    /// Port of this machine to show the dashboard at; 0 takes a free port and prints it
    #[arg(long, value_name = "PORT", default_value_t = 8050)]
    pub(in crate::cli) port: u16,
    /// Server to show [default: that of --server, then the one that `dyno serve` starts on this machine]
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) api_url: Option<String>,
    /// Also open the dashboard in the browser
    #[arg(long)]
    pub(in crate::cli) open: bool,
}

/// `--log-level`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum LogLevel {
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
pub(in crate::cli) enum LogFormat {
    /// Text for people
    Text,
    /// For programs: one JSON object per line
    Json,
}

impl ServeArgs {
    /// These flags over those of every command.
    pub(super) fn over(&self, flags: Flags) -> Flags {
        Flags {
            output: self.results_dir.clone().or(flags.output),
            host: self.host.clone(),
            port: self.port,
            token_file: self.token_file.clone(),
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            profile: self.profile.clone(),
            require_isolation: self.require_isolation.clone(),
            watch: self.watch.clone(),
            ..flags
        }
    }
}
