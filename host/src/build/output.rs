//! The folder below that of the sources that dyno writes to.

use std::{fs, io, path::Path};

use super::error::BuildError;
use crate::fault::{HostFault, Place};

/// Its name.
pub(super) const NAME: &str = "build";

/// Makes the folder that dyno writes to. Version control ignores it.
pub(super) fn make(output: &Path) -> Result<(), BuildError> {
    let refused = |error: io::Error| {
        HostFault::new(format!("cannot make the folder `{}`", output.display()), &error, Place::Named)
    };
    fs::create_dir_all(output).map_err(refused)?;
    let ignored = output.join(".gitignore");
    if !ignored.exists() {
        fs::write(ignored, "*\n").map_err(refused)?;
    }
    Ok(())
}
