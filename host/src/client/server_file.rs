//! The file by which a server that owns a database is found: it lies beside the database while the server lives.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::proc;

/// The file beside a database: address and process of its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFile {
    /// Address of the server. // eg: `http://127.0.0.1:8000`
    pub url: String,
    /// Number of its process.
    pub pid: u32,
    /// When the server started (RFC 3339, UTC).
    pub started_at: String,
    /// When its process started, in ticks since the machine did. No later process with the same number has the same. Absent from
    /// files of older versions, whose servers are not found.
    #[serde(default)]
    pub(super) ticks: u64,
    /// Identifier of the start of the machine that `ticks` counts from.
    #[serde(default)]
    pub(super) boot: String,
}

impl ServerFile {
    /// The file for this process, which listens at `url`.
    #[must_use]
    pub fn here(url: String) -> Self {
        let pid = std::process::id();
        Self {
            url,
            pid,
            started_at: crate::timestamp::now(),
            ticks: proc::began(pid).unwrap_or_default(),
            boot: proc::boot().unwrap_or_default(),
        }
    }

    /// Writes the file beside a database, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, database: &Path) -> io::Result<()> {
        let path = place(database);
        let partial = path.with_extension("partial");
        fs::write(&partial, serde_json::to_vec(self)?)?;
        // Regardless of the umask, other users cannot change the address.
        let mode = fs::metadata(&partial)?.mode() & 0o644;
        fs::set_permissions(&partial, Permissions::from_mode(mode))?;
        fs::rename(partial, path)
    }

    /// Removes the file: the server ends.
    pub fn remove(database: &Path) {
        // A file that is left behind is recognised: its writer no longer lives.
        let _ = fs::remove_file(place(database));
    }
}

pub(super) fn place(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(".server.json");
    database.with_file_name(name)
}
