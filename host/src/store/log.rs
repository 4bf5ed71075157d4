//! The write-ahead log of a server's database, kept short: whoever opens the database after a kill replays the log before
//! anything else, and each transaction in it takes DuckDB about half a millisecond, however small it is.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use duckdb::Connection;

use super::revision::Touched;
use crate::fault::free_bytes;

/// Number of transactions after which the log is folded into the file by one that submits a run. Folding takes about fifty
/// milliseconds at any size of database, and replaying so many less than a tenth of a second.
const FOLDED_BY_SUBMITTING: u32 = 128;
/// The same for every other transaction. While a run is measured, readers wait for what it wrote last, and folding would hold them
/// up: so seldom, fewer than one in a hundred answers is late.
const FOLDED_BY_ANY: u32 = 1_024;

/// The log is not folded with less free space on its disk [bytes]: if DuckDB cannot write the whole of it, it refuses everything
/// from then on.
const LEAST_ROOM: u64 = 64 << 20;

/// The log that all connections of this process write to.
#[derive(Debug)]
pub(super) struct Log {
    /// Where the database is.
    folder: PathBuf,
    /// Number of transactions in it.
    transactions: AtomicU32,
}

impl Log {
    /// An empty log.
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        Self { folder, transactions: AtomicU32::new(0) }
    }

    /// Counts a transaction that was committed, and folds the log if it has become long.
    pub(super) fn grew(&self, touched: Touched, connection: &Connection) {
        let most = if touched == Touched::NewRun { FOLDED_BY_SUBMITTING } else { FOLDED_BY_ANY };
        let count = self.transactions.fetch_add(1, Ordering::Relaxed) + 1;
        if count < most || free_bytes(&self.folder).is_none_or(|free| free < LEAST_ROOM) {
            return;
        }
        // Refused while another connection writes: it is tried again after the next transaction.
        if connection.execute_batch("CHECKPOINT").is_ok() {
            self.transactions.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::store::{Store, error::log_of, tests::record};

    #[test]
    fn the_log_of_a_server_stays_short_and_a_commands_is_folded_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dyno.duckdb");
        let run = record();
        let length = || fs::metadata(log_of(&path)).map_or(0, |about| about.len());
        let mut lengths = Vec::new();
        for serves in [false, true] {
            let mut store = Store::open(&path).unwrap();
            if serves {
                store = store.for_server();
            } else {
                store.begin_run(&run).unwrap();
            }
            for _ in 0..super::FOLDED_BY_ANY {
                // Through several connections, of which one is open all the time.
                store.another().unwrap().finish_run(&run.id, run.status, &run.created_at).unwrap();
            }
            lengths.push(length());
        }
        assert!(lengths[0] > 10_000, "{lengths:?}");
        assert!(lengths[1] < lengths[0] / 10, "{lengths:?}");
        assert_eq!(length(), 0, "closing the database folds what is left");
    }
}
