//! The commands about access tokens of a server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::Flags;

#[derive(Debug, Args)]
pub(in crate::cli) struct TokenArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: TokenCommand,
    /// File with the tokens that the server accepts [env: DYNO_TOKEN_FILE]
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TokenCommand {
    /// Make a token, add it to the file, and print it
    New(NewTokenArgs),
    /// List the tokens of the file
    List,
    /// Remove a token from the file
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NewTokenArgs {
    /// Name, by which runs and the audit log show who called
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,
    /// What it permits: `read`, `run` (also start runs) or `admin` (everything)
    #[arg(long, value_name = "SCOPE", default_value = "read")]
    pub(in crate::cli) scope: String,
    /// When it expires: a duration from now (`90d`), a day (`2027-01-31`, to its end in UTC) or a time [default: never]
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) expires: Option<String>,
    /// Comma-separated layers of isolation without which nothing that it submits is loaded, e.g. `file_rules,no_network`
    #[arg(long, value_name = "LAYERS")]
    pub(in crate::cli) require_isolation: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RevokeArgs {
    /// Name of the token
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,
}

impl TokenArgs {
    /// This flag over others.
    pub(super) fn over(&self, flags: Flags) -> Flags {
        Flags { token_file: self.token_file.clone(), ..flags }
    }
}
