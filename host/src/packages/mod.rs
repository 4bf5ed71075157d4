//! Packages: one archive with a plugin for several machines, and what it needs. How one is made, installed and found. Reads
//! plugins as bytes; runs nothing.

mod archive;
mod descriptor;
mod error;
mod fetch;
mod folder;
mod index;
mod lock;
mod loose;
mod pack;
mod signed;

pub(crate) use archive::Archive;
pub(crate) use descriptor::read_descriptor;
pub use error::PackageError;
pub(crate) use fetch::{download, is_url};
pub use folder::{Installed, PackageFolder, Placed, Wholeness};
pub use index::Index;
pub(crate) use index::{packages_in, write_index};
pub use loose::{LockedFolder, lock_folder};
pub use pack::Packed;
pub(crate) use pack::{Source, pack};
pub(crate) use signed::{signature_at, signature_beside, signature_of};

/// How the file of a package is called.
pub(crate) const EXTENSION: &str = "dyno";
