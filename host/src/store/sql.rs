//! SQL of strangers: one SELECT, in a transaction that cannot write, within limits of rows and time.
//!
//! What a statement may reach at all, [`Store::confine`] says for the whole process; without it, this refuses.

use std::time::{Duration, Instant};

use duckdb::types::Value as Cell;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Store;

/// What a query may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlLimits {
    /// Most rows that are given back; more are said to be there.
    pub rows: u32,
    /// Longest time.
    pub time: Duration,
}

/// One column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// Its type, in the words of DuckDB.
    #[serde(rename = "type")]
    pub kind: String,
}

/// What a query gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SqlAnswer {
    /// The columns, in order.
    pub columns: Vec<SqlColumn>,
    /// The rows, each with a value per column. Types that JSON does not have are text.
    pub rows: Vec<Vec<Value>>,
    /// Whether there were more rows than the limit.
    pub truncated: bool,
    /// How long it took [ms].
    pub elapsed_ms: f64,
}

/// Why a query was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// It is no single SELECT.
    #[error("{0}; give one SELECT, like `SELECT * FROM performance_results_view LIMIT 10`")]
    NotOneSelect(String),
    /// DuckDB refused it.
    #[error("{0}")]
    Refused(String),
    /// It took too long.
    #[error("the query took longer than {} s and was stopped; ask for less, or aggregate", .0.as_secs_f64())]
    TooLong(Duration),
    /// It would show files outside.
    #[error(
        "this connection is not confined to the database; SQL is answered by `dyno serve` and `dyno sql`"
    )]
    NotConfined,
}

/// Stops a query from another thread.
#[derive(Clone)]
pub struct SqlStop(std::sync::Arc<duckdb::InterruptHandle>);

impl std::fmt::Debug for SqlStop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlStop")
    }
}

impl SqlStop {
    /// Stops what the connection is doing.
    pub fn stop(&self) {
        self.0.interrupt();
    }
}

impl Store {
    /// What stops a query on this connection.
    #[must_use]
    pub fn sql_stop(&self) -> SqlStop {
        SqlStop(self.connection.interrupt_handle())
    }

    /// Answers one SELECT. Somebody else must see to the time: [`Store::sql_stop`].
    ///
    /// # Errors
    /// When it is no single SELECT, or DuckDB refuses it.
    pub fn select(&self, sql: &str, limits: SqlLimits) -> Result<SqlAnswer, SqlError> {
        let begin = Instant::now();
        let refused = |error: duckdb::Error| refusal(&error, limits);
        let external: bool = self
            .connection
            .query_row("SELECT current_setting('enable_external_access')", [], |row| row.get(0))
            .map_err(refused)?;
        if external {
            return Err(SqlError::NotConfined);
        }
        self.one_select(sql)?;
        self.connection.execute_batch("BEGIN TRANSACTION READ ONLY").map_err(refused)?;
        let answer = self.answer(sql.trim().trim_end_matches(';'), limits, begin);
        // After an error the transaction may have ended by itself.
        let _ = self.connection.execute_batch("ROLLBACK");
        answer
    }

    /// Asks the parser of the database itself whether this is one SELECT.
    fn one_select(&self, sql: &str) -> Result<(), SqlError> {
        let parsed: String = self
            .connection
            .query_row("SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", [sql], |row| {
                row.get(0)
            })
            .map_err(|error| SqlError::Refused(first_line(&error.to_string())))?;
        let parsed: Value = serde_json::from_str(&parsed).unwrap_or_default();
        if parsed["error"].as_bool() != Some(false) {
            let said = parsed["error_message"].as_str().unwrap_or("it cannot be read");
            let said = if said.contains("Only SELECT statements can be serialized") {
                "only SELECT is answered"
            } else {
                said
            };
            return Err(SqlError::NotOneSelect(first_line(said)));
        }
        match parsed["statements"].as_array().map_or(0, Vec::len) {
            1 => Ok(()),
            count => Err(SqlError::NotOneSelect(format!("there are {count} statements"))),
        }
    }

    fn answer(&self, sql: &str, limits: SqlLimits, begin: Instant) -> Result<SqlAnswer, SqlError> {
        let refused = |error: duckdb::Error| refusal(&error, limits);
        // A line break, for the query may end in a comment.
        let inner = format!("({sql}\n) AS asked");
        let columns = self
            .rows(&format!("DESCRIBE SELECT * FROM {inner}"), [], |row| {
                Ok(SqlColumn { name: row.get(0)?, kind: row.get(1)? })
            })
            .map_err(refused)?;
        let shown: Vec<String> = columns
            .iter()
            .zip(1..)
            .map(|(column, number)| {
                if is_plain(&column.kind) {
                    format!("#{number}")
                } else {
                    format!("CAST(#{number} AS VARCHAR)")
                }
            })
            .collect();
        let limit = u64::from(limits.rows) + 1;
        let sql = format!("SELECT {} FROM {inner} LIMIT {limit}", shown.join(", "));
        let width = columns.len();
        let mut rows = self
            .rows(&sql, [], |row| (0..width).map(|at| row.get::<_, Cell>(at).map(json)).collect())
            .map_err(refused)?;
        let truncated = rows.len() > limits.rows as usize;
        rows.truncate(limits.rows as usize);
        Ok(SqlAnswer { columns, rows, truncated, elapsed_ms: begin.elapsed().as_secs_f64() * 1e3 })
    }
}

/// Whether JSON has a value for it.
fn is_plain(kind: &str) -> bool {
    matches!(
        kind,
        "BOOLEAN"
            | "TINYINT"
            | "SMALLINT"
            | "INTEGER"
            | "BIGINT"
            | "UTINYINT"
            | "USMALLINT"
            | "UINTEGER"
            | "UBIGINT"
            | "FLOAT"
            | "DOUBLE"
            | "VARCHAR"
    )
}

fn json(cell: Cell) -> Value {
    match cell {
        Cell::Boolean(value) => value.into(),
        Cell::TinyInt(value) => value.into(),
        Cell::SmallInt(value) => value.into(),
        Cell::Int(value) => value.into(),
        Cell::BigInt(value) => value.into(),
        Cell::UTinyInt(value) => value.into(),
        Cell::USmallInt(value) => value.into(),
        Cell::UInt(value) => value.into(),
        Cell::UBigInt(value) => value.into(),
        // JSON has no infinities: they are null, as everywhere in dyno.
        Cell::Float(value) => value.into(),
        Cell::Double(value) => value.into(),
        Cell::Text(value) => value.into(),
        _ => Value::Null,
    }
}

fn refusal(error: &duckdb::Error, limits: SqlLimits) -> SqlError {
    let message = error.to_string();
    if message.contains("INTERRUPT") || message.contains("Interrupted") {
        return SqlError::TooLong(limits.time);
    }
    SqlError::Refused(first_line(&message))
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SqlLimits = SqlLimits { rows: 3, time: Duration::from_millis(300) };

    fn confined() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        let scratch = folder.path().join("scratch");
        std::fs::create_dir(&scratch).unwrap();
        store.confine(&scratch).unwrap();
        (folder, store)
    }

    #[test]
    fn a_select_is_answered_within_its_rows() {
        let (_folder, store) = confined();
        let sql = "SELECT i, i::VARCHAR AS t, [i] AS list, 1.5::DECIMAL(4,2) AS d, 'inf'::DOUBLE AS f FROM range(5) r(i) -- c";
        let answer = store.select(sql, LIMITS).unwrap();
        assert!(answer.truncated);
        assert_eq!(answer.rows.len(), 3);
        assert_eq!(answer.rows[1], [1.into(), "1".into(), "[1]".into(), "1.50".into(), Value::Null]);
        assert_eq!(answer.columns[2].kind, "BIGINT[]");
        assert!(store.select("FROM runs;", LIMITS).unwrap().rows.is_empty());
        assert!(store.select("WITH a AS (SELECT 1) SELECT * FROM a", LIMITS).is_ok());
    }

    #[test]
    fn attacks_are_refused_with_a_sentence() {
        let (folder, store) = confined();
        let file = folder.path().join("out.csv").display().to_string();
        for sql in [
            format!("COPY runs TO '{file}'"),
            format!("COPY (SELECT 1) TO '{file}'"),
            format!("ATTACH '{file}' AS other"),
            "INSTALL httpfs".to_owned(),
            "LOAD httpfs".to_owned(),
            "PRAGMA database_list".to_owned(),
            "SET enable_external_access = true".to_owned(),
            "SET memory_limit = '1TB'".to_owned(),
            "SELECT * FROM read_text('/etc/passwd')".to_owned(),
            "SELECT * FROM '/etc/passwd'".to_owned(),
            "SELECT * FROM read_csv('/etc/passwd')".to_owned(),
            "SELECT * FROM glob('/etc/*')".to_owned(),
            "SELECT 1; DROP TABLE runs".to_owned(),
            "SELECT 1) AS a; DROP TABLE runs; SELECT * FROM (SELECT 1".to_owned(),
            "DELETE FROM runs".to_owned(),
            "WITH a AS (DELETE FROM runs RETURNING *) SELECT * FROM a".to_owned(),
            "CREATE TABLE x (a INTEGER)".to_owned(),
            "CALL pragma_version()".to_owned(),
            "EXPORT DATABASE '/tmp/x'".to_owned(),
            "CHECKPOINT".to_owned(),
            String::new(),
            "SELECT".to_owned(),
            "\0".to_owned(),
        ] {
            let error = store.select(&sql, LIMITS).expect_err(&sql).to_string();
            assert!(error.len() > 15 && !error.contains('\n'), "{sql}: {error}");
        }
        assert!(!std::path::Path::new(&file).exists());
        assert!(store.select("SELECT count(*) FROM runs", LIMITS).is_ok(), "the tables are still there");
    }

    #[test]
    fn a_query_that_never_ends_is_stopped() {
        let (_folder, store) = confined();
        let stop = store.sql_stop();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(LIMITS.time);
            stop.stop();
        });
        let sql = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range + b.range = 7";
        assert_eq!(store.select(sql, LIMITS), Err(SqlError::TooLong(LIMITS.time)));
        thread.join().unwrap();
        assert!(store.select("SELECT 1", LIMITS).is_ok(), "the connection is of use afterwards");
    }

    #[test]
    fn an_open_connection_answers_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        assert_eq!(store.select("SELECT 1", LIMITS), Err(SqlError::NotConfined));
    }
}
