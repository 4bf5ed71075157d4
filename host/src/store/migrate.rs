//! Versions of the database: numbered SQL files, each applied once, in its own transaction.

use std::path::Path;

use duckdb::{Connection, OptionalExt, params};

use super::error::{StoreError, doing};

/// The migrations, in order; the first is version 1.
const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_verdicts.sql"),
    include_str!("migrations/0003_server.sql"),
    include_str!("migrations/0004_build.sql"),
];

/// The version that this dyno writes.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// The version of a database; 0 for an empty one.
///
/// # Errors
/// When it holds tables of something else, or the database fails.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let failed = doing("reading its version");
    let table: Option<String> = connection
        .query_row(
            "SELECT table_name FROM information_schema.tables ORDER BY table_name <> 'schema_version', table_name LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()
        .map_err(&failed)?;
    match table.as_deref() {
        None => Ok(0),
        Some("schema_version") => connection
            .query_row("SELECT coalesce(max(version), 0) FROM schema_version", [], |row| row.get(0))
            .map_err(failed),
        Some(table) => Err(StoreError::Foreign { path: path.to_owned(), table: table.to_owned() }),
    }
}

/// Brings a database up to [`VERSION`].
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    apply(connection, path, &MIGRATIONS)
}

fn apply(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    let found = version(connection, path)?;
    let known = migrations.len() as u32;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    let failed = doing("bringing it up to date");
    for (number, sql) in (1_u32..).zip(migrations).skip(found as usize) {
        let transaction = connection.transaction().map_err(&failed)?;
        if number == 1 {
            transaction
                .execute_batch(
                    "CREATE TABLE schema_version (version INTEGER NOT NULL, applied_at TIMESTAMP NOT NULL)",
                )
                .map_err(&failed)?;
        }
        transaction.execute_batch(sql).map_err(&failed)?;
        transaction
            .execute(
                "INSERT INTO schema_version VALUES (?, CAST(? AS TIMESTAMP))",
                params![number, crate::timestamp::now()],
            )
            .map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE one (value INTEGER)";

    #[test]
    fn each_migration_is_applied_once_and_wholly_or_not_at_all() {
        let mut connection = Connection::open_in_memory().unwrap();
        let path = Path::new("x");
        apply(&mut connection, path, &[FIRST]).unwrap();
        let broken = "CREATE TABLE two (value INTEGER); INSERT INTO nowhere VALUES (1)";
        let message = apply(&mut connection, path, &[FIRST, broken]).unwrap_err().to_string();
        assert!(message.contains("bringing it up to date") && message.contains("nowhere"), "{message}");
        assert_eq!(version(&connection, path).unwrap(), 1);
        assert!(connection.execute_batch("SELECT * FROM two").is_err(), "half a migration stayed");
        apply(&mut connection, path, &[FIRST, "CREATE TABLE two (value INTEGER)"]).unwrap();
        assert_eq!(version(&connection, path).unwrap(), 2);
        assert!(matches!(
            apply(&mut connection, path, &[FIRST]),
            Err(StoreError::Newer { found: 2, known: 1, .. })
        ));
    }

    #[test]
    fn a_database_of_something_else_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE performance_results (x INTEGER)").unwrap();
        let message = migrate(&mut connection, Path::new("x")).unwrap_err().to_string();
        assert!(message.contains("`performance_results`"), "{message}");
    }
}
