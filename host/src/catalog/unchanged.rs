//! Whether plugin files are still what they were when a comparison began. What is measured are stored bytes, which cannot
//! change; but a verdict on a file that was rebuilt meanwhile would be taken for one on the new build.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    ContentStoreError,
    entry::{Stamp, hash, read_bytes},
};

/// Files that were found to be what they were, and how the file system described them then.
#[derive(Debug, Default)]
pub struct Unchanged {
    known: HashMap<PathBuf, Stamp>,
}

impl Unchanged {
    /// Checks that the file still has the bytes with this hash. Reads it the first time, and whenever its metadata changed.
    ///
    /// # Errors
    /// When it has other bytes, is gone, or cannot be read.
    pub fn check(&mut self, path: &Path, sha256: &str) -> Result<(), ContentStoreError> {
        let stamp = fs::metadata(path).ok().map(|about| Stamp::of(&about));
        if stamp.is_some() && self.known.get(path) == stamp.as_ref() {
            return Ok(());
        }
        if hash(&read_bytes(path)?) != sha256 {
            return Err(ContentStoreError::Changed(path.to_owned()));
        }
        if let Some(stamp) = stamp {
            self.known.insert(path.to_owned(), stamp);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_rebuilt_touched_or_gone_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let plugin = folder.path().join("p.so");
        let write = |bytes: &[u8]| {
            // As linkers do: a new file takes the place of the old one.
            fs::write(plugin.with_extension("new"), bytes).unwrap();
            fs::rename(plugin.with_extension("new"), &plugin).unwrap();
        };
        write(b"one");
        let one = hash(b"one");
        let mut unchanged = Unchanged::default();
        unchanged.check(&plugin, &one).unwrap();
        unchanged.check(&plugin, &one).unwrap();
        write(b"one");
        unchanged.check(&plugin, &one).unwrap();
        write(b"two");
        assert!(
            matches!(unchanged.check(&plugin, &one), Err(ContentStoreError::Changed(path)) if path == plugin)
        );
        fs::write(&plugin, b"one").unwrap();
        unchanged.check(&plugin, &one).unwrap();
        fs::remove_file(&plugin).unwrap();
        assert!(matches!(unchanged.check(&plugin, &one), Err(ContentStoreError::Unusable(_))));
    }
}
