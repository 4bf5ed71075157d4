//! Running one statement, and appending rows without one.

use duckdb::{Appender, Connection, Params, ToSql};

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

/// Rows that are appended to a table. Nothing is planned, which for a single row takes far longer than storing it. Texts become
/// the type of their column, like a time in RFC 3339.
pub(super) struct Rows<'a> {
    appender: Appender<'a>,
    what: &'static str,
}

impl<'a> Rows<'a> {
    /// Rows of a table, with all its columns.
    pub(super) fn of(
        connection: &'a Connection,
        what: &'static str,
        table: &str,
    ) -> Result<Self, StoreError> {
        Ok(Self { appender: connection.appender(table).map_err(doing(what))?, what })
    }

    pub(super) fn add(&mut self, row: &[&dyn ToSql]) -> Result<(), StoreError> {
        self.appender.append_row(row).map_err(doing(self.what))
    }

    /// Hands the rows over. They are lost without it.
    pub(super) fn end(mut self) -> Result<(), StoreError> {
        self.appender.flush().map_err(doing(self.what))
    }
}

/// Text as a literal, for statements that take no parameters: a quote is doubled, and nothing else is special. DuckDB refuses text
/// with a NUL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}
