//! Errors that keep the server from starting, or end it.

use std::io;

use crate::{access::AccessError, app::AppError};

/// Why the server did not start, or had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The settings are unsafe or contradict each other.
    #[error("{0}")]
    Settings(String),
    /// The address is taken or not allowed.
    #[error("cannot listen on {address}: {source}; give another {flags}")]
    Listen {
        /// Host and port.
        address: String,
        /// The flags that they come from.
        flags: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The database cannot be opened, or another use case failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// The token file cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A system call failed.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

pub(super) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> ServeError {
    let what = what.into();
    move |source| ServeError::System { what, source }
}
