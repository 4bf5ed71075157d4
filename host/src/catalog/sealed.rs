//! Verified bytes in sealed memory, which nobody can change any more: workers copy them without hashing them again.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::Write,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    sync::Arc,
};

use dyno_core::{binary, protocol::Library};
use nix::{
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::memfd::{MFdFlags, memfd_create},
};

use super::entry::hash;

/// Most that is kept in memory of a plugin and its libraries together [bytes].
const MAX_BYTES: u64 = 64 << 20;
/// A comparison has two sides.
const KEPT: usize = 2;

/// A plugin in sealed memory, and the libraries that it brings along, as far as there is room.
#[derive(Debug)]
pub struct Sealed {
    plugin: Arc<SealedBytes>,
    /// In the order in which the plugin brings them along.
    libraries: Vec<Option<Arc<SealedBytes>>>,
}

impl Sealed {
    /// Where processes of this user can open the plugin, for as long as this exists.
    #[must_use]
    pub fn plugin(&self) -> PathBuf {
        self.plugin.path()
    }

    /// The same for each of its libraries.
    pub fn libraries(&self) -> impl Iterator<Item = Option<PathBuf>> {
        self.libraries.iter().map(|library| library.as_ref().map(|bytes| bytes.path()))
    }

    fn is_of(&self, sha256: &str, libraries: &[Library]) -> bool {
        self.plugin.sha256 == sha256
            && self.libraries.len() == libraries.len()
            && self
                .libraries
                .iter()
                .zip(libraries)
                .all(|(sealed, library)| sealed.as_ref().is_none_or(|sealed| sealed.sha256 == library.sha256))
    }
}

/// The bytes of one file. They stay what they were when their hash was checked: the kernel refuses every change.
#[derive(Debug)]
struct SealedBytes {
    memory: File,
    sha256: String,
}

impl SealedBytes {
    /// `None` where the kernel refuses sealed memory, where the file does not fit into the `room`, and where something is wrong with
    /// it: the worker then reads the file itself, and says what is wrong.
    fn of(path: &Path, sha256: &str, room: &mut u64, is_fit: fn(&[u8]) -> bool) -> Option<Arc<Self>> {
        let left = room.checked_sub(fs::metadata(path).ok()?.len())?;
        let bytes = fs::read(path).ok()?;
        let sealed = (hash(&bytes) == sha256 && is_fit(&bytes)).then(|| Self::seal(&bytes, sha256))??;
        *room = left;
        Some(Arc::new(sealed))
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

    /// As long as that of any other file: the length of a text decides where a worker's later allocations lie, and the two sides of a
    /// comparison must not differ in that.
    fn path(&self) -> PathBuf {
        // More slashes than one are as good as one.
        format!("/proc/{}/fd{:/>11}", std::process::id(), self.memory.as_raw_fd()).into()
    }
}

/// The plugins that were sealed last.
#[derive(Debug, Default)]
pub(super) struct SealedRecently(VecDeque<Arc<Sealed>>);

impl SealedRecently {
    /// The sealed bytes of a plugin in the store, and of its libraries there; `None` where the plugin cannot be sealed.
    pub(super) fn find_or_seal(
        &mut self,
        path: &Path,
        sha256: &str,
        libraries: &[Library],
    ) -> Option<Arc<Sealed>> {
        if let Some(known) = self.0.iter().find(|known| known.is_of(sha256, libraries)) {
            return Some(Arc::clone(known));
        }
        let mut room = MAX_BYTES;
        let plugin = SealedBytes::of(path, sha256, &mut room, |bytes| binary::check(bytes).is_ok())?;
        let library = |library: &Library| {
            // The other side of a comparison mostly brings the same.
            let mut known = self.0.iter().flat_map(|known| known.libraries.iter().flatten());
            let known = known.find(|known| known.sha256 == library.sha256).cloned();
            known.or_else(|| SealedBytes::of(&library.path, &library.sha256, &mut room, |_| true))
        };
        let libraries = libraries.iter().map(library).collect();
        let sealed = Arc::new(Sealed { plugin, libraries });
        self.0.truncate(KEPT - 1);
        self.0.push_front(Arc::clone(&sealed));
        Some(sealed)
    }
}

#[cfg(test)]
mod tests {
    use dyno_plugin_api::descriptor::{Descriptor, SCHEMA};

    use super::*;

    /// A component that is nothing but its descriptor.
    fn plugin(id: &str) -> Vec<u8> {
        let descriptor = serde_json::json!({
            "schema": SCHEMA, "plugin": {"id": id, "version": "1.0.0"},
            "abi": {"kind": "wasm", "version": 1}, "benchmarks": [{"name": "b", "hardware": ["cpu"]}],
        });
        let descriptor = Descriptor::from_json(descriptor.to_string().as_bytes()).unwrap();
        binary::with_descriptor(b"\0asm\x0d\0\x01\0", &descriptor).unwrap()
    }

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
        let sealed = |path: &Path, text: &[u8]| {
            SealedRecently::default().find_or_seal(path, &hash(text), &[]).is_some()
        };
        assert!(!sealed(file.path(), b"other bytes") && !sealed(file.path(), b"no plugin"));
        assert!(!sealed(Path::new("/nowhere"), b""));
    }

    #[test]
    fn what_does_not_fit_is_not_kept_in_memory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "0123456789").unwrap();
        let mut room = 25;
        let mut fits = || SealedBytes::of(file.path(), &hash(b"0123456789"), &mut room, |_| true).is_some();
        assert!(fits() && fits() && !fits());
        assert_eq!(room, 5);
    }

    #[test]
    fn both_sides_of_a_comparison_are_kept_with_their_libraries_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            (path, hash(bytes))
        };
        let libraries = ["one", "two"].map(|name| {
            let (path, sha256) = file(name, name.as_bytes());
            Library { name: name.to_owned(), path, sealed: None, sha256 }
        });
        let plugins = ["a", "b", "c"].map(|name| file(name, &plugin(name)));
        let mut recent = SealedRecently::default();
        let mut sealed = |(path, sha256): &(PathBuf, String), libraries: &[Library]| {
            recent.find_or_seal(path, sha256, libraries).unwrap()
        };
        let [a, b] = [&plugins[0], &plugins[1]].map(|plugin| sealed(plugin, &libraries));
        let texts = a.libraries().map(|path| fs::read_to_string(path.unwrap()).unwrap());
        assert_eq!(texts.collect::<Vec<_>>(), ["one", "two"]);
        assert!(a.libraries().eq(b.libraries()), "one copy is enough");
        assert!(Arc::ptr_eq(&a, &sealed(&plugins[0], &libraries)));
        assert!(
            !Arc::ptr_eq(&a, &sealed(&plugins[0], &libraries[..1])),
            "others may lie beside the same plugin"
        );
        sealed(&plugins[2], &[]);
        assert!(!Arc::ptr_eq(&b, &sealed(&plugins[1], &libraries)), "of three, the oldest is gone");
    }
}
