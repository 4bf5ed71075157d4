//! The content-addressed store: verified bytes of plugins, each file named by its hash. What runs comes from here, so
//! that a file which is rewritten after it was scanned never runs as what it was.

use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    io,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use dyno_core::protocol;

use super::{
    entry::{hash, read_bytes},
    error::ContentStoreError,
    libraries::{Libraries, Library},
    own_folder::own_folder,
    sealed::{Sealed, SealedRecently},
    upkeep::touch,
    vouched::library_refusal,
};
use crate::{
    fault::{HostFault, Place},
    trust::TrustStore,
};

/// Longest wait for a cache that is being cleared.
const CLEARING: Duration = Duration::from_secs(5);

/// Maximum number of plugins of which the libraries are remembered: a server sees many versions in months.
const MAX_KNOWN: usize = 1_024;

/// Verified bytes, as they are handed to workers.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Their file in the store, which a worker verifies again if it has to read it.
    pub path: PathBuf,
    /// The same in memory, with the libraries; `None` where they cannot be sealed.
    pub sealed: Option<Arc<Sealed>>,
    /// What the plugin needs apart from the system's libraries.
    pub libraries: Arc<Stored>,
}

/// The libraries that a plugin brings along, in the store.
#[derive(Debug, Default)]
pub struct Stored {
    /// The libraries, each after those that it needs itself.
    pub brought: Vec<protocol::Library>,
    /// Names of those that were not found.
    pub missing: Vec<String>,
}

/// A folder of verified bytes that only this user can change.
#[derive(Debug)]
pub struct ContentStore {
    folder: PathBuf,
    /// What the libraries need that a plugin brings along. The plugin itself was admitted by the catalog.
    trust: TrustStore,
    recent: Mutex<SealedRecently>,
    /// The libraries of each plugin, by its path and hash. They stay what they were when it was admitted first.
    libraries: Mutex<HashMap<(PathBuf, String), Arc<Stored>>>,
    /// Keeps the cache from being cleared meanwhile, where the file system has locks.
    _in_use: Option<File>,
}

impl ContentStore {
    /// Opens the store, and creates its folder if there is none.
    ///
    /// # Errors
    /// When another user could change its contents.
    pub fn open(folder: &Path, trust: &TrustStore) -> Result<Self, ContentStoreError> {
        own_folder(folder, "verified plugins")?;
        let in_use = used(folder).map_err(|error| {
            let doing = format!("cannot use the folder `{}` for verified plugins", folder.display());
            HostFault::new(doing, &error, Place::Cache)
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            trust: trust.clone(),
            recent: Mutex::default(),
            libraries: Mutex::default(),
            _in_use: in_use,
        })
    }

    /// The bytes with that hash, which are first copied from `path` if the store does not have them.
    ///
    /// # Errors
    /// When the file has changed, or cannot be copied.
    pub fn admit(&self, path: &Path, sha256: &str) -> Result<Verified, ContentStoreError> {
        let mut verified = self.admit_unsealed(path, sha256)?;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        verified.sealed = recent.find_or_seal(&verified.path, sha256, &verified.libraries.brought);
        Ok(verified)
    }

    /// The same, but not in memory: for one worker, which reads the file once.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub fn admit_unsealed(&self, path: &Path, sha256: &str) -> Result<Verified, ContentStoreError> {
        let stored = self.keep(path, sha256)?;
        let libraries = self.libraries(path, &stored, sha256)?;
        Ok(Verified { path: stored, sealed: None, libraries })
    }

    /// The libraries that a plugin brings along, which are copied as well.
    fn libraries(
        &self,
        plugin: &Path,
        stored: &Path,
        sha256: &str,
    ) -> Result<Arc<Stored>, ContentStoreError> {
        let key = (plugin.to_owned(), sha256.to_owned());
        let known = self.libraries.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        // The cache may have been cleared since.
        if let Some(known) = known.filter(|known| known.brought.iter().all(|library| library.path.is_file()))
        {
            known.brought.iter().for_each(|library| touch(&library.path));
            return Ok(known);
        }
        let Libraries { brought, missing } = Libraries::found(plugin, &read_bytes(stored)?, &[])?;
        let admit = |library: Library| {
            let bytes = read_bytes(&library.path)?;
            let sha256 = hash(&bytes);
            if let Some(why) = library_refusal(&library.path, &bytes, &sha256, &self.trust)? {
                return Err(ContentStoreError::Library { path: library.path, why });
            }
            let path = self.keep(&library.path, &sha256)?;
            Ok(protocol::Library { name: library.name, path, sealed: None, sha256 })
        };
        let brought = brought.into_iter().map(admit).collect::<Result<_, ContentStoreError>>()?;
        let found = Arc::new(Stored { brought, missing });
        let mut known = self.libraries.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(key, Arc::clone(&found));
        Ok(found)
    }

    /// The file of the bytes with that hash in the store. It counts as used now.
    fn keep(&self, path: &Path, sha256: &str) -> Result<PathBuf, ContentStoreError> {
        let place = self.folder.join(sha256);
        if place.is_file() {
            touch(&place);
            return Ok(place);
        }
        let bytes = read_bytes(path)?;
        if hash(&bytes) != sha256 {
            return Err(ContentStoreError::Changed(path.to_owned()));
        }
        let write = || -> io::Result<()> {
            let mut partial = tempfile::NamedTempFile::new_in(&self.folder)?;
            partial.write_all(&bytes)?;
            partial.as_file().set_permissions(fs::Permissions::from_mode(0o400))?;
            partial.persist(&place)?;
            Ok(())
        };
        write().map_err(|error| {
            let doing = format!("cannot copy the plugin `{}` to `{}`", path.display(), self.folder.display());
            HostFault::new(doing, &error, Place::Cache)
        })?;
        Ok(place)
    }
}

/// A lock that others may share, but not one who clears the cache.
fn used(folder: &Path) -> io::Result<Option<File>> {
    let lock = File::open(folder)?;
    let deadline = Instant::now() + CLEARING;
    loop {
        match lock.try_lock_shared() {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(5));
            }
            // What is cleared under a run is copied again for its next launch.
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_stored_under_their_hash_and_a_changed_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = ContentStore::open(&folder.path().join("store"), &TrustStore::default()).unwrap();
        let plugin = folder.path().join("p.so");
        fs::write(&plugin, b"one").unwrap();
        let one = hash(b"one");
        let place = store.admit(&plugin, &one).unwrap();
        assert_eq!(fs::read(&place.path).unwrap(), b"one");
        fs::write(&plugin, b"two").unwrap();
        assert_eq!(store.admit(&plugin, &one).unwrap().path, place.path, "what is stored stays");
        assert!(matches!(store.admit(&plugin, &hash(b"three")), Err(ContentStoreError::Changed(_))));
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let message = ContentStore::open(&open, &TrustStore::default()).unwrap_err().to_string();
        assert!(message.contains("written by others") && message.contains("chmod 700"), "{message}");
    }
}
