//! The flags of `analyze`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::build::Language;

#[derive(Debug, Args)]
pub(in crate::cli) struct AnalyzeArgs {
    /// Folder with source code in Python, Rust, C, C++ or CUDA
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) root: PathBuf,
    /// End with exit code 4 on a finding of this kind; can be repeated
    #[arg(long, value_enum, value_name = "FINDING")]
    pub(in crate::cli) fail_on: Vec<FailOn>,
    /// Write a folder with a plugin for this benchmark: its name or the end of it, FILE:NAME or FILE:LINE
    #[arg(long, value_name = "BENCH")]
    pub(in crate::cli) port: Option<String>,
    /// Folder that the plugin of --port is written into
    #[arg(long, value_name = "DIR", default_value = ".", requires = "port")]
    pub(in crate::cli) into: PathBuf,
    /// Language of the plugin of --port [default: that of the benchmark]
    #[arg(long, value_enum, requires = "port")]
    pub(in crate::cli) lang: Option<Language>,
    /// Folder with dyno's SDK for Rust, for --port [default: that of this installation, otherwise Cargo's registry]
    #[arg(long, value_name = "DIR", requires = "port")]
    pub(in crate::cli) sdk: Option<PathBuf>,
    /// Analyse also what `.gitignore` and `.ignore` name, and hidden files
    #[arg(long)]
    pub(in crate::cli) no_ignore: bool,
    /// Maximum size of a source file; larger files are listed as skipped
    #[arg(long, value_name = "BYTES", default_value = "4MiB", value_parser = dyno_core::units::parse_bytes)]
    pub(in crate::cli) max_file_bytes: u64,
    /// Number of threads [default: one per processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(in crate::cli) jobs: Option<u16>,
    /// Read every file again, without the facts of earlier analyses in the cache
    #[arg(long)]
    pub(in crate::cli) no_cache: bool,
}

/// What makes `analyze` end with exit code 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FailOn {
    /// A benchmark measures wrongly
    Problems,
    /// A file could not be analysed
    Unread,
}

fn threads(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(threads @ 1..) => Ok(threads),
        _ => {
            Err("give a number of threads from 1 to 65535, or leave --jobs out for one per processor"
                .to_owned())
        }
    }
}
