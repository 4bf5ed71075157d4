//! How many results have each metric. That is counted over all results, so it is kept until something is written.

use std::sync::{Arc, Mutex, PoisonError};

use duckdb::params;
use dyno_core::model::Better;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Store,
    columns::better_of,
    error::{StoreError, doing},
};

/// A metric and how many results have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricCount {
    /// Name of the metric.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
    /// Number of results in all runs.
    pub results: u64,
}

/// The counts at a revision, for all connections of a process.
#[derive(Debug, Clone, Default)]
pub(super) struct MetricCounts(Arc<Mutex<Option<(u64, Vec<MetricCount>)>>>);

impl Store {
    /// The metrics that results have, the most frequent first.
    pub(super) fn metric_counts(&self) -> Result<Vec<MetricCount>, StoreError> {
        // Before counting: what is written meanwhile makes the counts outdated.
        let revision = self.revision.get();
        let kept = || self.metric_counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of a database that is only read, another process may write.
        let is_current = |known: u64| known == revision && !self.read_only;
        if let Some((_, counts)) = kept().as_ref().filter(|(known, _)| is_current(*known)) {
            return Ok(counts.clone());
        }
        let sql = "SELECT name, min(unit), min(better), count(*)::UBIGINT AS results FROM metrics
                   GROUP BY name ORDER BY results DESC, name LIMIT 200";
        let counted: Vec<MetricCount> = self
            .rows(sql, params![], |row| {
                let better: String = row.get(2)?;
                Ok(MetricCount {
                    name: row.get(0)?,
                    unit: row.get(1)?,
                    better: better_of(&better),
                    results: row.get(3)?,
                })
            })
            .map_err(doing("counting metrics"))?;
        *kept() = Some((revision, counted.clone()));
        Ok(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{record, store_all};

    #[test]
    fn what_is_kept_is_counted_again_after_a_write() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        let time = |store: &Store| {
            store.metric_counts().unwrap().into_iter().find(|it| it.name == "time").map_or(0, |it| it.results)
        };
        let mut run = record();
        assert_eq!(time(&store), 0);
        for round in 1..=2 {
            run.id = format!("run{round}");
            store_all(&mut store, &run);
            let measured = run.cases.iter().filter(|case| case.metric("time").is_some()).count() as u64;
            assert!(measured > 0);
            assert_eq!((time(&store), time(&store)), (round * measured, round * measured));
        }
    }
}
