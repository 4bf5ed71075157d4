//! The bytes of a plugin: read once, checked against their hash, copied to memory of this launch's own.
//!
//! The private copy is what makes launches independent: a file's pages keep their place in the page cache, so two
//! launches of one file share whatever luck that place brings.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Cursor, Read, Seek, SeekFrom, Write},
    ops::Range,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use dyno_core::{
    binary,
    protocol::{Library, Load},
    text::hex,
};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::{
        memfd::{MFdFlags, memfd_create},
        statvfs::{FsFlags, statvfs},
    },
};
use sha2::{Digest, Sha256};

use crate::instance::Failure;

/// A copy of the plugin that belongs to this launch alone.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) descriptor: OwnedFd,
    /// What it lacks compared with a sealed copy, a sentence.
    pub(super) missing: Option<String>,
}

/// The verified bytes of a plugin.
pub(super) enum Verified {
    /// In sealed memory of the host, which verified them when it sealed them.
    Sealed(File),
    /// Read from the content-addressed store, and verified here.
    Read(Vec<u8>),
}

impl Verified {
    pub(super) fn of(load: &Load) -> Result<Self, Failure> {
        Self::of_bytes(load.sealed.as_deref(), &load.path, &load.sha256)
    }

    /// A library that the plugin brings along.
    pub(super) fn of_library(library: &Library) -> Result<Self, Failure> {
        Self::of_bytes(library.sealed.as_deref(), &library.path, &library.sha256)
    }

    fn of_bytes(memory: Option<&Path>, path: &Path, sha256: &str) -> Result<Self, Failure> {
        match memory.and_then(sealed) {
            Some(memory) => Ok(Self::Sealed(memory)),
            None => read_verified(path, sha256).map(Self::Read),
        }
    }

    pub(super) fn bytes(&self) -> Result<Cow<'_, [u8]>, Failure> {
        match self {
            Self::Read(bytes) => Ok(bytes.into()),
            Self::Sealed(memory) => {
                let mut bytes = Vec::new();
                let mut memory = memory;
                memory
                    .rewind()
                    .and_then(|()| memory.read_to_end(&mut bytes))
                    .map_err(|error| Failure::host("cannot read the verified plugin in memory", &error))?;
                Ok(bytes.into())
            }
        }
    }

    fn write_to(&self, file: &mut File) -> io::Result<()> {
        match self {
            Self::Read(bytes) => copy_loaded(&mut Cursor::new(bytes), file),
            // The kernel copies from one file to the other: other pages, the same bytes.
            Self::Sealed(memory) => copy_loaded(&mut &*memory, file),
        }
    }

    /// As [`Verified::copy`]; a plugin that is broken, or was built for another contract, is refused.
    pub(super) fn private_copy(&self) -> Result<Copy, Failure> {
        if let Self::Read(bytes) = self {
            binary::check(bytes)?;
        }
        self.copy()
    }

    /// A copy that not even its plugin can change, in memory. If the kernel refuses that, a file without a name in the
    /// directory of the launch.
    pub(super) fn copy(&self) -> Result<Copy, Failure> {
        let refused = |what: &str, error: &io::Error| {
            Failure::host(format!("cannot {what} a private copy of the plugin"), error)
        };
        let descriptor =
            match memfd_create("dyno-plugin", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING) {
                Ok(descriptor) => descriptor,
                Err(error @ (Errno::EPERM | Errno::EACCES | Errno::ENOSYS)) => {
                    return copy_on_disk(&self.bytes()?, error);
                }
                Err(error) => return Err(refused("make", &error.into())),
            };
        let mut file = File::from(descriptor);
        self.write_to(&mut file).map_err(|error| refused("write", &error))?;
        let sealed = fcntl(file.as_fd(), FcntlArg::F_ADD_SEALS(IMMUTABLE));
        let missing = sealed
            .err()
            .map(|error| format!("the kernel refused to seal the copy of the plugin (fcntl: {error})"));
        Ok(Copy { descriptor: OwnedFd::from(file), missing })
    }
}

/// Copies what the dynamic linker reads of a library, each byte to where it was: copying takes 0.3 ms for each megabyte, and what is for
/// debuggers may be most of them.
fn copy_loaded(from: &mut (impl Read + Seek), to: &mut File) -> io::Result<()> {
    /// As much as the headers of a library take.
    const HEADERS: u64 = 4096;

    let length = from.seek(SeekFrom::End(0))?;
    to.set_len(length)?;
    let mut beginning = Vec::new();
    from.rewind()?;
    from.by_ref().take(HEADERS).read_to_end(&mut beginning)?;
    for Range { start, end } in binary::loaded_parts(&beginning, length) {
        from.seek(SeekFrom::Start(start))?;
        to.seek(SeekFrom::Start(start))?;
        io::copy(&mut from.by_ref().take(end - start), to)?;
    }
    Ok(())
}

/// What is sealed like this stays what it is until it is gone.
const IMMUTABLE: SealFlag = SealFlag::F_SEAL_WRITE
    .union(SealFlag::F_SEAL_GROW)
    .union(SealFlag::F_SEAL_SHRINK)
    .union(SealFlag::F_SEAL_SEAL);

/// Opens a file if nobody can change its bytes any more.
fn sealed(path: &Path) -> Option<File> {
    let file = File::open(path).ok()?;
    let seals = fcntl(&file, FcntlArg::F_GET_SEALS).ok()?;
    SealFlag::from_bits_truncate(seals).contains(IMMUTABLE).then_some(file)
}

/// Reads a file of the content-addressed store and checks that it holds what its name says.
fn read_verified(path: &Path, sha256: &str) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::host(format!("cannot read the plugin `{}`", path.display()), &error))?;
    let found = hex(&Sha256::digest(&bytes));
    if found == sha256 {
        Ok(bytes)
    } else {
        // The host wrote that file, from bytes that it had hashed.
        Err(Failure::Host {
            doing: format!("the verified plugin `{}` is damaged", path.display()),
            code: None,
            said: format!("it has SHA-256 {found}, expected {sha256}; remove that file and run again"),
        })
    }
}

/// The same in a file. A process that finds its descriptor can change it, which only the plugin can.
fn copy_on_disk(bytes: &[u8], why: Errno) -> Result<Copy, Failure> {
    let refused = |error: io::Error| {
        Failure::host("cannot write a private copy of the plugin to the directory of the launch", &error)
    };
    // In the current directory, which is that of the launch and gone with it.
    let mut file = tempfile::NamedTempFile::new_in(".").map_err(refused)?;
    file.write_all(bytes).and_then(|()| file.flush()).map_err(refused)?;
    // Reopened for reading: a file that is open for writing cannot be run.
    let readable = File::open(file.path()).map_err(refused)?;
    if statvfs(file.path()).is_ok_and(|about| about.flags().contains(FsFlags::ST_NOEXEC)) {
        return Err(Failure::Host {
            doing: "cannot load a private copy of the plugin".to_owned(),
            code: None,
            said: format!(
                "the kernel refused a copy in memory (memfd_create: {why}), and nothing in the temporary folder may be \
                 executed (noexec); name another with TMPDIR"
            ),
        });
    }
    Ok(Copy {
        descriptor: OwnedFd::from(readable),
        missing: Some(format!(
            "the kernel refused a sealed copy of the plugin in memory (memfd_create: {why}); it was loaded from a file"
        )),
    })
}

#[cfg(test)]
mod tests {
    use std::{
        os::{fd::AsRawFd, unix::fs::MetadataExt},
        path::PathBuf,
    };

    use super::*;

    #[test]
    fn other_bytes_are_refused_with_both_hashes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(read_verified(file.path(), hash).unwrap(), b"abc");
        let Failure::Host { said, .. } = read_verified(file.path(), &hash.replace('b', "c")).unwrap_err()
        else {
            panic!("the store of verified bytes is the host's");
        };
        assert!(said.contains(hash), "{said}");
    }

    /// A memory file with these bytes and seals, and where others find it.
    fn memory(bytes: &[u8], seals: SealFlag) -> (File, PathBuf) {
        let mut file = File::from(memfd_create("test", MFdFlags::MFD_ALLOW_SEALING).unwrap());
        file.write_all(bytes).unwrap();
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).unwrap();
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into();
        (file, path)
    }

    #[test]
    fn only_memory_that_nobody_can_change_is_taken_unread() {
        let sealed_like = |seals| sealed(&memory(b"abc", seals).1).is_some();
        assert!(sealed_like(IMMUTABLE));
        for missing in IMMUTABLE.iter() {
            assert!(!sealed_like(IMMUTABLE - missing), "{missing:?}");
        }
        let stored = tempfile::NamedTempFile::new().unwrap();
        assert!(sealed(stored.path()).is_none() && sealed(Path::new("/nowhere")).is_none());
    }

    #[test]
    fn sealed_bytes_and_read_ones_give_the_same_private_copy() {
        let plugin = std::env::current_exe().unwrap();
        let bytes = std::fs::read(plugin).unwrap();
        let mut loaded = vec![0; bytes.len()];
        for Range { start, end } in binary::loaded_parts(&bytes[..4096], bytes.len() as u64) {
            let part = start as usize..end as usize;
            loaded[part.clone()].copy_from_slice(&bytes[part]);
        }
        let (_held, path) = memory(&bytes, IMMUTABLE);
        for verified in [Verified::Sealed(sealed(&path).unwrap()), Verified::Read(bytes.clone())] {
            let mut copy = File::from(memfd_create("copy", MFdFlags::empty()).unwrap());
            verified.write_to(&mut copy).unwrap();
            copy.rewind().unwrap();
            let mut copied = Vec::new();
            copy.read_to_end(&mut copied).unwrap();
            assert!(copied == loaded && *verified.bytes().unwrap() == bytes);
            let size = copy.metadata().unwrap().blocks() * 512;
            assert!(size < bytes.len() as u64, "what is not loaded takes no memory: {size}");
        }
    }

    #[test]
    fn a_private_copy_cannot_be_changed() {
        let (_held, path) = memory(b"abc", IMMUTABLE);
        let Copy { descriptor, missing } = Verified::Sealed(sealed(&path).unwrap()).private_copy().unwrap();
        assert_eq!(missing, None);
        let mut file = File::from(descriptor);
        assert!(file.write_all(b"x").is_err());
    }

    #[test]
    fn without_memory_files_the_copy_has_no_name_on_disk() {
        let before = std::fs::read_dir(".").unwrap().count();
        let Copy { descriptor, missing } = copy_on_disk(b"abc", Errno::ENOSYS).unwrap();
        assert_eq!(io::read_to_string(File::from(descriptor)).unwrap(), "abc");
        assert!(missing.unwrap().contains("memfd_create"));
        assert_eq!(std::fs::read_dir(".").unwrap().count(), before);
    }
}
