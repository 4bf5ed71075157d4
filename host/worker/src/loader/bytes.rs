//! The bytes of a plugin: read once, checked against their hash, copied to memory of this launch's own.
//!
//! The private copy is what makes launches independent: a file's pages keep their place in the page cache, so two
//! launches of one file share whatever luck that place brings.

use std::{
    fs::File,
    io::Write,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use nix::{
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::memfd::{MFdFlags, memfd_create},
};
use sha2::{Digest, Sha256};

/// Reads a file of the content-addressed store and checks that it holds what its name says.
pub(super) fn read_verified(path: &Path, sha256: &str) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(path)
        .map_err(|error| format!("cannot read the plugin `{}`: {error}", path.display()))?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if found == sha256 {
        Ok(bytes)
    } else {
        Err(format!(
            "the plugin `{}` has SHA-256 {found}, expected {sha256}; remove that file and run again",
            path.display()
        ))
    }
}

/// A copy in memory that nobody can change any more, not even its plugin.
pub(super) fn private_copy(bytes: &[u8]) -> Result<OwnedFd, String> {
    let refused = |what: &str, error: &dyn std::fmt::Display| {
        format!("cannot {what} a private copy of the plugin: {error}")
    };
    let descriptor = memfd_create("dyno-plugin", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)
        .map_err(|error| refused("make", &error))?;
    let mut file = File::from(descriptor);
    file.write_all(bytes).map_err(|error| refused("write", &error))?;
    let seals =
        SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
    fcntl(file.as_fd(), FcntlArg::F_ADD_SEALS(seals)).map_err(|error| refused("seal", &error))?;
    Ok(OwnedFd::from(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_are_refused_with_both_hashes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(read_verified(file.path(), hash).unwrap(), b"abc");
        let message = read_verified(file.path(), &hash.replace('b', "c")).unwrap_err();
        assert!(message.contains(hash), "{message}");
    }

    #[test]
    fn a_private_copy_cannot_be_changed() {
        let copy = private_copy(b"abc").unwrap();
        let mut file = File::from(copy);
        assert!(file.write_all(b"x").is_err());
    }
}
