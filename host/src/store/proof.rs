//! Whether a file is a database of dyno that can be read to its last block.

use std::{fs, io, path::Path};

use duckdb::{AccessMode, Connection, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    error::{BackupFault, StoreError, doing},
    migrate,
    open::{connect, refuse_empty_log},
};
use crate::fault::{HostFault, Place};

/// What a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contents {
    /// Version of its tables.
    pub version: u32,
    /// Number of runs.
    pub runs: u64,
    /// Number of samples.
    pub samples: u64,
}

/// Number of rows of a table, and a digest of them that does not depend on their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableSum {
    table: String,
    rows: u64,
    digest: String,
}

/// Reads a copy of a database completely, and changes nothing in it.
///
/// # Errors
/// When it is not a database of this or an earlier dyno, or is damaged: see [`BackupFault`].
pub fn examine(path: &Path) -> Result<Contents, StoreError> {
    let refused = |error| as_backup(path, error);
    check_file(path)?;
    refuse_empty_log(path).map_err(refused)?;
    let connection = connect(path, AccessMode::ReadOnly).map_err(refused)?;
    contents(&connection, path).map_err(refused)
}

/// What a database holds, read completely.
pub(super) fn contents(connection: &Connection, path: &Path) -> Result<Contents, StoreError> {
    let (version, known) = (migrate::version(connection, path)?, migrate::VERSION);
    let fault = |fault| StoreError::Backup { path: path.to_owned(), fault };
    match version {
        0 => return Err(fault(BackupFault::NoTables)),
        found if found > known => return Err(fault(BackupFault::Newer { found, known })),
        _ => {}
    }
    let sums = sums(connection, &current(connection)?)?;
    let rows = |table: &str| sums.iter().find(|it| it.table == table).map_or(0, |it| it.rows);
    Ok(Contents { version, runs: rows("runs"), samples: rows("samples") })
}

/// The name under which a connection knows its own database.
pub(super) fn current(connection: &Connection) -> Result<String, StoreError> {
    connection.query_row("SELECT current_database()", [], |row| row.get(0)).map_err(doing("reading a name"))
}

/// Rows and digest of every table. Reads every block, whose checksums DuckDB compares.
pub(super) fn sums(connection: &Connection, database: &str) -> Result<Vec<TableSum>, StoreError> {
    let failed = doing("reading all tables");
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let sql = "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? AND NOT internal ORDER BY ALL";
    let names: Vec<(String, String)> = connection
        .prepare(sql)
        .and_then(|mut found| {
            found.query_map(params![database], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .map_err(&failed)?;
    let sum = |(schema, table): (String, String)| {
        let place = [database, &schema, &table].map(quoted).join(".");
        let sql = format!(
            "SELECT count(*)::UBIGINT, coalesce(bit_xor(hash(*COLUMNS(*))), 0)::VARCHAR FROM {place}"
        );
        connection
            .query_row(&sql, [], |row| {
                Ok(TableSum { table: table.clone(), rows: row.get(0)?, digest: row.get(1)? })
            })
            .map_err(&failed)
    };
    names.into_iter().map(sum).collect()
}

/// Refuses what is not a file, or an empty one, which DuckDB would take for a new database.
pub(super) fn check_file(path: &Path) -> Result<(), StoreError> {
    let fault = |fault| Err(StoreError::Backup { path: path.to_owned(), fault });
    match fs::metadata(path) {
        Ok(about) if !about.is_file() => fault(BackupFault::NotAFile),
        Ok(about) if about.len() == 0 => fault(BackupFault::Empty),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fault(BackupFault::Missing),
        Err(error) => {
            let doing = format!("cannot read `{}`", path.display());
            Err(HostFault::new(doing, &error, Place::Named).into())
        }
    }
}

/// An error of a copy, as one of the backup at `path`.
pub(super) fn as_backup(path: &Path, error: StoreError) -> StoreError {
    let fault = match error {
        StoreError::NotADatabase { .. } => BackupFault::NotADatabase,
        StoreError::Foreign { table, .. } => BackupFault::Foreign { table },
        StoreError::Newer { found, known, .. } => BackupFault::Newer { found, known },
        StoreError::Backup { fault, .. } => fault,
        StoreError::Damaged { message, .. } => BackupFault::Damaged { message },
        StoreError::EmptyLog { .. } => BackupFault::EmptyLog,
        // A resource that ran out says nothing about the file.
        error if error.resource().is_some() => return error,
        StoreError::Statement { source, .. } => {
            BackupFault::Damaged { message: first_line(&source.to_string()) }
        }
        StoreError::Open { message, .. } => BackupFault::Damaged { message: first_line(&message) },
        error => return error,
    };
    StoreError::Backup { path: path.to_owned(), fault }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
