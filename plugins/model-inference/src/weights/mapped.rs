//! A file in memory, without reading it.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use dyno_sdk::prelude::*;
use memmap2::Mmap;

/// A file in memory.
#[derive(Debug)]
pub(super) struct Mapped {
    path: PathBuf,
    bytes: Mmap,
}

impl Mapped {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[allow(unsafe_code, reason = "a file can only be mapped so")]
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let refused = |error| Failure::error(format!("{} cannot be read: {error}", path.display()));
        // The hub's files are links. ONNX Runtime opens the file again, and is given the path that the link leads to.
        let path = path.canonicalize().map_err(refused)?;
        let file = File::open(&path).map_err(refused)?;
        // SAFETY: the numbers are read as floats, for which every bit pattern is valid. A file that another program shortens
        // meanwhile ends this worker with SIGBUS, which the host reports; it does not corrupt memory.
        let bytes = unsafe { Mmap::map(&file) }.map_err(refused)?;
        Ok(Self { path, bytes })
    }
}
