//! Use cases: saving the database as a file while it is in use, and putting such a file in the place of a database.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dyno_core::{model::Event, text::hex};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    apart::examine_apart,
    backend::{Backend, Local},
    error::AppError,
    partial::Partial,
    root::App,
    serving::Serving,
};
use crate::{
    client,
    fault::{HostFault, Place},
    runner::Cancel,
    store::{Contents, Restored, Restoring, Snapshot, StoreError, check_unused, log_of},
};

/// How much is copied at a time [bytes].
const PIECE: usize = 1 << 20;

/// Backups of the database.
#[derive(Debug, Clone, Copy)]
pub struct Backups<'a>(&'a App);

impl App {
    /// The use cases of backups.
    #[must_use]
    pub fn backups(&self) -> Backups<'_> {
        Backups(self)
    }
}

/// A backup that was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Saved {
    /// The file.
    pub file: PathBuf,
    /// Its size [bytes].
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// What it holds.
    #[serde(flatten)]
    pub contents: Contents,
    /// How long it took [s].
    pub elapsed_s: f64,
}

impl Backups<'_> {
    /// Saves the database as a file, which is there as a whole or not at all. It holds everything that was committed before. If another
    /// process has the database open, and is not a server, this waits for it; `announce` is told.
    ///
    /// # Errors
    /// When the file exists and `replace` is false, it cannot be written, or the database cannot be copied.
    pub fn save(
        &self,
        file: &Path,
        replace: bool,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<Saved, AppError> {
        let begin = Instant::now();
        self.check_target(file, replace)?;
        let mut partial = Partial::new(file)?;
        let (bytes, sha256) = match &self.0.backend {
            Backend::Local(local) => {
                if let Local::File(path) = local
                    && !path.exists()
                {
                    return Err(AppError::NoDatabase(path.clone()));
                }
                let store = local.store_as_it_is(&self.0.cancel, announce)?;
                let snapshot = store.snapshot()?;
                drop(store);
                partial.wants(snapshot.bytes())?;
                let mut from = snapshot.open().map_err(|error| unreadable(&error))?;
                copy(&mut from, &mut partial, &self.0.cancel, &unreadable)?
            }
            Backend::Remote(server) => {
                let mut sent = server.backup()?;
                partial.wants(sent.bytes)?;
                let unread = |error: &io::Error| server.broken_off(error).into();
                let copied = copy(&mut sent.content, &mut partial, &self.0.cancel, &unread)?;
                if copied != (sent.bytes, sent.sha256) {
                    return Err(server.broken_off(&"the copy arrived incomplete or changed").into());
                }
                copied
            }
        };
        partial.sync()?;
        let contents = examine_apart(partial.path(), &self.0.cancel)?.map_err(AppError::Unsaved)?;
        // Another process may have made it meanwhile.
        self.check_target(file, replace)?;
        partial.keep()?;
        let elapsed_s = begin.elapsed().as_secs_f64();
        Ok(Saved { file: file.to_owned(), bytes, sha256, contents, elapsed_s })
    }

    /// Puts a backup in the place of the database of this machine, which is kept under another name.
    ///
    /// # Errors
    /// When a server was named, the database is open somewhere, or the backup cannot be used. The database is then as it was.
    pub fn restore(&self, backup: &Path) -> Result<Restored, AppError> {
        let settings = &self.0.settings;
        if let Some(server) = &settings.server.value {
            return Err(AppError::NotThroughServer { what: "a backup is restored", server: server.clone() });
        }
        let database = &settings.db_path.value;
        let named = |error: StoreError| match (error, client::beside(database)) {
            (StoreError::InUse { path, holder }, Some(server)) => {
                let holder = format!("{holder}, the server at {}", server.url());
                StoreError::InUse { path, holder }
            }
            (error, _) => error,
        };
        let restoring = Restoring::begin(backup, database).map_err(named)?;
        let contents = examine_apart(&restoring.copy(), &self.0.cancel)?
            .map_err(|fault| StoreError::Backup { path: backup.to_owned(), fault })?;
        Ok(restoring.replace(contents).map_err(named)?)
    }

    /// Refuses a file that must not be written.
    fn check_target(&self, file: &Path, replace: bool) -> Result<(), AppError> {
        let refused = |why| Err(AppError::Target { file: file.to_owned(), why });
        let log = log_of(file);
        if log.symlink_metadata().is_ok() {
            let why = "exists, the log of a database that would be added to the backup; move it away, or name another file";
            return Err(AppError::Target { file: log, why });
        }
        let Ok(about) = fs::symlink_metadata(file) else { return Ok(()) };
        let database = fs::canonicalize(&self.0.settings.db_path.value).ok();
        if database.is_some() && fs::canonicalize(file).ok() == database {
            return refused("is the database itself; name another file");
        }
        match (about.is_file(), replace) {
            (false, _) => refused("exists and is not a file; name another file"),
            (true, false) => refused("exists already; name another file, or replace it with --force"),
            // It may be the database of another process.
            (true, true) => Ok(check_unused(file)?),
        }
    }
}

/// A copy of the database of a server, for somebody who asked for it.
#[derive(Debug)]
pub struct Copied {
    snapshot: Snapshot,
    sha256: String,
}

impl Copied {
    /// Size of the copy [bytes].
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.snapshot.bytes()
    }

    /// SHA-256 of the copy, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How long no run could store anything.
    #[must_use]
    pub fn held(&self) -> Duration {
        self.snapshot.held()
    }

    /// Opens the copy for reading.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open(&self) -> io::Result<File> {
        self.snapshot.open()
    }
}

impl Serving {
    /// Copies the database. Commits wait while its file is copied; reading goes on.
    ///
    /// # Errors
    /// When the disk has no room for a copy, or a file cannot be read or written.
    pub fn backup(&self) -> Result<Copied, AppError> {
        let snapshot = self.store()?.snapshot()?;
        let mut from = snapshot.open().map_err(|error| unreadable(&error))?;
        let (_, sha256) = copy(&mut from, &mut io::sink(), &Cancel::default(), &unreadable)?;
        Ok(Copied { snapshot, sha256 })
    }
}

fn unreadable(error: &io::Error) -> AppError {
    HostFault::new("cannot read the copy of the database", error, Place::Machine).into()
}

/// Copies everything; returns the number of bytes and their SHA-256.
fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    cancel: &Cancel,
    unread: &dyn Fn(&io::Error) -> AppError,
) -> Result<(u64, String), AppError> {
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        if cancel.is_set() {
            return Err(AppError::Cancelled);
        }
        let count = match from.read(&mut piece) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unread(&error)),
        };
        if count == 0 {
            break;
        }
        let piece = &piece[..count];
        hash.update(piece);
        to.write_all(piece)
            .map_err(|error| HostFault::new("cannot write the backup", &error, Place::Named))?;
        bytes += count as u64;
    }
    Ok((bytes, hex(&hash.finalize())))
}
