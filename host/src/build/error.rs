//! Why a folder was not built, and what its author can do.

use std::{io, path::PathBuf, time::Duration};

use dyno_core::model::{Exit, PluginKind};

use crate::{fault::HostFault, packages::PackageError};

/// Why there is no plugin file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no such folder.
    #[error("`{}` cannot be built: {source}", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// Nothing in the folder says how to build it.
    #[error(
        "`{}` does not say how to build it: it has no `plugin.toml`, no `Cargo.toml`, and no source in C, C++, CUDA, JavaScript or Python; \
         `dyno new NAME --lang rust` writes a folder that builds",
        .0.display()
    )]
    NoToolchain(PathBuf),
    /// What the folder says cannot be carried out.
    #[error("`{}` {why}", file.display())]
    Declaration {
        /// The file that says so.
        file: PathBuf,
        /// What is wrong with it, and what to write instead.
        why: String,
    },
    /// The program that builds is not installed.
    #[error("`{tool}` is not installed, which builds {what}; {remedy}")]
    NoTool {
        /// The program.
        tool: String,
        /// What it would build.
        what: String,
        /// The command that installs it.
        remedy: String,
    },
    /// The tool said what is wrong with the sources.
    #[error("the build failed: `{tool}` ended with {exit}")]
    Failed {
        /// The program.
        tool: String,
        /// Its end.
        exit: Exit,
    },
    /// The build takes too long, or has no end.
    #[error(
        "the build took longer than {} s and was ended: `{tool}` was running; --build-timeout gives it more time",
        patience.as_secs_f64()
    )]
    TimedOut {
        /// The program.
        tool: String,
        /// Longest time.
        patience: Duration,
    },
    /// The user gave up.
    #[error("the build was cancelled")]
    Cancelled,
    /// A tool did something else that it should not.
    #[error("the build failed: `{tool}`: {why}")]
    Tool {
        /// The program.
        tool: String,
        /// What it did.
        why: String,
    },
    /// The tool ended well, but made nothing that is asked for.
    #[error("the build made no {kind} plugin: {why}")]
    Nothing {
        /// What was asked for.
        kind: PluginKind,
        /// What is missing, and what to write.
        why: String,
    },
    /// What was made is not a plugin.
    #[error("`{}` was built, but {why}", file.display())]
    NotAPlugin {
        /// The file.
        file: PathBuf,
        /// Why not, and the next step.
        why: String,
    },
    /// The descriptor beside the sources is not good.
    #[error(transparent)]
    Descriptor(#[from] PackageError),
    /// The host could not do its part.
    #[error(transparent)]
    Host(#[from] HostFault),
}
