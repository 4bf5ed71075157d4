//! Why a package cannot be made, installed or found.

use crate::fault::HostFault;

/// Why a package cannot be made, installed or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// A package is not good, or does not fit here.
    #[error("the package `{package}` {why}")]
    Package {
        /// Where it is, or its name.
        package: String,
        /// The rest of the sentence.
        why: String,
    },
    /// A package cannot be made of what was named.
    #[error("{0}")]
    Pack(String),
    /// A lock file or an index cannot be used.
    #[error("the {what} `{place}` {why}")]
    Document {
        /// What it is. // eg: "index"
        what: &'static str,
        /// Where it is.
        place: String,
        /// The rest of the sentence.
        why: String,
    },
    /// What was asked for is not there, or is there already.
    #[error("{0}")]
    Name(String),
    /// A server gave no answer that could be used.
    #[error("cannot download `{url}`: {why}")]
    Download {
        /// The URL.
        url: String,
        /// The reason.
        why: String,
    },
    /// The host lacks a resource, or a folder cannot be used.
    #[error(transparent)]
    Host(#[from] HostFault),
}

impl PackageError {
    pub(super) fn package(package: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Package { package: package.into(), why: why.into() }
    }

    /// Whether the user can correct it; otherwise the host, the disk or the network is at fault.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Host(_) | Self::Download { .. })
    }
}
