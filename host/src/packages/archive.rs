//! The archive: a tar file, compressed with gzip, so that every system can open it. Its first entry is the manifest, which
//! names the hash of every other; those follow in the order of the manifest. Whatever else is in an archive is refused, so
//! nothing that it names is believed.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufReader, Read, Seek, Write},
    path::Path,
};

use dyno_core::{
    model::{MAX_PACKAGE_BYTES, PackageFile, PackageManifest},
    text::hex,
};
use flate2::{Compression, GzBuilder, read::GzDecoder};
use sha2::{Digest, Sha256};
use tar::{Entry, EntryType, Header};

use super::PackageError;
use crate::{
    catalog::{MAX_MANIFEST_BYTES, PACKAGE_MANIFEST as MANIFEST},
    fault::{HostFault, Place},
    regular_file,
    trust::Prehash,
};

/// The time of every entry: 1 January 1980, the first that every format of archives can express [s since 1970].
const MTIME: u64 = 315_532_800;
/// How much is read at a time [bytes].
const CHUNK: usize = 64 << 10;
/// What may follow the last entry: zeros, which fill up a record of tar [bytes].
const MAX_END: u64 = 64 << 10;

/// Writes an archive. Nothing in it depends on the machine, the user or the time.
///
/// # Errors
/// Those of the writer.
pub(super) fn write(out: impl Write, manifest: &[u8], contents: &[(&str, &[u8])]) -> io::Result<()> {
    // 255: of no system in particular.
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(out, Compression::new(6));
    let mut tar = tar::Builder::new(gzip);
    for (path, bytes) in [(MANIFEST, manifest)].into_iter().chain(contents.iter().copied()) {
        let mut header = Header::new_ustar();
        header.set_path(path)?;
        header.set_size(bytes.len() as u64);
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_mtime(MTIME);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        tar.append(&header, bytes)?;
    }
    tar.into_inner()?.finish()?.flush()
}

/// An archive that is not trusted.
#[derive(Debug)]
pub(crate) struct Archive {
    /// Where it came from, for people.
    pub(crate) label: String,
    /// The same for the lock file: a URL, or an absolute path.
    pub(super) source: String,
    file: File,
}

impl Archive {
    /// The archive in an open file.
    pub(super) fn new(label: impl Into<String>, file: File) -> Self {
        let label = label.into();
        Self { source: label.clone(), label, file }
    }

    /// The archive in a file.
    ///
    /// # Errors
    /// When it cannot be opened, or is not a regular file.
    pub(crate) fn open(path: &Path) -> Result<Self, PackageError> {
        let label = path.display().to_string();
        let refused = |why: String| PackageError::package(label.clone(), why);
        let unread = |error: io::Error| {
            refused(format!("cannot be read: {error}; expected a file made by `dyno pack`"))
        };
        let file = regular_file::open(path).map_err(unread)?;
        let length = file.metadata().map_err(unread)?.len();
        if length > MAX_PACKAGE_BYTES {
            return Err(refused(format!("has {length} bytes; packages have at most {MAX_PACKAGE_BYTES}")));
        }
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self { source: absolute.display().to_string(), label, file })
    }

    fn refused(&self, why: impl Into<String>) -> PackageError {
        PackageError::package(self.label.clone(), why)
    }

    fn damaged(&self, error: &io::Error) -> PackageError {
        self.refused(format!("is damaged or cut off: {error}; get it again"))
    }

    /// SHA-256 of the archive, in hexadecimal, and its length [bytes].
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn hash(&self) -> Result<(String, u64), PackageError> {
        let mut hasher = Hashing::default();
        let mut file = &self.file;
        file.rewind().map_err(|error| self.damaged(&error))?;
        let length = io::copy(&mut file, &mut hasher).map_err(|error| self.damaged(&error))?;
        Ok((hasher.hex(), length))
    }

    /// The hash that its signature is made over.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn prehash(&self) -> Result<Prehash, PackageError> {
        Prehash::of_reader(self.bytes()?).map_err(|error| self.damaged(&error))
    }

    /// Its bytes, from its start.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn bytes(&self) -> Result<&File, PackageError> {
        (&self.file).rewind().map_err(|error| self.damaged(&error))?;
        Ok(&self.file)
    }

    /// What it says that it contains, and the bytes that say so.
    ///
    /// # Errors
    /// When it is not a package.
    pub(crate) fn manifest(&self) -> Result<(PackageManifest, Vec<u8>), PackageError> {
        self.read(false, |manifest, bytes, _| Ok((manifest, bytes)))
    }

    /// Checks all files, and writes those that are wanted into a folder. `known` is the manifest that was read before.
    ///
    /// # Errors
    /// When the archive holds anything but what its manifest says, or a file cannot be written.
    pub(super) fn unpack(
        &self,
        known: &[u8],
        folder: &Path,
        wanted: &BTreeSet<&str>,
    ) -> Result<(), PackageError> {
        self.read(true, |manifest, bytes, entries| {
            if bytes != known {
                return Err(self.refused("changed while it was read; try again when it is complete"));
            }
            for file in &manifest.files {
                let mut entry = entries
                    .next()
                    .ok_or_else(|| {
                        self.refused(format!(
                            "is damaged or cut off: `{}` is missing; get it again",
                            file.path
                        ))
                    })?
                    .map_err(|error| self.damaged(&error))?;
                self.check_entry(&entry, &file.path)?;
                if entry.size() != file.size_bytes {
                    return Err(self.refused(format!(
                        "is not good: `{}` has {} bytes, its manifest says {}",
                        file.path,
                        entry.size(),
                        file.size_bytes
                    )));
                }
                let target = wanted.contains(file.path.as_str()).then(|| folder.join(&file.path));
                self.extract(&mut entry, file, target.as_deref())?;
            }
            match entries.next() {
                None => Ok(()),
                Some(Err(error)) => Err(self.damaged(&error)),
                Some(Ok(entry)) => Err(self.refused(format!(
                    "is not good: it contains `{}`, which its manifest does not name",
                    String::from_utf8_lossy(&entry.path_bytes())
                ))),
            }
        })
    }

    /// Reads the archive from its start, and perhaps to its end; `act` gets the entries after the manifest.
    fn read<T>(
        &self,
        to_its_end: bool,
        act: impl FnOnce(
            PackageManifest,
            Vec<u8>,
            &mut dyn Iterator<Item = io::Result<Entry<'_, Unpacked<'_>>>>,
        ) -> Result<T, PackageError>,
    ) -> Result<T, PackageError> {
        let mut file = &self.file;
        file.rewind().map_err(|error| self.damaged(&error))?;
        let mut archive = tar::Archive::new(GzDecoder::new(BufReader::with_capacity(CHUNK, file)));
        let not_one = |error: &io::Error| {
            self.refused(format!("is not a package: expected a file made by `dyno pack` ({error})"))
        };
        // Raw: an entry that only tells about the next, which could be of any length, is an entry like any other.
        let mut entries = archive.entries().map_err(|error| not_one(&error))?.raw(true);
        let first = entries.next().ok_or_else(|| self.refused("is not a package: it is empty"))?;
        let mut first = first.map_err(|error| not_one(&error))?;
        self.check_entry(&first, MANIFEST)?;
        if first.size() > MAX_MANIFEST_BYTES {
            return Err(self.refused(format!(
                "has a manifest of {} bytes; at most {MAX_MANIFEST_BYTES} are allowed",
                first.size()
            )));
        }
        let mut bytes = Vec::new();
        first.read_to_end(&mut bytes).map_err(|error| self.damaged(&error))?;
        let manifest =
            PackageManifest::from_json(&bytes).map_err(|why| self.refused(format!("{why} ({MANIFEST})")))?;
        let found = act(manifest, bytes, &mut entries)?;
        if to_its_end {
            let mut end = Vec::new();
            // The checksum of gzip is at the very end.
            archive
                .into_inner()
                .take(MAX_END + 1)
                .read_to_end(&mut end)
                .map_err(|error| self.damaged(&error))?;
            if end.len() as u64 > MAX_END || end.iter().any(|byte| *byte != 0) {
                return Err(self.refused("is not good: more follows after its last file"));
            }
        }
        Ok(found)
    }

    fn check_entry(&self, entry: &Entry<'_, Unpacked<'_>>, path: &str) -> Result<(), PackageError> {
        let found = entry.path_bytes();
        let shown = String::from_utf8_lossy(&found).chars().take(120).collect::<String>();
        if *found != *path.as_bytes() {
            return Err(
                self.refused(format!("is not good: it contains `{shown}` where `{path}` is expected"))
            );
        }
        let kind = match entry.header().entry_type() {
            EntryType::Regular => return Ok(()),
            EntryType::Symlink | EntryType::Link => "a link",
            EntryType::Char | EntryType::Block | EntryType::Fifo => "a device",
            EntryType::Directory => "a folder",
            _ => "an entry of an unknown kind",
        };
        Err(self.refused(format!("is not good: `{shown}` is {kind}; packages contain only regular files")))
    }

    /// Reads an entry to its end, and writes it if there is a target.
    fn extract(
        &self,
        entry: &mut Entry<'_, Unpacked<'_>>,
        file: &PackageFile,
        target: Option<&Path>,
    ) -> Result<(), PackageError> {
        let unwritten = |path: &Path, error: &io::Error| {
            HostFault::new(format!("cannot write `{}`", path.display()), error, Place::Packages)
        };
        let mut out = match target {
            None => None,
            Some(path) => {
                let made =
                    path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create_new(path));
                Some((path, made.map_err(|error| unwritten(path, &error))?))
            }
        };
        let mut hasher = Hashing::default();
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = entry.read(&mut chunk).map_err(|error| self.damaged(&error))?;
            if read == 0 {
                break;
            }
            hasher.0.update(&chunk[..read]);
            if let Some((path, out)) = &mut out {
                out.write_all(&chunk[..read]).map_err(|error| unwritten(path, &error))?;
            }
        }
        let found = hasher.hex();
        if found != file.sha256 {
            return Err(self.refused(format!(
                "is not good: `{}` has SHA-256 {found}, its manifest says {}; get it again",
                file.path, file.sha256
            )));
        }
        match out {
            Some((path, out)) => Ok(out.sync_all().map_err(|error| unwritten(path, &error))?),
            None => Ok(()),
        }
    }
}

type Unpacked<'a> = GzDecoder<BufReader<&'a File>>;

/// Hashes what is written to it.
#[derive(Default)]
pub(super) struct Hashing(Sha256);

impl Hashing {
    /// SHA-256 in hexadecimal.
    pub(super) fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};
    use serde_json::json;

    use super::*;
    use crate::catalog;

    const PLUGIN: &[u8] = b"these are the bytes of a plugin, as far as an archive is concerned";

    fn manifest() -> Vec<u8> {
        let file = |path: &str, bytes: &[u8]| {
            json!({
                "path": path, "sha256": catalog::hash(bytes), "size_bytes": bytes.len(), "role": "plugin", "target": "any",
                "abi": {"kind": "wasm", "version": 1},
            })
        };
        let manifest = json!({
            "schema": "dyno.package", "version": 1, "plugin": {"id": "p", "version": "1.0.0"}, "benchmarks": [],
            "files": [file("a/p.wasm", PLUGIN), file("b/empty.wasm", b"")],
        });
        manifest.to_string().into_bytes()
    }

    fn good() -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, &manifest(), &[("a/p.wasm", PLUGIN), ("b/empty.wasm", b"")]).unwrap();
        out
    }

    /// Unpacks these bytes; the plugin's bytes, if that succeeds.
    fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, PackageError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::new("x", file);
        let (_, known) = archive.manifest()?;
        archive.unpack(&known, folder.path(), &BTreeSet::from(["a/p.wasm"]))?;
        assert!(!folder.path().join("b").exists(), "what is not wanted is only checked");
        Ok(fs::read(folder.path().join("a/p.wasm")).unwrap())
    }

    #[test]
    fn what_was_written_is_read_and_every_cut_of_it_is_refused() {
        let good = good();
        assert_eq!(unpacked(&good).unwrap(), PLUGIN);
        assert!(good == self::good(), "the same bytes each time");
        for end in 0..good.len() {
            assert!(unpacked(&good[..end]).is_err(), "cut at {end} of {}", good.len());
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_refused_or_changes_nothing(at in any::<Index>(), flip in 1_u8..) {
            let mut bytes = good();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(read) = unpacked(&bytes) {
                prop_assert_eq!(read, PLUGIN);
            }
        }
    }
}
