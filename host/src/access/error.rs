//! Why a token file cannot be used or changed.

use std::path::{Path, PathBuf};

use crate::fault::HostFault;

/// Why a token file cannot be used or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The user can correct it.
    #[error("the token file `{}` {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The rest of the sentence.
        why: String,
    },
    /// The host lacks a resource.
    #[error(transparent)]
    Host(#[from] HostFault),
}

impl AccessError {
    pub(super) fn file(path: &Path, why: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), why: why.into() }
    }

    /// Whether the user can correct it; otherwise the host is at fault.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}
