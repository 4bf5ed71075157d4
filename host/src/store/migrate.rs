//! Versions of the database: numbered SQL files, each applied once, in its own transaction.

use std::path::Path;

use duckdb::Connection;

use super::error::{StoreError, doing};

/// The migrations, in order; the first is version 1.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001_initial.sql")];

/// The version that this dyno writes.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// The version of a database; 0 for an empty one.
pub(super) fn version(connection: &Connection) -> Result<u32, StoreError> {
    let failed = doing("reading its version");
    let there: bool = connection
        .query_row(
            "SELECT count(*) > 0 FROM information_schema.tables WHERE table_name = 'schema_version'",
            [],
            |row| row.get(0),
        )
        .map_err(&failed)?;
    if !there {
        return Ok(0);
    }
    connection
        .query_row("SELECT coalesce(max(version), 0) FROM schema_version", [], |row| row.get(0))
        .map_err(failed)
}

/// Brings a database up to [`VERSION`].
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let found = version(connection)?;
    if found > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    for (number, sql) in (1..).zip(MIGRATIONS).skip(found as usize) {
        let failed = doing("bringing it up to date");
        let transaction = connection.transaction().map_err(&failed)?;
        transaction
            .execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL, applied_at TIMESTAMP NOT NULL)")
            .map_err(&failed)?;
        transaction.execute_batch(sql).map_err(&failed)?;
        transaction
            .execute("INSERT INTO schema_version VALUES (?, current_timestamp::TIMESTAMP)", [number])
            .map_err(&failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}
