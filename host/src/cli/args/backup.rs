//! The commands about the database as a whole: `backup`, `restore` and `vacuum`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(in crate::cli) struct BackupArgs {
    /// File to write; it is there as a whole or not at all
    pub(in crate::cli) file: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    /// Backup to restore, as `dyno backup` wrote it
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct VacuumArgs {
    /// Show what would be removed and thinned, and change nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

/// What `dyno` asks of a process of its own.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExamineArgs {
    /// The file
    pub(in crate::cli) file: PathBuf,
}
