//! Why the store of verified bytes, or the cache around it, cannot be used.

use std::path::PathBuf;

use super::entry::{Problem, Unread};
use crate::fault::HostFault;

/// Why bytes cannot be admitted, or the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentStoreError {
    /// The folder is not safe.
    #[error("the folder `{}` for {content} {why}; make it yours alone (`chmod 700`), or give another cache with DYNO_CACHE", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is in it.
        content: &'static str,
        /// The reason.
        why: String,
    },
    /// The cache is to be cleared while a run or a server that watches its plugins uses it.
    #[error("the cache `{}` is in use by a run, or by a server with --watch; clear it when neither is going on", .0.display())]
    InUse(PathBuf),
    /// The plugin is not what was scanned.
    #[error("the plugin `{}` changed since it was scanned; run again to take its new version", .0.display())]
    Changed(PathBuf),
    /// The plugin, or a library that it brings along, cannot be used.
    #[error("the file `{}` {}", .0.path.display(), .0.message)]
    Unusable(Problem),
    /// A library that the plugin brings along is not admitted by the trust store.
    #[error("the library `{}`, which the plugin brings along, {why}", path.display())]
    Library {
        /// The library.
        path: PathBuf,
        /// The rest of the sentence.
        why: String,
    },
    /// The host lacks space or another resource to read or store it. This says nothing about the plugin.
    #[error(transparent)]
    Host(#[from] HostFault),
}

impl From<Unread> for ContentStoreError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Host(fault) => Self::Host(fault),
            Unread::Problem(problem) => Self::Unusable(problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_is_a_sentence_about_it() {
        let problem = Problem::error(Path::new("/p/libx.so"), "is not a regular file");
        let error = ContentStoreError::from(Unread::Problem(problem));
        assert_eq!(error.to_string(), "the file `/p/libx.so` is not a regular file");
    }
}
