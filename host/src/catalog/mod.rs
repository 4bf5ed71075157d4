//! Which plugin files there are and what they say about themselves. Reads bytes; runs nothing.

mod builds;
mod cache;
mod changes;
mod content_store;
mod entry;
mod error;
pub(crate) mod glob;
mod imports;
mod libraries;
mod locks;
mod own_folder;
mod read;
mod rejected;
mod resolve;
mod scan;
mod scan_format;
mod sealed;
mod unchanged;
mod upkeep;
mod versions;
mod vouched;
mod voucher_files;

pub use changes::{Bell, Changes};
pub use content_store::{ContentStore, Stored, Verified};
pub use entry::{Entry, Problem, Severity, Stamp, hash, read_bytes_of};
pub use error::ContentStoreError;
pub use imports::imports_of;
pub use libraries::{Libraries, Library};
pub(crate) use own_folder::own_folder;
pub use read::{admitted_file, read_file, signature_of_file};
pub use resolve::{ResolveError, Resolved, meant};
pub use scan::{Catalog, is_plugin_path};
pub use unchanged::Unchanged;
pub use upkeep::{CachePart, CacheUse, PartUse, cache_use, clear_cache, prune_cache};
pub use versions::{Candidate, Looked, Trial, Versions};
pub(crate) use vouched::read_signature;
pub(crate) use voucher_files::{
    LOCK, MAX_LOCK_BYTES, MAX_MANIFEST_BYTES, PACKAGE_MANIFEST, PACKAGE_SIGNATURE,
};
