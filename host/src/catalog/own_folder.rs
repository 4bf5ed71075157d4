//! Folders of the cache whose contents are run: nobody else may write to them.

use std::{fs, os::unix::fs::DirBuilderExt, path::Path};

use super::error::ContentStoreError;
use crate::{
    fault::{HostFault, Place},
    ownership::check_ours,
};

/// Makes a folder that only this user can enter, if there is none. `content`: what it is for.
///
/// # Errors
/// When it cannot be made, or another user could change what is in it.
pub(crate) fn own_folder(folder: &Path, content: &'static str) -> Result<(), ContentStoreError> {
    let refused = |why: String| ContentStoreError::Folder { path: folder.to_owned(), content, why };
    let made =
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).and_then(|()| fs::metadata(folder));
    let about = made.map_err(|error| {
        let doing = format!("cannot make the folder `{}` for {content}", folder.display());
        HostFault::new(doing, &error, Place::Cache)
    })?;
    check_ours(&about).map_err(refused)
}
