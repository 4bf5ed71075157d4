//! Verified bytes in sealed memory, which nobody can change any more: workers copy them without hashing them again.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::Write,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    sync::Arc,
};

use dyno_core::binary;
use nix::{
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::memfd::{MFdFlags, memfd_create},
};

use super::entry::hash;

/// Longest file that is kept in memory [bytes].
const MAX_BYTES: u64 = 64 << 20;
/// A comparison has two sides.
const KEPT: usize = 2;

/// The bytes of one plugin. They stay what they were when their hash was checked: the kernel refuses every change.
#[derive(Debug)]
pub struct SealedBytes {
    memory: File,
    sha256: String,
}

impl SealedBytes {
    /// `None` where the kernel refuses sealed memory, where the file is too long for it, and where something is wrong with
    /// the file: the worker then reads the file itself, and says what is wrong.
    fn of(path: &Path, sha256: &str) -> Option<Self> {
        if fs::metadata(path).ok()?.len() > MAX_BYTES {
            return None;
        }
        let bytes = fs::read(path).ok()?;
        let is_fit = hash(&bytes) == sha256 && binary::check(&bytes).is_ok();
        is_fit.then(|| Self::seal(&bytes, sha256))?
    }

    fn seal(bytes: &[u8], sha256: &str) -> Option<Self> {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let mut memory = File::from(memfd_create("dyno-verified", flags).ok()?);
        memory.write_all(bytes).ok()?;
        let seals =
            SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
        fcntl(&memory, FcntlArg::F_ADD_SEALS(seals)).ok()?;
        Some(Self { memory, sha256: sha256.to_owned() })
    }

    /// Where processes of this user can open it, for as long as it exists. As long as that of any other plugin: the length of
    /// a text decides where a worker's later allocations lie, and the two sides of a comparison must not differ in that.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        // More slashes than one are as good as one.
        format!("/proc/{}/fd{:/>11}", std::process::id(), self.memory.as_raw_fd()).into()
    }
}

/// The plugins that were sealed last.
#[derive(Debug, Default)]
pub(super) struct SealedRecently(VecDeque<Arc<SealedBytes>>);

impl SealedRecently {
    /// The sealed bytes of a file in the store; `None` where it cannot be sealed.
    pub(super) fn find_or_seal(&mut self, path: &Path, sha256: &str) -> Option<Arc<SealedBytes>> {
        self.find(sha256).or_else(|| {
            let sealed = Arc::new(SealedBytes::of(path, sha256)?);
            self.keep(Arc::clone(&sealed));
            Some(sealed)
        })
    }

    fn find(&self, sha256: &str) -> Option<Arc<SealedBytes>> {
        self.0.iter().find(|known| known.sha256 == sha256).cloned()
    }

    fn keep(&mut self, sealed: Arc<SealedBytes>) {
        self.0.truncate(KEPT - 1);
        self.0.push_front(sealed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_are_found_by_their_path_and_cannot_be_changed() {
        let sealed = SealedBytes::seal(b"abc", "hash of abc").unwrap();
        assert_eq!(fs::read(sealed.path()).unwrap(), b"abc");
        let other = SealedBytes::seal(b"other", "hash of other").unwrap();
        assert_eq!(sealed.path().as_os_str().len(), other.path().as_os_str().len());
        assert!(fs::write(sealed.path(), b"x").is_err());
        assert_eq!(fs::read(sealed.path()).unwrap(), b"abc");
    }

    #[test]
    fn what_the_worker_has_to_refuse_is_not_sealed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "no plugin").unwrap();
        assert!(SealedBytes::of(file.path(), &hash(b"other bytes")).is_none());
        assert!(SealedBytes::of(file.path(), &hash(b"no plugin")).is_none());
        assert!(SealedBytes::of(Path::new("/nowhere"), &hash(b"")).is_none());
    }

    #[test]
    fn both_sides_of_a_comparison_are_kept_and_no_more() {
        let mut recent = SealedRecently::default();
        for name in ["one", "two", "three"] {
            recent.keep(Arc::new(SealedBytes::seal(name.as_bytes(), name).unwrap()));
        }
        let found = |name| recent.find(name).map(|sealed| fs::read(sealed.path()).unwrap());
        assert_eq!(found("three"), Some(b"three".to_vec()));
        assert_eq!(found("two"), Some(b"two".to_vec()));
        assert_eq!(found("one"), None);
    }
}
