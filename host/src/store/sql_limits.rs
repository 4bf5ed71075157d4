//! What a query may take, who asks, and why a query was refused.

use std::time::Duration;

/// Most bytes of an answer through a server, and of one to the owner of the database.
const ANSWER: usize = 8 << 20;
const ANSWER_TO_OWNER: usize = 64 << 20;
/// Most bytes of one row.
const ROW: usize = 1 << 20;
/// Most memory that the process may gain while a query runs. DuckDB's own limit does not count long texts and lists.
const MEMORY: u64 = 384 << 20;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlCaller {
    /// The process is the caller's own, and so is the file.
    Owner,
    /// Somebody with every right on a server.
    Operator,
    /// Anybody else whom a server answers.
    Stranger,
}

/// What a query may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlLimits {
    /// Who asks.
    pub caller: SqlCaller,
    /// Maximum number of rows of the answer.
    pub rows: u32,
    /// Maximum size of the answer [bytes], as JSON.
    pub bytes: usize,
    /// Maximum size of one row [bytes], as JSON.
    pub row_bytes: usize,
    /// Maximum growth of the process while the query runs [bytes].
    pub memory_bytes: u64,
    /// Time limit.
    pub time: Duration,
}

impl SqlLimits {
    /// The limits of a caller.
    #[must_use]
    pub fn new(caller: SqlCaller, rows: u32, time: Duration) -> Self {
        let bytes = if caller == SqlCaller::Owner { ANSWER_TO_OWNER } else { ANSWER };
        Self { caller, rows, bytes, row_bytes: ROW, memory_bytes: MEMORY, time }
    }
}

/// Why a query was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// It is not a single SELECT.
    #[error("{0}; give one SELECT, like `SELECT * FROM performance_results_view LIMIT 10`")]
    NotOneSelect(String),
    /// DuckDB refused it.
    #[error("{0}")]
    Refused(String),
    /// It took too long.
    #[error("the query took longer than {} s and was stopped; ask for less, or aggregate", .0.as_secs_f64())]
    TooLong(Duration),
    /// It took too much memory.
    #[error("the query took more than {} MiB of memory and was stopped; ask for less, or aggregate", .0 >> 20)]
    TooMuchMemory(u64),
    /// A row is too large.
    #[error(
        "row {row} of the answer is larger than {} KiB; select fewer columns, or a part of a long text, like `left(reason, 200)`",
        most >> 10
    )]
    RowTooLarge {
        /// Which row, from 1.
        row: usize,
        /// Maximum size [bytes].
        most: usize,
    },
    /// It names a function that can make very long values.
    #[error(
        "the function `{0}` is not available through a server, since its value can be far larger than its arguments; in FROM, \
         `range` and `generate_series` are"
    )]
    Amplifier(String),
    /// It reads from a table function that is not available.
    #[error("the table function `{name}` is not available through a server; these are: {known}")]
    NoSource {
        /// Its name.
        name: String,
        /// Those that are.
        known: String,
    },
    /// It would have too many columns.
    #[error("the query has more than {0} `*`; name the columns")]
    TooManyStars(usize),
    /// It reads the audit log without the right to.
    #[error("the table `audit` needs a token with scope `admin`, as `GET /api/audit` does")]
    Audit,
    /// The caller has left.
    #[error("the query was given up")]
    GivenUp,
    /// No thread could be started to watch it.
    #[error("the query cannot be watched, since no thread can be started: {0}; try again")]
    Unwatched(String),
    /// It would show files outside.
    #[error(
        "this connection is not confined to the database; SQL is answered by `dyno serve` and `dyno sql`"
    )]
    NotConfined,
}
