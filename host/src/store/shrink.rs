//! Writing a database anew without the space that deleted rows left: DuckDB reuses that space, but does not give it back.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::{
    Store,
    beside::Beside,
    error::{StoreError, doing, log_of},
    proof::{current, sums},
    statement::literal,
    swap::Hold,
};

/// The name of the new file in statements.
const NEW: &str = "dyno_shrunk";

impl Store {
    /// Size of the file and its log [bytes].
    #[must_use]
    pub fn size(&self) -> u64 {
        let size = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
        size(self.path()) + size(&log_of(self.path()))
    }

    /// Folds the log into the file.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn fold(&self) -> Result<(), StoreError> {
        let _passing = self.gate.pass();
        self.connection.execute_batch("CHECKPOINT").map_err(doing("folding the log"))
    }

    /// Writes the database into a new file, compares both table by table, and puts the new file in the place of the old. Closes the
    /// database; returns the new size [bytes].
    ///
    /// # Errors
    /// When the disk has no room for a second file, or the database refuses. It is then as it was.
    pub fn shrink(self) -> Result<u64, StoreError> {
        let path = self.path().to_owned();
        let beside = Beside::new(&path, self.size())?;
        let new = beside.file();
        self.fold()?;
        let failed = doing("writing the database anew");
        let old = current(&self.connection)?;
        let run = |sql: &str| self.connection.execute_batch(sql).map_err(&failed);
        run(&format!("ATTACH {} AS {NEW}", literal(&new.to_string_lossy())))?;
        run(&format!("COPY FROM DATABASE \"{}\" TO {NEW}", old.replace('"', "\"\"")))?;
        run(&format!("CHECKPOINT {NEW}"))?;
        let same = sums(&self.connection, &old)? == sums(&self.connection, NEW)?;
        run(&format!("DETACH {NEW}"))?;
        if !same {
            return Err(StoreError::Changed { path });
        }
        let state = || fs::metadata(&path).ok().map(|it| (it.ino(), it.len(), it.mtime(), it.mtime_nsec()));
        let before = state();
        // DuckDB gives its lock back here, and another process may write until the next line has it.
        drop(self);
        let hold = Hold::on(&path)?;
        if state() != before || log_of(&path).exists() {
            return Err(StoreError::Changed { path });
        }
        hold.replace(&new, None)?;
        Ok(fs::metadata(&path).map_or(0, |about| about.len()))
    }
}

#[cfg(test)]
mod tests {
    use crate::store::{
        RunFilter, Store,
        migrate::VERSION,
        proof::examine,
        tests::{VIEWS, record, store_all},
    };

    #[test]
    fn a_shrunk_database_has_everything_in_its_order_and_is_smaller() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d \"x\".duckdb");
        let mut store = Store::open(&path).unwrap();
        let mut run = record();
        store_all(&mut store, &run);
        let whole = store.run("last", true).unwrap();
        let sample = run.cases[0].launches[0].samples[0];
        run.cases[0].launches[0].samples = vec![sample; 300_000];
        for (number, sample) in (0..).zip(&mut run.cases[0].launches[0].samples) {
            sample.wall_ns = (number * 2_654_435_761_u64) % 1_000_003;
        }
        run.id = "large".to_owned();
        store_all(&mut store, &run);
        for name in ["b", "a", "c"] {
            store.save_baseline(name, &whole.id, None, "2026-01-01T10:00:00.000Z").unwrap();
        }
        store.delete_run("large").unwrap();
        store.fold().unwrap();
        let (before, baselines) = (store.size(), store.baselines().unwrap());
        let after = store.shrink().unwrap();
        assert!(after < before, "{before} {after}");
        assert_eq!(examine(&path).unwrap().version, VERSION);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.run("last", true).unwrap(), whole);
        assert_eq!(store.baselines().unwrap(), baselines);
        assert_eq!(store.runs(&RunFilter { limit: 9, ..RunFilter::default() }).unwrap().len(), 1);
        for view in VIEWS {
            let sql = format!("SELECT count(*) FROM {view}");
            store.connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
        }
        drop(store);
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().flatten().map(|it| it.file_name()).collect();
        assert_eq!(left, ["d \"x\".duckdb"]);
    }
}
