//! Why a lease cannot be obtained, as sentences.

use std::{io, path::PathBuf, time::Duration};

use crate::fault::{HostFault, Place};

/// Why a lease cannot be obtained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The folder cannot be used.
    #[error("the folder `{}` for leases {why}; remove it, or give another with DYNO_LEASES", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// A file of the lease cannot be used.
    #[error("{}", HostFault::new(format!("cannot lock the files that lease `{device}` in `{}`", folder.display()), source, Place::Leases))]
    File {
        /// The device.
        device: String,
        /// The folder of its files.
        folder: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The wait exceeded its limit.
    #[error("waited {} s for `{device}`, which is leased by {holder}; wait longer with --lease-timeout", patience.as_secs_f64())]
    TimedOut {
        /// The device.
        device: String,
        /// The limit.
        patience: Duration,
        /// The process that holds it.
        holder: String,
    },
}
