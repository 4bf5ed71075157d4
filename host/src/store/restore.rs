//! Putting a backup in the place of a database.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use duckdb::AccessMode;
use serde::Serialize;

use super::{
    beside::Beside,
    error::{BackupFault, StoreError, doing, log_of},
    migrate,
    open::{connect, refuse_empty_log},
    proof::{Contents, as_backup, check_file},
    swap::{BEFORE_RESTORE, Hold, free_name, settle},
};
use crate::fault::{HostFault, Place};

/// A backup that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// The database.
    pub database: PathBuf,
    /// What the backup held; its version is that of before it was brought up to date.
    #[serde(flatten)]
    pub contents: Contents,
    /// Where the previous database is now; absent if there was none.
    pub previous: Option<PathBuf>,
}

/// A backup that was copied beside the database that it is to replace. The copy is removed when this is dropped.
#[derive(Debug)]
pub struct Restoring {
    backup: PathBuf,
    database: PathBuf,
    beside: Beside,
}

impl Restoring {
    /// Copies a backup. It is not changed, and neither is the database.
    ///
    /// # Errors
    /// When the backup is not a file, the database is open somewhere, or the copy cannot be written.
    pub fn begin(backup: &Path, database: &Path) -> Result<Self, StoreError> {
        check_file(backup)?;
        if let (Ok(one), Ok(other)) = (fs::canonicalize(backup), fs::canonicalize(database))
            && one == other
        {
            return Err(StoreError::Backup { path: backup.to_owned(), fault: BackupFault::TheDatabase });
        }
        let fault = |error: io::Error| {
            HostFault::new(format!("cannot copy `{}`", backup.display()), &error, Place::Machine)
        };
        if let Some(folder) = database.parent() {
            fs::create_dir_all(folder).map_err(fault)?;
        }
        settle(database);
        let database = Hold::on(database)?.path().to_owned();
        let size = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
        let log = log_of(backup);
        let beside = Beside::new(&database, size(backup) + 2 * size(&log))?;
        let copy = beside.file();
        fs::copy(backup, &copy).map_err(fault)?;
        if size(&log) > 0 {
            // A database that was copied by hand has one.
            fs::copy(&log, log_of(&copy)).map_err(fault)?;
        }
        Ok(Self { backup: backup.to_owned(), database, beside })
    }

    /// The copy, which is to be read completely before it replaces anything: see [`examine`](super::examine).
    #[must_use]
    pub fn copy(&self) -> PathBuf {
        self.beside.file()
    }

    /// Brings the copy up to date and puts it in the place of the database, which is kept under another name. `contents` is what
    /// was found when the copy was read.
    ///
    /// # Errors
    /// When the copy cannot be brought up to date, the database is open somewhere, or a file cannot be replaced. The database is
    /// then as it was.
    pub fn replace(self, contents: Contents) -> Result<Restored, StoreError> {
        let (copy, path) = (self.copy(), &self.database);
        bring_up_to_date(&copy).map_err(|error| as_backup(&self.backup, error))?;
        fold_log(path)?;
        let hold = Hold::on(path)?;
        let moment = jiff::Timestamp::now().strftime(&format!("{BEFORE_RESTORE}%Y%m%dT%H%M%SZ")).to_string();
        let previous = hold.about().map(|_| free_name(path, &moment));
        hold.replace(&copy, previous.as_deref())?;
        Ok(Restored { database: self.database, contents, previous })
    }
}

/// Migrates a copy. It is one file afterwards.
fn bring_up_to_date(copy: &Path) -> Result<(), StoreError> {
    let mut connection = connect(copy, AccessMode::ReadWrite)?;
    migrate::migrate(&mut connection, copy)?;
    connection.execute_batch("CHECKPOINT").map_err(doing("writing a copy"))
}

/// Folds the log of the previous database into its file, so that one rename replaces both. A log that is damaged stays.
fn fold_log(path: &Path) -> Result<(), StoreError> {
    if !log_of(path).exists() || refuse_empty_log(path).is_err() {
        return Ok(());
    }
    match connect(path, AccessMode::ReadWrite) {
        Err(StoreError::Locked { path, holder }) => Err(StoreError::InUse { path, holder }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::store::{
        Store,
        tests::{record, restore, store_all},
    };

    fn backup_of(store: &Store, to: &Path) {
        let snapshot = store.snapshot().unwrap();
        io::copy(&mut snapshot.open().unwrap(), &mut File::create(to).unwrap()).unwrap();
    }

    fn fault(error: &StoreError) -> &BackupFault {
        match error {
            StoreError::Backup { fault, .. } => fault,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_this_dyno_cannot_use_is_refused_before_anything_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let (path, backup) = (folder.path().join("d.duckdb"), folder.path().join("b.duckdb"));
        drop(Store::open(&path).unwrap());
        let before = fs::read(&path).unwrap();
        let make = |sql: &str| {
            let _ = fs::remove_file(&backup);
            connect(&backup, AccessMode::ReadWrite).unwrap().execute_batch(sql).unwrap();
            restore(&backup, &path).unwrap_err()
        };
        assert_eq!(fault(&make("CHECKPOINT")), &BackupFault::NoTables);
        let foreign = make("CREATE TABLE wages (x INTEGER)");
        assert_eq!(fault(&foreign), &BackupFault::Foreign { table: "wages".to_owned() });
        let newer = make(
            "CREATE TABLE schema_version (version INTEGER, applied_at TIMESTAMP);
             INSERT INTO schema_version VALUES (99, '2026-01-01')",
        );
        assert_eq!(fault(&newer), &BackupFault::Newer { found: 99, known: migrate::VERSION });
        assert!(newer.is_usage() && newer.to_string().contains("use a newer dyno"), "{newer}");
        assert_eq!(fs::read(&path).unwrap(), before);
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "the database and the backup");
    }

    #[test]
    fn a_database_that_was_copied_by_hand_is_restored_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("d.duckdb"), folder.path().join("b.duckdb"));
        let mut store = Store::open(&path).unwrap();
        store_all(&mut store, &record());
        fs::copy(log_of(&path), log_of(&copy)).unwrap();
        fs::copy(&path, &copy).unwrap();
        drop(store);
        let other = folder.path().join("other.duckdb");
        restore(&copy, &other).unwrap();
        assert_eq!(Store::open(&other).unwrap().run("last", true).unwrap(), record());
    }

    #[test]
    fn the_previous_database_keeps_what_was_only_in_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let (path, backup) = (folder.path().join("d.duckdb"), folder.path().join("b.duckdb"));
        let mut store = Store::open(&path).unwrap();
        backup_of(&store, &backup);
        store_all(&mut store, &record());
        // As a killed process leaves them.
        let killed = folder.path().join("killed.duckdb");
        fs::copy(log_of(&path), log_of(&killed)).unwrap();
        fs::copy(&path, &killed).unwrap();
        drop(store);
        let restored = restore(&backup, &killed).unwrap();
        let previous = restored.previous.unwrap();
        assert!(!log_of(&killed).exists() && !log_of(&previous).exists());
        assert_eq!(Store::open(&previous).unwrap().run("last", true).unwrap(), record());
        assert!(Store::open(&killed).unwrap().run("last", true).is_err(), "the backup is older");
    }
}
