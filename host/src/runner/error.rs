//! Why a run cannot go on.

use crate::{fault::HostFault, lease::LeaseError, store::StoreError};

/// Why a run could not go on. Failures of plugins are not among these: they are results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The device cannot be leased.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// A resource of the host ran out, or a folder of it cannot be used.
    #[error(transparent)]
    Host(#[from] HostFault),
}
