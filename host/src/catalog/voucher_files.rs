//! The files that vouch for plugins: where they are, and how they are read.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    fault::{HostFault, Place, Resource},
    regular_file,
};

/// The manifest of a package: a file of its archive, and of the folder that it is installed in.
pub(crate) const PACKAGE_MANIFEST: &str = "dyno-package.json";
/// The signature of a package, in the folder that it is installed in.
pub(crate) const PACKAGE_SIGNATURE: &str = "dyno-package.minisig";
/// The lock file of a plugin folder.
pub(crate) const LOCK: &str = "dyno-lock.json";
/// Maximum length of a manifest [bytes].
pub(crate) const MAX_MANIFEST_BYTES: u64 = 4 << 20;
/// Maximum length of a lock file [bytes].
pub(crate) const MAX_LOCK_BYTES: u64 = 64 << 20;
/// How deep the files of a package lie in its folder.
const MAX_DEPTH: usize = 3;

/// The folder of the package that a file is installed with.
pub(super) fn package_of(path: &Path) -> Option<PathBuf> {
    let above = path.ancestors().skip(1).take(MAX_DEPTH);
    above.filter(|folder| folder.join(PACKAGE_MANIFEST).is_file()).map(Path::to_owned).next()
}

/// The bytes of a file that vouches for plugins, at most one more than `most`; `None` if there is no such file. If it cannot be read, the
/// rest of a sentence.
///
/// # Errors
/// When the host lacks a resource to read it.
pub(super) fn read_voucher(path: &Path, most: u64) -> Result<Option<Result<Vec<u8>, String>>, HostFault> {
    match read_at_most(path, most) {
        Ok(found) => Ok(found.map(Ok)),
        Err(error) if Resource::of(&error).is_exhausted() => {
            Err(HostFault::new(format!("cannot read `{}`", path.display()), &error, Place::Machine))
        }
        Err(error) => Ok(Some(Err(format!("cannot be read: {error}")))),
    }
}

/// The bytes of a regular file, at most one more than `most`; `None` if there is no such file.
pub(super) fn read_at_most(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    match regular_file::read(path, most) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}
