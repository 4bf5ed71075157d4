//! The file by which a server that owns a database is found: it lies beside the database while the server lives.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// What a server says about itself beside its database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFile {
    /// Where it listens. // eg: `http://127.0.0.1:8000`
    pub url: String,
    /// Its process.
    pub pid: u32,
    /// When it began (RFC 3339, UTC).
    pub started_at: String,
}

impl ServerFile {
    /// Writes the file beside a database, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, database: &Path) -> io::Result<()> {
        let path = place(database);
        let partial = path.with_extension("partial");
        fs::write(&partial, serde_json::to_vec(self)?)?;
        fs::rename(partial, path)
    }

    /// Removes the file: the server ends.
    pub fn remove(database: &Path) {
        // A file that is left behind is recognised: nobody answers there.
        let _ = fs::remove_file(place(database));
    }
}

/// What a server said about itself beside this database. Whether it still lives, only asking it tells.
#[must_use]
pub fn beside(database: &Path) -> Option<ServerFile> {
    serde_json::from_slice(&fs::read(place(database)).ok()?).ok()
}

fn place(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(".server.json");
    database.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_writes_is_found_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.duckdb");
        assert_eq!(beside(&database), None);
        let file = ServerFile { url: "http://127.0.0.1:1".to_owned(), pid: 7, started_at: "now".to_owned() };
        file.write(&database).unwrap();
        assert_eq!(beside(&database), Some(file));
        ServerFile::remove(&database);
        assert_eq!(beside(&database), None);
        fs::write(place(&database), "nonsense").unwrap();
        assert_eq!(beside(&database), None);
    }
}
