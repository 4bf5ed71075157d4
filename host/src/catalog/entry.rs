//! One plugin file: read once, hashed, described.

use std::{
    fmt, fs,
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use dyno_core::{
    model::{PluginKind, PluginRef},
    text::hex,
};
use dyno_plugin_api::descriptor::Descriptor;
use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    fault::{HostFault, Place, Resource},
    trust::SignatureState,
};

/// Maximum size of a plugin file [bytes]: a larger one is a mistake, and would fill the cache.
const MAX_BYTES: u64 = 1 << 30;

/// A plugin file that can be listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its length [bytes].
    pub size: u64,
    /// Native or WASM.
    pub kind: PluginKind,
    /// Its metadata.
    pub descriptor: Descriptor,
    /// Why it cannot be run by this dyno; absent when it can.
    pub incompatible: Option<String>,
    /// Remarks for its author, a sentence each: unknown keys of its descriptor, a signature that does not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What is known of its signature.
    #[serde(default)]
    pub signature: SignatureState,
}

impl Entry {
    /// The plugin, as results name it.
    #[must_use]
    pub fn plugin(&self) -> PluginRef {
        let plugin = &self.descriptor.plugin;
        PluginRef {
            id: plugin.id.clone(),
            version: plugin.version.clone(),
            kind: self.kind,
            sha256: self.sha256.clone(),
            path: self.path.display().to_string(),
            build: self.descriptor.build,
        }
    }
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// Worth knowing; nothing is lost.
    Note,
    /// A library of other software, not meant as a plugin.
    Aside,
}

/// One line about a file that is not, or not simply, a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file or folder.
    pub path: PathBuf,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
}

impl Problem {
    pub(super) fn error(path: &Path, message: impl Into<String>) -> Self {
        Self { path: presentable(path), severity: Severity::Error, message: message.into() }
    }

    pub(super) fn note(path: &Path, message: impl Into<String>) -> Self {
        Self { path: presentable(path), severity: Severity::Note, message: message.into() }
    }

    pub(super) fn aside(path: &Path, message: impl Into<String>) -> Self {
        Self { path: presentable(path), severity: Severity::Aside, message: message.into() }
    }
}

/// A path that can be shown on a terminal and written as JSON: file names may be any bytes.
fn presentable(path: &Path) -> PathBuf {
    path.to_string_lossy().replace(char::is_control, "\u{fffd}").into()
}

/// Whether a path is text without control characters: only such a plugin can be listed, asked for and recorded.
pub(super) fn is_presentable(path: &Path) -> bool {
    path.to_str().is_some_and(|text| !text.contains(char::is_control))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.message)
    }
}

/// Tells versions of a file apart without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stamp {
    size: u64,
    modified_s: i64,
    modified_ns: i64,
    /// When the kernel last changed anything about the file: unlike the time of modification, no program can set it.
    changed_s: i64,
    changed_ns: i64,
    inode: u64,
    /// The same of the files that vouch for it; 0 where none is looked at.
    witness: u64,
}

impl Stamp {
    /// Of a file with this metadata.
    #[must_use]
    pub fn of(about: &fs::Metadata) -> Self {
        Self {
            size: about.len(),
            modified_s: about.mtime(),
            modified_ns: about.mtime_nsec(),
            changed_s: about.ctime(),
            changed_ns: about.ctime_nsec(),
            inode: about.ino(),
            witness: 0,
        }
    }

    /// The same, together with the state of the files that vouch for it.
    pub(super) fn with(self, witness: u64) -> Self {
        Self { witness, ..self }
    }
}

/// Why a file was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The file itself is at fault.
    Problem(Problem),
    /// The host lacked a resource; a later attempt may succeed.
    Host(HostFault),
}

impl Unread {
    /// The same as a line about the file.
    pub(super) fn of(self, path: &Path) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Host(fault) => Problem::error(path, fault.to_string()),
        }
    }
}

impl From<HostFault> for Unread {
    fn from(fault: HostFault) -> Self {
        Self::Host(fault)
    }
}

impl From<Problem> for Unread {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// The bytes of a regular file that nobody is writing to.
///
/// # Errors
/// One line that says what is wrong with it.
pub fn read_bytes_of(path: &Path) -> Result<Vec<u8>, Problem> {
    read_bytes(path).map_err(|unread| unread.of(path))
}

/// The bytes of a file, unless another process is writing to it.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, Unread> {
    let broken = |error: std::io::Error| {
        if Resource::of(&error).is_exhausted() {
            let doing = format!("cannot read `{}`", path.display());
            return Unread::Host(HostFault::new(doing, &error, Place::Machine));
        }
        Unread::Problem(Problem::error(path, format!("cannot be read: {error}")))
    };
    // A copy or a linker may be writing to it: try once more, then report it.
    for _ in 0..2 {
        // Not blocking: a named pipe must not hang us.
        let mut file = fs::OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(path)
            .map_err(broken)?;
        let before = file.metadata().map_err(broken)?;
        if !before.is_file() {
            return Err(Problem::error(path, "is not a regular file").into());
        }
        if before.len() > MAX_BYTES {
            return Err(Problem::error(
                path,
                format!("has {} bytes; plugins have at most {MAX_BYTES}", before.len()),
            )
            .into());
        }
        let mut bytes = Vec::with_capacity(before.len() as usize);
        (&mut file).take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(broken)?;
        let after = fs::metadata(path).map_err(broken)?;
        if Stamp::of(&before) == Stamp::of(&after) && bytes.len() as u64 == before.len() {
            return Ok(bytes);
        }
    }
    Err(Problem::error(path, "changes while it is read; wait until it is complete, and try again").into())
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
