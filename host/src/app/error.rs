//! Why a use case could not be carried out.

use std::{io, path::PathBuf};

use crate::{
    access::AccessError,
    catalog::{ContentStoreError, Problem},
    client::ServerError,
    config::ConfigError,
    devices,
    fault::{HostFault, Resource},
    lease::LeaseError,
    packages::PackageError,
    runner::{ExpandError, RunError},
    store::{BackupFault, SqlError, StoreError},
    trust::KeyError,
};

/// Why a use case could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The request cannot be met; the user can correct it.
    #[error(transparent)]
    Request(#[from] ExpandError),
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run could not go on.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The files of leases cannot be used.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The device is not known.
    #[error(transparent)]
    Device(#[from] devices::UnknownDevice),
    /// The folder of verified bytes cannot be used.
    #[error(transparent)]
    Content(#[from] ContentStoreError),
    /// There is no database yet.
    #[error("there is no database `{}`; run a benchmark first, or give --db-path", .0.display())]
    NoDatabase(PathBuf),
    /// A system call failed.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A resource of the host ran out, or a folder of it cannot be used.
    #[error(transparent)]
    Host(#[from] HostFault),
    /// A setting of the request is out of bounds.
    #[error("{0}")]
    Settings(String),
    /// A setting is missing.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A requested processor cannot be measured.
    #[error(transparent)]
    Cpus(#[from] devices::BadCpus),
    /// A side of a comparison is not there.
    #[error("{0}")]
    Side(String),
    /// SQL was refused.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// A plugin was switched off by the operator.
    #[error("the plugin `{0}` is switched off on this server; an operator can switch it on again")]
    PluginOff(String),
    /// The status of the run does not allow this.
    #[error("run `{run}` is {status}; {hint}")]
    State {
        /// The run.
        run: String,
        /// Its status.
        status: &'static str,
        /// What can be done.
        hint: String,
    },
    /// A plugin file that was named cannot be used.
    #[error("{0}")]
    File(Problem),
    /// The plugin file is not in the server's own folders.
    #[error(
        "`{}` cannot be run through the server {server}, which runs the plugins in its own folders; copy the file into one of \
         them, or run it here with another database: --db-path FILE", file.display()
    )]
    NotThere {
        /// The file.
        file: PathBuf,
        /// Address of the server.
        server: String,
    },
    /// The server that owns the database refused, or cannot be reached.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A package cannot be made, installed or found.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A key cannot be made or used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The token file cannot be used or changed.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// No setting names a token file.
    #[error(
        "no token file is named; give --token-file FILE, or set `token-file` in dyno.toml, so that `dyno serve` uses the same"
    )]
    NoTokenFile,
    /// A file that was named must not be written.
    #[error("`{}` {why}", file.display())]
    Target {
        /// The file.
        file: PathBuf,
        /// Why, and what to do.
        why: &'static str,
    },
    /// A copy of the database was made, and cannot be read.
    #[error("the copy of the database is not usable, so nothing was saved: {0}; keep your earlier backups")]
    Unsaved(BackupFault),
    /// It changes files of this machine.
    #[error(
        "{what} where the database is, not through the server {server}: end the server there, and call `dyno` there without --server and DYNO_SERVER"
    )]
    NotThroughServer {
        /// What was asked for.
        what: &'static str,
        /// Address of the server.
        server: String,
    },
    /// The user cancelled before anything started.
    #[error("cancelled")]
    Cancelled,
}

impl AppError {
    /// The resource that ran out, if that is the cause.
    #[must_use]
    pub fn resource(&self) -> Option<Resource> {
        match self {
            Self::Store(error) | Self::Run(RunError::Store(error)) => error.resource(),
            Self::Host(fault)
            | Self::Package(PackageError::Host(fault))
            | Self::Key(KeyError::Host(fault))
            | Self::Access(AccessError::Host(fault))
            | Self::Run(RunError::Host(fault))
            | Self::Content(ContentStoreError::Host(fault)) => Some(fault.resource()),
            Self::System { source, .. } => Some(Resource::of(source)),
            _ => None,
        }
    }

    /// Whether the request is at fault; otherwise the host is.
    pub(super) fn is_of_the_request(&self) -> bool {
        match self {
            Self::Request(_)
            | Self::Device(_)
            | Self::Settings(_)
            | Self::Cpus(_)
            | Self::Side(_)
            | Self::File(_)
            | Self::NotThere { .. }
            | Self::Target { .. }
            | Self::NotThroughServer { .. }
            | Self::PluginOff(_) => true,
            Self::Store(_)
            | Self::Run(_)
            | Self::Lease(_)
            | Self::Content(_)
            | Self::NoDatabase(_)
            | Self::System { .. }
            | Self::Host(_)
            | Self::Config(_)
            | Self::Sql(_)
            | Self::State { .. }
            | Self::Server(_)
            | Self::Package(_)
            | Self::Key(_)
            | Self::Access(_)
            | Self::NoTokenFile
            | Self::Unsaved(_)
            | Self::Cancelled => false,
        }
    }
}
