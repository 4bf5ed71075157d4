//! What a component imports, for those who want to know before it is loaded.

use std::path::Path;

use dyno_core::binary;

use super::{entry::Problem, read_bytes_of};

/// The names of what the component in a file imports; none of a native plugin.
///
/// # Errors
/// When the file cannot be read, or is broken.
pub fn imports_of(path: &Path) -> Result<Vec<String>, Problem> {
    binary::imports(&read_bytes_of(path)?).map_err(|message| Problem::error(path, message))
}
