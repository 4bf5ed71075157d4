//! Running one statement.

use duckdb::{Connection, Params};

use super::error::{StoreError, doing};

/// Runs a statement that is planned once for as long as the database is open.
pub(super) fn execute(
    connection: &Connection,
    what: &'static str,
    sql: &str,
    params: impl Params,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(params))
        .map(drop)
        .map_err(doing(what))
}
