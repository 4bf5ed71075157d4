//! Finding the server that owns a database, by the file beside it: believed only if its writer may speak for the database.

use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::MetadataExt,
    path::Path,
};

use super::{
    server_file::{ServerFile, place},
    writer::Writer,
};
use crate::user_file::folder_of;

/// Longest file that is read [bytes].
const LONGEST: u64 = 16 * 1024;

/// A server that was found beside its database.
#[derive(Debug, Clone)]
pub struct Found {
    pub(super) url: String,
    pub(super) writer: Writer,
}

impl Found {
    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// The server that has this database open, if there is one. Ignores the file of a dead server, and a file written by a user who
/// could not have opened the database: a token must not be sent to the address in it.
#[must_use]
pub fn beside(database: &Path) -> Option<Found> {
    let path = place(database);
    let file = File::open(&path).ok()?;
    let user = file.metadata().ok()?.uid();
    if !may_speak_for(database, user) {
        return None;
    }
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text).ok()?;
    let file: ServerFile = serde_json::from_slice(&text).ok()?;
    let writer = Writer::of(&file, user)?;
    writer.listens().then_some(Found { url: file.url, writer })
}

/// Whether a file of this user beside a database may be that of its server: it is ours, root's, or of the user to whom the
/// folder belongs, or the database in a folder where not everybody can put files.
fn may_speak_for(database: &Path, user: u32) -> bool {
    let me = nix::unistd::geteuid().as_raw();
    if [0, me].contains(&user) {
        return true;
    }
    let Ok(folder) = fs::metadata(folder_of(database)) else { return false };
    let is_open_to_all = folder.mode() & 0o002 != 0;
    let is_of_database = || fs::metadata(database).is_ok_and(|about| about.uid() == user);
    folder.uid() == user || !is_open_to_all && is_of_database()
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, net::TcpListener, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_server_is_found_while_its_process_lives_and_listens() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.duckdb");
        assert!(beside(&database).is_none());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let file = ServerFile::here(url.clone());
        file.write(&database).unwrap();
        let found = beside(&database).unwrap();
        assert_eq!(found.url, url);
        // What it says about another process, or an earlier start of the machine, does not hold for this one.
        for stale in [
            ServerFile { pid: std::os::unix::process::parent_id(), ..file.clone() },
            ServerFile { pid: u32::MAX, ..file.clone() },
            ServerFile { ticks: file.ticks + 1, ..file.clone() },
            ServerFile { boot: "another".to_owned(), ..file.clone() },
            ServerFile { ticks: 0, boot: String::new(), ..file.clone() },
            ServerFile { url: "http://example.org:80".to_owned(), ..file.clone() },
            ServerFile { url: "nonsense".to_owned(), ..file.clone() },
        ] {
            stale.write(&database).unwrap();
            assert!(beside(&database).is_none(), "{stale:?}");
        }
        file.write(&database).unwrap();
        assert!(beside(&database).is_some());
        drop(listener);
        assert!(beside(&database).is_none() && !found.writer.listens(), "nobody listens there");
        fs::write(place(&database), "nonsense").unwrap();
        assert!(beside(&database).is_none());
        ServerFile::remove(&database);
        assert!(!place(&database).exists());
    }

    #[test]
    fn what_others_put_into_an_open_folder_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.duckdb");
        fs::write(&database, "").unwrap();
        let me = nix::unistd::geteuid().as_raw();
        let stranger = me + 4_321;
        assert!(may_speak_for(&database, me) && may_speak_for(&database, 0));
        assert!(!may_speak_for(&database, stranger));
        fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
        assert!(!may_speak_for(&database, stranger));
    }
}
