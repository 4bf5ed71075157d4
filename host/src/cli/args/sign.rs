//! The commands about signatures: `key`, `sign` and `verify`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(in crate::cli) struct KeyArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeyCommand {
    /// Make a pair of keys: a secret one for `dyno sign`, a public one for those who verify
    New(NewKeyArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NewKeyArgs {
    /// File for the secret key; the public key is written to `FILE.pub`
    #[arg(value_name = "FILE", default_value = "dyno.key")]
    pub(in crate::cli) file: PathBuf,
    /// Do not protect the secret key with a password
    #[arg(long)]
    pub(in crate::cli) no_password: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SignArgs {
    /// Plugins and their libraries (`.so`, `.wasm`), and packages (`.dyno`)
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// File of the secret key, made by `dyno key new` or `minisign -G`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) key: PathBuf,
    /// Name of the publisher, as trust stores list it
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) publisher: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Plugins, libraries and packages, each with `FILE.minisig` beside it, or installed with a signed package
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// File of a public key (`.pub`) to verify with, instead of the trust store
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) key: Option<PathBuf>,
}
