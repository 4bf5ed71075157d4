//! A consistent copy of a database that is in use.

use std::{
    fs::{self, File},
    io::{self, Seek},
    time::{Duration, Instant},
};

use duckdb::AccessMode;

use super::{
    Store,
    beside::Beside,
    error::{StoreError, doing, log_of},
    open::connect,
};
use crate::fault::{HostFault, Place};

/// A copy of a database as one file, in a hidden folder beside it. It is removed when this is dropped.
#[derive(Debug)]
pub struct Snapshot {
    beside: Beside,
    bytes: u64,
    held: Duration,
}

impl Snapshot {
    /// Size of the copy [bytes].
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How long nothing could be written to the database.
    #[must_use]
    pub fn held(&self) -> Duration {
        self.held
    }

    /// Opens the copy for reading.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open(&self) -> io::Result<File> {
        File::open(self.beside.file())
    }
}

impl Store {
    /// Copies the database. It holds everything that was committed before, and nothing that was not. Commits through any connection
    /// of this process wait meanwhile; reading goes on.
    ///
    /// # Errors
    /// When the disk has no room for a copy, or a file cannot be read or written.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let path = self.path();
        let size = |path: &std::path::Path| fs::metadata(path).map_or(0, |about| about.len());
        let beside = Beside::new(path, size(path) + 2 * size(&log_of(path)))?;
        let copy = beside.file();
        let fault = |error: io::Error| {
            HostFault::new(format!("cannot copy the database `{}`", path.display()), &error, Place::Machine)
        };
        let closed = self.gate.close();
        let begin = Instant::now();
        // Without it the copy has a log, which costs time below, and nothing else.
        let _ = self.connection.execute_batch("CHECKPOINT");
        let mut from = self.file().map_err(fault)?;
        from.rewind().map_err(fault)?;
        let mut to = File::create_new(&copy).map_err(fault)?;
        io::copy(&mut from, &mut to).map_err(fault)?;
        let has_log = size(&log_of(path)) > 0;
        if has_log {
            fs::copy(log_of(path), log_of(&copy)).map_err(fault)?;
        }
        drop(closed);
        let held = begin.elapsed();
        drop(to);
        if has_log {
            let connection = connect(&copy, AccessMode::ReadWrite)?;
            connection.execute_batch("CHECKPOINT").map_err(doing("folding the log of a copy"))?;
        }
        Ok(Snapshot { bytes: size(&copy), beside, held })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use crate::store::{
        Store,
        proof::examine,
        tests::{record, store_all},
    };

    fn copy_of(store: &Store, to: &std::path::Path) {
        let snapshot = store.snapshot().unwrap();
        let copied = std::io::copy(&mut snapshot.open().unwrap(), &mut std::fs::File::create(to).unwrap());
        assert_eq!(copied.unwrap(), snapshot.bytes());
    }

    #[test]
    fn every_copy_taken_while_others_write_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.duckdb");
        let mut store = Store::open(&path).unwrap().for_server();
        let run = record();
        store_all(&mut store, &run);
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            for case in 0..2 {
                let (mut store, run, ended) = (store.another().unwrap(), &run, &ended);
                scope.spawn(move || {
                    let mut launch = run.cases[0].launches[0].clone();
                    launch.samples = vec![launch.samples[0]; 1_000];
                    for index in 1_000.. {
                        if ended.load(Ordering::Relaxed) {
                            return;
                        }
                        launch.index = index;
                        store.commit_launch(&run.id, case, &launch).unwrap();
                    }
                });
            }
            for number in 0..5 {
                let copy = folder.path().join(format!("{number}.duckdb"));
                let before = store.run("last", true).unwrap();
                copy_of(&store, &copy);
                examine(&copy).unwrap();
                let copied = Store::open_read_only(&copy).unwrap().run("last", true).unwrap();
                for (case, copied) in before.cases.iter().zip(&copied.cases) {
                    assert!(copied.launches.len() >= case.launches.len());
                    // No launch is there by half.
                    let full = copied.launches.iter().filter(|it| it.index >= 1_000);
                    assert!(full.clone().all(|it| it.samples.len() == 1_000), "{number}");
                }
            }
            ended.store(true, Ordering::Relaxed);
        });
        let left = std::fs::read_dir(folder.path()).unwrap().flatten().filter(|it| it.path().is_dir());
        assert_eq!(left.count(), 0, "no copy stays");
    }

    #[test]
    fn a_reader_with_an_old_view_neither_waits_nor_spoils_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("d.duckdb"), folder.path().join("b.duckdb"));
        let mut store = Store::open(&path).unwrap().for_server();
        let mut run = record();
        store_all(&mut store, &run);
        let reader = store.another().unwrap();
        reader.connection.execute_batch("BEGIN TRANSACTION READ ONLY").unwrap();
        let rows =
            || reader.connection.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, u32>(0));
        assert_eq!(rows().unwrap(), 1);
        let first = std::mem::replace(&mut run.id, "another".to_owned());
        store_all(&mut store, &run);
        store.delete_run(&first).unwrap();
        copy_of(&store, &copy);
        assert_eq!(rows().unwrap(), 1, "it sees what it saw");
        assert_eq!(examine(&copy).unwrap().runs, 1);
        assert_eq!(Store::open_read_only(&copy).unwrap().run("last", true).unwrap(), run);
    }
}
