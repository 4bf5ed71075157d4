//! Why a server did not start, or not go on.

use std::io;

use crate::app::AppError;

/// Why a server did not start, or not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The settings do not allow it.
    #[error("{0}")]
    Settings(String),
    /// It cannot listen there.
    #[error("cannot listen on {address}: {source}; give another --host or --port")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The application refused.
    #[error(transparent)]
    App(#[from] AppError),
    /// Something of the system is not as it must be.
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
