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
    proof::{Contents, as_backup, check_file, contents},
    swap::{Hold, free_name},
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

/// Restores a backup: verifies a copy of it, brings that up to date, and puts it in the place of the database, which is kept under
/// another name. The backup is not changed.
///
/// # Errors
/// When the backup cannot be used, the database is open somewhere, or a file cannot be written. The database is then as it was.
pub fn restore(backup: &Path, database: &Path) -> Result<Restored, StoreError> {
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
    let path = Hold::on(database)?.path().to_owned();
    let size = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
    let log = log_of(backup);
    let beside = Beside::new(&path, size(backup) + 2 * size(&log))?;
    let copy = beside.file();
    fs::copy(backup, &copy).map_err(fault)?;
    if size(&log) > 0 {
        // A database that was copied by hand has one.
        fs::copy(&log, log_of(&copy)).map_err(fault)?;
    }
    let contents = brought_up_to_date(&copy).map_err(|error| as_backup(backup, error))?;
    fold_log(&path)?;
    let hold = Hold::on(&path)?;
    let moment = jiff::Timestamp::now().strftime("before-restore-%Y%m%dT%H%M%SZ").to_string();
    let previous = hold.about().map(|_| free_name(&path, &moment));
    hold.replace(&copy, previous.as_deref())?;
    Ok(Restored { database: path, contents, previous })
}

/// Reads a copy completely, and migrates it. It is one file afterwards.
fn brought_up_to_date(copy: &Path) -> Result<Contents, StoreError> {
    refuse_empty_log(copy)?;
    let mut connection = connect(copy, AccessMode::ReadWrite)?;
    let found = contents(&connection, copy)?;
    migrate::migrate(&mut connection, copy)?;
    connection.execute_batch("CHECKPOINT").map_err(doing("writing a copy"))?;
    Ok(found)
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
