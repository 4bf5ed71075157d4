//! Queries of callers: one SELECT, in a transaction that cannot write, with limits on rows, bytes, memory and time.
//!
//! [`Store::confine`] must have cut the process off from files and network before; otherwise, every query is refused.

use std::{mem::size_of, time::Instant};

use duckdb::types::ValueRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Store,
    brake::{Pulled, SqlBrake},
    error::is_out_of_memory,
    sql_limits::{SqlCaller, SqlError, SqlLimits},
    vet::vet,
};
use crate::user_file::folder_of;

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SqlColumn {
    /// Name or expression in the SELECT; several columns can have the same name.
    pub name: String,
    /// Type of its values, as DuckDB names it, like `BIGINT`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SqlAnswer {
    /// In the order of the SELECT.
    pub columns: Vec<SqlColumn>,
    /// One value per column in each row. Values of types that JSON lacks, such as timestamps, are text.
    pub rows: Vec<Vec<Value>>,
    /// Whether rows are missing, because of the limit on rows or on the size of an answer.
    pub truncated: bool,
    /// Time from the check of the query to its last row [ms].
    pub elapsed_ms: f64,
}

impl Store {
    /// Answers one SELECT. Stops it at its limits, or when `brake` is pulled, even if that happens before the query begins.
    ///
    /// # Errors
    /// When it is not a single SELECT, reads what the caller may not read, exceeds a limit, or DuckDB refuses it.
    pub fn select(&self, sql: &str, limits: SqlLimits, brake: &SqlBrake) -> Result<SqlAnswer, SqlError> {
        let query = Query { store: self, limits, brake, begin: Instant::now() };
        let stop = self.connection.interrupt_handle();
        let _entered = self.strangers.enter(brake);
        let meter = self.another().map_err(|error| SqlError::Unwatched(error.to_string()))?;
        // Of the owner's own process, nothing else needs the memory.
        let share_is_used = move || limits.caller != SqlCaller::Owner && meter.used_by_queries() > SHARE;
        let folder = folder_of(self.path());
        let answer = brake.watched(&stop, limits, &folder, share_is_used, || query.select(sql));
        // When nobody stops anything any more. There may be no transaction: after an error it may have ended by itself.
        let _ = self.connection.execute_batch("ROLLBACK");
        answer.map_err(|error| SqlError::Unwatched(error.to_string()))?
    }

    /// Memory of DuckDB besides pages of tables, which make room by themselves [bytes]. If there is none left to ask with, all of it.
    fn used_by_queries(&self) -> u64 {
        const USED: &str = "SELECT CAST(coalesce(sum(memory_usage_bytes), 0) AS UBIGINT) FROM duckdb_memory()
                            WHERE tag NOT IN ('BASE_TABLE', 'METADATA')";
        self.connection.query_row(USED, [], |row| row.get(0)).unwrap_or(u64::MAX)
    }
}

/// Memory that queries of callers may take together [bytes]. At DuckDB's own limit, above it, a transaction that must be undone cannot
/// be, and then DuckDB refuses everything until it is opened again.
const SHARE: u64 = 256 << 20;

/// A query that is being answered.
struct Query<'a> {
    store: &'a Store,
    limits: SqlLimits,
    brake: &'a SqlBrake,
    begin: Instant,
}

impl Query<'_> {
    fn select(&self, sql: &str) -> Result<SqlAnswer, SqlError> {
        self.go_on()?;
        let connection = &self.store.connection;
        let external: bool = connection
            .query_row("SELECT current_setting('enable_external_access')", [], |row| row.get(0))
            .map_err(|error| self.refusal(&error))?;
        if external {
            return Err(SqlError::NotConfined);
        }
        self.one_select(sql)?;
        self.go_on()?;
        connection.execute_batch("BEGIN TRANSACTION READ ONLY").map_err(|error| self.refusal(&error))?;
        self.answer(sql.trim().trim_end_matches(';'))
    }

    /// Lets DuckDB parse the text, and refuses all but one SELECT that reads only what the caller may read.
    fn one_select(&self, sql: &str) -> Result<(), SqlError> {
        let parsed: String = self
            .store
            .connection
            .query_row("SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", [sql], |row| {
                row.get(0)
            })
            .map_err(|error| self.refusal(&error))?;
        let parsed: Value = serde_json::from_str(&parsed).unwrap_or_default();
        if parsed["error"].as_bool() != Some(false) {
            let said = parsed["error_message"].as_str().unwrap_or("it is nested too deeply");
            let said = if said.contains("Only SELECT statements can be serialized") {
                "only SELECT is answered"
            } else {
                said
            };
            return Err(SqlError::NotOneSelect(first_line(said)));
        }
        match parsed["statements"].as_array().map_or(0, Vec::len) {
            1 => vet(&parsed["statements"], self.limits.caller),
            count => Err(SqlError::NotOneSelect(format!("there are {count} statements"))),
        }
    }

    fn answer(&self, sql: &str) -> Result<SqlAnswer, SqlError> {
        // A line break, for the query may end in a comment.
        let inner = format!("({sql}\n) AS asked");
        let columns = self
            .store
            .rows_once(&format!("DESCRIBE SELECT * FROM {inner}"), [], |row| {
                Ok(SqlColumn { name: row.get(0)?, kind: row.get(1)? })
            })
            .map_err(|error| self.refusal(&error))?;
        self.go_on()?;
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
        let limit = u64::from(self.limits.rows) + 1;
        let sql = format!("SELECT {} FROM {inner} LIMIT {limit}", shown.join(", "));
        let (rows, truncated) = self.stream(&sql, columns.len())?;
        Ok(SqlAnswer { columns, rows, truncated, elapsed_ms: self.begin.elapsed().as_secs_f64() * 1e3 })
    }

    /// The rows that fit, and whether there are more. DuckDB computes rows as they are read, so the others cost nothing.
    fn stream(&self, sql: &str, width: usize) -> Result<(Vec<Vec<Value>>, bool), SqlError> {
        let refused = |error: duckdb::Error| self.refusal(&error);
        let mut statement = self.store.connection.prepare(sql).map_err(refused)?;
        // Begins a result that is read piece by piece. Its own iterator would panic where a piece cannot be read.
        let _ = statement.stream_arrow([]).map_err(refused)?;
        let mut stream = statement.raw_query();
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(row) = stream.next().map_err(refused)? {
            if rows.len() >= self.limits.rows as usize {
                return Ok((rows, true));
            }
            let cells: Vec<ValueRef<'_>> =
                (0..width).map(|at| row.get_ref(at)).collect::<Result<_, _>>().map_err(refused)?;
            let size: usize = cells.iter().map(weight).sum();
            if size > self.limits.row_bytes {
                return Err(SqlError::RowTooLarge { row: rows.len() + 1, most: self.limits.row_bytes });
            }
            bytes += size;
            if bytes > self.limits.bytes {
                return Ok((rows, true));
            }
            rows.push(cells.into_iter().map(json).collect());
        }
        Ok((rows, false))
    }

    /// Fails if the brake was pulled.
    fn go_on(&self) -> Result<(), SqlError> {
        self.stopped().map_or(Ok(()), Err)
    }

    fn stopped(&self) -> Option<SqlError> {
        Some(match self.brake.pulled()? {
            Pulled::Time => SqlError::TooLong(self.limits.time),
            Pulled::Memory => SqlError::TooMuchMemory(self.limits.memory_bytes),
            Pulled::Share => SqlError::OutOfMemory,
            Pulled::MadeWay => SqlError::MadeWay,
            Pulled::Disk => SqlError::DiskFull,
            Pulled::Caller => SqlError::GivenUp,
        })
    }

    /// What an error of DuckDB means: a query that is stopped fails with whatever error it meets first.
    fn refusal(&self, error: &duckdb::Error) -> SqlError {
        self.stopped().unwrap_or_else(|| match is_out_of_memory(error) {
            true => SqlError::OutOfMemory,
            false => SqlError::Refused(first_line(&error.to_string())),
        })
    }
}

/// Whether JSON can represent all values of this type, so that they need not become text.
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

/// Size of a cell [bytes]: as JSON or in memory, whichever is larger.
fn weight(cell: &ValueRef<'_>) -> usize {
    let text: &[u8] = match cell {
        ValueRef::Text(text) => text,
        _ => &[],
    };
    let escapes: usize = text
        .iter()
        .map(|byte| match byte {
            0..=0x1f => 5,
            b'"' | b'\\' => 1,
            _ => 0,
        })
        .sum();
    size_of::<Value>() + text.len() + escapes
}

fn json(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Boolean(value) => value.into(),
        ValueRef::TinyInt(value) => value.into(),
        ValueRef::SmallInt(value) => value.into(),
        ValueRef::Int(value) => value.into(),
        ValueRef::BigInt(value) => value.into(),
        ValueRef::UTinyInt(value) => value.into(),
        ValueRef::USmallInt(value) => value.into(),
        ValueRef::UInt(value) => value.into(),
        ValueRef::UBigInt(value) => value.into(),
        // JSON has no infinities: they are null, as everywhere in dyno.
        ValueRef::Float(value) => value.into(),
        ValueRef::Double(value) => value.into(),
        ValueRef::Text(value) => String::from_utf8_lossy(value).into(),
        _ => Value::Null,
    }
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::sql_limits::SqlCaller;

    const LIMITS: SqlLimits = SqlLimits {
        caller: SqlCaller::Owner,
        rows: 3,
        bytes: 1 << 20,
        row_bytes: 1 << 10,
        memory_bytes: u64::MAX,
        time: Duration::from_secs(60),
    };

    /// It would take days.
    const ENDLESS: &str =
        "SELECT count(*) FROM range(1000000) a, range(1000000000) b WHERE hash(a.range * b.range) = 7";

    fn select(store: &Store, sql: &str, limits: SqlLimits) -> Result<SqlAnswer, SqlError> {
        store.select(sql, limits, &SqlBrake::default())
    }

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
        let answer = select(&store, sql, LIMITS).unwrap();
        assert!(answer.truncated);
        assert_eq!(answer.rows.len(), 3);
        assert_eq!(answer.rows[1], [1.into(), "1".into(), "[1]".into(), "1.50".into(), Value::Null]);
        assert_eq!(answer.columns[2].kind, "BIGINT[]");
        assert!(select(&store, "FROM runs;", LIMITS).unwrap().rows.is_empty());
        assert!(select(&store, "WITH a AS (SELECT 1) SELECT * FROM a", LIMITS).is_ok());
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
            let error = select(&store, &sql, LIMITS).expect_err(&sql).to_string();
            assert!(error.len() > 15 && !error.contains('\n'), "{sql}: {error}");
        }
        assert!(!std::path::Path::new(&file).exists());
        assert!(select(&store, "SELECT count(*) FROM runs", LIMITS).is_ok(), "the tables are still there");
    }

    #[test]
    fn a_query_that_never_ends_is_stopped() {
        let (_folder, store) = confined();
        let limits = SqlLimits { time: Duration::from_millis(300), ..LIMITS };
        assert_eq!(select(&store, ENDLESS, limits), Err(SqlError::TooLong(limits.time)));
        assert!(select(&store, "SELECT 1", LIMITS).is_ok(), "the connection is of use afterwards");
    }

    #[test]
    fn a_brake_remembers_that_it_was_pulled_before_the_query_began() {
        let (_folder, store) = confined();
        let brake = SqlBrake::default();
        brake.pull();
        assert_eq!(store.select(ENDLESS, LIMITS, &brake), Err(SqlError::GivenUp));
        // And it stops one that has begun.
        let brake = SqlBrake::default();
        let pulled = brake.clone();
        let client = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            pulled.pull();
        });
        assert_eq!(store.select(ENDLESS, LIMITS, &brake), Err(SqlError::GivenUp));
        client.join().unwrap();
    }

    #[test]
    fn rows_and_answers_are_bounded_in_bytes() {
        let (_folder, store) = confined();
        let wide = "SELECT i, repeat('x', i * 500) FROM range(10) r(i)";
        let limits = SqlLimits { rows: 10_000, ..LIMITS };
        assert_eq!(select(&store, wide, limits), Err(SqlError::RowTooLarge { row: 3, most: 1 << 10 }));
        let long = "SELECT repeat('x', 500) FROM range(10000)";
        let answer = select(&store, long, limits).unwrap();
        assert!(answer.truncated && (1_000..2_100).contains(&answer.rows.len()), "{}", answer.rows.len());
        // What is escaped is longer than it looks.
        let escaped = SqlLimits { bytes: 2_000, ..limits };
        let answer = select(&store, "SELECT repeat(chr(1), 100) FROM range(100)", escaped).unwrap();
        assert!(serde_json::to_vec(&answer.rows).unwrap().len() <= 2_000 && answer.truncated);
    }

    #[test]
    fn memory_that_duckdb_does_not_count_stops_a_query() {
        let (_folder, store) = confined();
        let doubling = "WITH RECURSIVE t AS (SELECT 'xxxxxxxxxxxxxxxx' AS s UNION ALL SELECT s || s FROM t \
                        WHERE length(s) < 100000000) SELECT max(length(s)) FROM t";
        let limits = SqlLimits { memory_bytes: 32 << 20, ..LIMITS };
        match select(&store, doubling, limits) {
            // DuckDB counts a part of it, and may be first.
            Err(SqlError::TooMuchMemory(_) | SqlError::Refused(_)) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn strangers_are_refused_what_makes_much_of_little_and_the_audit_log() {
        let (_folder, store) = confined();
        let asks = |caller, sql: &str| select(&store, sql, SqlLimits { caller, ..LIMITS });
        for sql in [
            "SELECT * FROM audit",
            "SELECT who FROM main.\"AUDIT\" LIMIT 1",
            "SELECT (SELECT max(path) FROM audit)",
            "WITH a AS (FROM audit) SELECT count(*) FROM a",
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM runs, audit)",
            "FROM (DESCRIBE audit)",
        ] {
            assert_eq!(asks(SqlCaller::Stranger, sql), Err(SqlError::Audit), "{sql}");
            assert!(asks(SqlCaller::Operator, sql).is_ok(), "{sql}");
        }
        for caller in [SqlCaller::Stranger, SqlCaller::Operator] {
            for sql in [
                "SELECT * FROM query('SELECT * FROM audit')",
                "SELECT * FROM query_table('audit')",
                "SELECT * FROM pragma_storage_info('audit')",
                "SELECT * FROM histogram('audit', who)",
            ] {
                assert!(matches!(asks(caller, sql), Err(SqlError::NoSource { .. })), "{sql}");
            }
            for sql in [
                "SELECT repeat('x', 1000000) FROM range(10000)",
                "SELECT ('x').repeat(1000000)",
                "SELECT main.REPEAT('x', 10)",
                "SELECT lpad('x', 1000000000, 'y')",
                "SELECT len(range(1000000000))",
                "SELECT 1 FROM range(len(range(10)))",
                "SELECT list_reduce([1, 2], lambda a, b: a + b)",
            ] {
                assert!(
                    matches!(asks(caller, sql), Err(SqlError::Amplifier(_))),
                    "{sql}: {:?}",
                    asks(caller, sql)
                );
            }
            let stars = "SELECT *, *, *, *, *, *, *, *, * FROM runs";
            assert_eq!(asks(caller, stars), Err(SqlError::TooManyStars(8)));
            for sql in [
                "SELECT count(*), max(i) FROM range(5) r(i), generate_series(1, 3)",
                "SELECT unnest([1, 2]), 'a' || 'b', replace('abc', 'b', 'x')",
                "SELECT r.*, c.* FROM runs r JOIN cases c USING (run_no)",
                "SELECT table_name FROM duckdb_tables()",
                "SELECT * FROM (VALUES (1), (2))",
            ] {
                assert!(asks(caller, sql).is_ok(), "{sql}: {:?}", asks(caller, sql));
            }
        }
    }

    #[test]
    fn an_open_connection_answers_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        assert_eq!(select(&store, "SELECT 1", LIMITS), Err(SqlError::NotConfined));
    }
}
