//! The commands about packages: `pack`, `install` and `remove`.

use std::path::PathBuf;

use clap::Args;

use crate::config::Flags;

#[derive(Debug, Args)]
pub(in crate::cli) struct PackArgs {
    /// The plugin's builds (`.so`, `.wasm`), one for each target, with libraries, licence and README; from a folder, those files
    /// are taken
    #[arg(value_name = "FILE|DIR", required_unless_present = "index")]
    pub(in crate::cli) what: Vec<PathBuf>,
    /// File to write; with --descriptor, `.wasm` writes the component alone [default: NAME-VERSION.dyno]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Descriptor to put into the component, as JSON or TOML
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) descriptor: Option<PathBuf>,
    /// Write the index of the packages in this folder instead, `dyno-index.json`
    #[arg(long, value_name = "DIR", conflicts_with_all = ["what", "out", "descriptor"])]
    pub(in crate::cli) index: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InstallArgs {
    /// Packages: files, folders with packages, URLs, or names from an index (`name`, `name@version`)
    #[arg(value_name = "FILE|DIR|URL|NAME", required = true)]
    pub(in crate::cli) what: Vec<String>,
    /// Index for names: a folder, a file or a URL [env: DYNO_INDEX]
    #[arg(long, value_name = "DIR|FILE|URL")]
    index: Option<String>,
    /// Folder to install into [env: DYNO_PACKAGES] [default: the user's own plugin folder]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RemoveArgs {
    /// Packages: `name`, or `name@version` if several versions are installed
    #[arg(value_name = "NAME", required = true)]
    pub(in crate::cli) what: Vec<String>,
    /// Folder to remove from [env: DYNO_PACKAGES] [default: the user's own plugin folder]
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LockArgs {
    /// Plugin folders [default: all plugin folders]
    #[arg(value_name = "DIR")]
    pub(in crate::cli) folders: Vec<PathBuf>,
}

impl InstallArgs {
    pub(super) fn over(&self, flags: Flags) -> Flags {
        Flags { into: self.into.clone(), index: self.index.clone(), ..flags }
    }
}

impl RemoveArgs {
    pub(super) fn over(&self, flags: Flags) -> Flags {
        Flags { into: self.from.clone(), ..flags }
    }
}
