//! Limits of a query, kinds of callers, and reasons for refusing a query.

use std::time::Duration;

/// Maximum size of an answer [bytes]: through a server, and to the owner of the database.
const ANSWER: usize = 8 << 20;
const ANSWER_TO_OWNER: usize = 64 << 20;
/// Maximum size of one row [bytes].
const ROW: usize = 1 << 20;
/// Maximum memory that the process may gain while a query runs [bytes]. DuckDB's own limit does not count long texts and
/// lists.
const MEMORY: u64 = 384 << 20;

/// The sender of a query. It decides what the query may read and how large its answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlCaller {
    /// The user of this process, who owns the file.
    Owner,
    /// A caller of a server whose token has the scope `admin`.
    Operator,
    /// Any other caller of a server.
    Stranger,
}

/// Limits at which a query is stopped or its answer cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlLimits {
    /// Decides which tables and functions the query may use.
    pub caller: SqlCaller,
    /// Maximum number of rows; more are cut off.
    pub rows: u32,
    /// Maximum size of the answer [bytes], as JSON.
    pub bytes: usize,
    /// Maximum size of one row [bytes], as JSON.
    pub row_bytes: usize,
    /// Maximum growth of the process while the query runs [bytes].
    pub memory_bytes: u64,
    /// Maximum time, by a monotonic clock.
    pub time: Duration,
}

impl SqlLimits {
    /// The usual limits for this caller on size and memory.
    #[must_use]
    pub fn new(caller: SqlCaller, rows: u32, time: Duration) -> Self {
        let bytes = if caller == SqlCaller::Owner { ANSWER_TO_OWNER } else { ANSWER };
        Self { caller, rows, bytes, row_bytes: ROW, memory_bytes: MEMORY, time }
    }
}

/// Why a query was refused or stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say what the variants and their fields are")]
pub enum SqlError {
    #[error("{0}; give one SELECT, like `SELECT * FROM performance_results_view LIMIT 10`")]
    NotOneSelect(String),
    /// By DuckDB, in its words.
    #[error("{0}")]
    Refused(String),
    #[error("the query took longer than {} s and was stopped; ask for less, or aggregate", .0.as_secs_f64())]
    TooLong(Duration),
    #[error("the query took more than {} MiB of memory and was stopped; ask for less, or aggregate", .0 >> 20)]
    TooMuchMemory(u64),
    #[error("the query needs more memory than the database may use; ask for less, or aggregate")]
    OutOfMemory,
    /// DuckDB's memory has one limit for the whole database.
    #[error(
        "the query was stopped because the server needed its memory to store results; ask for less, or try again later"
    )]
    MadeWay,
    #[error(
        "the query was stopped because the disk of the server is nearly full; ask for less, or try again later"
    )]
    DiskFull,
    #[error(
        "row {row} of the answer is larger than {} KiB; select fewer columns, or a part of a long text, like `left(reason, 200)`",
        most >> 10
    )]
    RowTooLarge {
        /// Counted from 1.
        row: usize,
        /// Maximum size [bytes].
        most: usize,
    },
    /// It calls a function whose value can be far longer than its arguments, which DuckDB's memory limit does not count.
    #[error(
        "the function `{0}` is not available through a server, since its value can be far larger than its arguments; in FROM, \
         `range` and `generate_series` are"
    )]
    Amplifier(String),
    #[error("the table function `{name}` is not available through a server; these are: {known}")]
    NoSource {
        name: String,
        /// The table functions that are available, separated by commas.
        known: String,
    },
    /// Each `*` can double the number of columns.
    #[error("the query has more than {0} `*`; name the columns")]
    TooManyStars(usize),
    #[error("the table `audit` needs a token with scope `admin`, as `GET /api/audit` does")]
    Audit,
    /// The caller disconnected, or cancelled it.
    #[error("the query was given up")]
    GivenUp,
    #[error("the query cannot be watched, since no thread can be started: {0}; try again")]
    Unwatched(String),
    /// Without [`Store::confine`](super::Store::confine), SQL could read files of this machine.
    #[error(
        "this connection is not confined to the database; SQL is answered by `dyno serve` and `dyno sql`"
    )]
    NotConfined,
}
