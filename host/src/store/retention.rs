//! Which runs and samples are older than they are kept, and their removal, in transactions of bounded size.

use std::collections::HashSet;

use duckdb::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Store,
    error::{StoreError, doing},
    read::TIME,
    revision::Touched,
    statement::execute,
};

/// Number of samples of a launch that stay when it is thinned.
const KEPT: u32 = 100;
/// Samples that are removed in one transaction, if the next case does not have more by itself.
const AT_ONCE: u64 = 1_000_000;
/// A run with this tag is never removed and never thinned.
pub const KEEP: &str = "keep";

/// From when on runs and samples are kept (RFC 3339, UTC); absent: all are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptSince {
    /// Runs that began earlier are removed.
    pub runs: Option<String>,
    /// Samples of runs that began earlier are thinned.
    pub samples: Option<String>,
}

/// A run that is older than it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutdatedRun {
    /// Identifier of the run.
    pub run: String,
    /// When it began (RFC 3339, UTC).
    pub created_at: String,
    /// Number of its samples.
    pub samples: u64,
}

/// A run whose samples are older than they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutdatedSamples {
    /// Identifier of the run.
    pub run: String,
    /// When it began (RFC 3339, UTC).
    pub created_at: String,
    /// Number of launches with more samples than stay.
    pub launches: u64,
    /// Number of samples to remove.
    pub samples: u64,
}

/// What is older than it is kept, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outdated {
    /// Runs to remove.
    pub runs: Vec<OutdatedRun>,
    /// Runs whose launches are to be thinned.
    pub samples: Vec<OutdatedSamples>,
}

impl Outdated {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.samples.is_empty()
    }
}

/// Ended runs that nobody needs: they are not a baseline, and do not carry the tag [`KEEP`].
const UNNEEDED: &str = "r.status NOT IN ('queued', 'running') AND NOT list_contains(r.tags, 'keep')
    AND r.id NOT IN (SELECT arg_max(run_id, rowid) FROM baselines GROUP BY name)";
/// Before a moment.
const OLD: &str = "r.created_at < CAST(? AS TIMESTAMP)";

/// Of the samples of a launch, every so-manieth stays: at most [`KEPT`], spread over the whole launch.
fn every() -> String {
    format!("((count(*) + {KEPT} - 1) // {KEPT})")
}

impl Store {
    /// What is older than it is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub fn outdated(&self, since: &KeptSince) -> Result<Outdated, StoreError> {
        let failed = doing("looking for outdated runs");
        let mut outdated = Outdated::default();
        if let Some(moment) = &since.runs {
            let sql = format!(
                "SELECT r.id, strftime(r.created_at, {TIME}), (SELECT count(*) FROM samples s WHERE s.run_no = r.run_no)
                 FROM runs r WHERE {OLD} AND {UNNEEDED} ORDER BY r.run_no"
            );
            outdated.runs = self
                .rows(&sql, params![moment], |row| {
                    Ok(OutdatedRun { run: row.get(0)?, created_at: row.get(1)?, samples: row.get(2)? })
                })
                .map_err(&failed)?;
        }
        if let Some(moment) = &since.samples {
            let sql = format!(
                "SELECT r.id, strftime(any_value(r.created_at), {TIME}), count(*), sum(l.taken - ceil(l.taken / l.every))::UBIGINT
                 FROM runs r JOIN (
                   SELECT run_no, case_no, launch_no, count(*) AS taken, {} AS every FROM samples
                   GROUP BY run_no, case_no, launch_no HAVING count(*) > {KEPT}
                 ) l ON l.run_no = r.run_no
                 WHERE {OLD} AND {UNNEEDED} GROUP BY r.run_no, r.id ORDER BY r.run_no",
                every()
            );
            outdated.samples = self
                .rows(&sql, params![moment], |row| {
                    Ok(OutdatedSamples {
                        run: row.get(0)?,
                        created_at: row.get(1)?,
                        launches: row.get(2)?,
                        samples: row.get(3)?,
                    })
                })
                .map_err(&failed)?;
            // What is removed as a whole need not be thinned.
            let removed: HashSet<&str> = outdated.runs.iter().map(|it| it.run.as_str()).collect();
            outdated.samples.retain(|it| !removed.contains(it.run.as_str()));
        }
        Ok(outdated)
    }

    /// Whether a run has ended, and nobody needs it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn is_removable(&self, run: &str) -> Result<bool, StoreError> {
        let sql = format!("SELECT count(*) > 0 FROM runs r WHERE r.id = ? AND {UNNEEDED}");
        self.connection.query_row(&sql, [run], |row| row.get(0)).map_err(doing("looking for outdated runs"))
    }

    /// Thins every launch of a run that has more samples than stay. The launch then says how many were taken; its summaries stay as
    /// they were computed from all of them.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn thin(&mut self, run: &str) -> Result<(), StoreError> {
        const DOING: &str = "thinning samples";
        let run_no = self.run_no(run)?;
        let cases: Vec<(u32, u64)> = self
            .rows(
                "SELECT case_no, count(*) FROM samples WHERE run_no = ? GROUP BY case_no ORDER BY case_no",
                params![run_no],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(doing(DOING))?;
        let long = format!(
            "(SELECT case_no, launch_no, count(*) AS taken, {} AS every FROM samples
              WHERE run_no = $1 AND case_no BETWEEN $2 AND $3 GROUP BY case_no, launch_no HAVING count(*) > {KEPT}) long",
            every()
        );
        let same = |table: &str| {
            format!(
                "{table}.run_no = $1 AND {table}.case_no = long.case_no AND {table}.launch_no = long.launch_no"
            )
        };
        let note = format!(
            "UPDATE launches SET samples_taken = coalesce(samples_taken, long.taken) FROM {long} WHERE {}",
            same("launches")
        );
        let remove = format!(
            "DELETE FROM samples USING {long} WHERE {} AND samples.sample_no % long.every <> 0",
            same("samples")
        );
        for (first, last) in batches(&cases) {
            self.transaction(DOING, Touched::NoList, |transaction| {
                execute(transaction, DOING, &note, params![run_no, first, last])?;
                execute(transaction, DOING, &remove, params![run_no, first, last])
            })?;
        }
        Ok(())
    }
}

/// Ranges of cases with at most [`AT_ONCE`] samples each, or of one case. `cases` are numbers and samples, in order.
fn batches(cases: &[(u32, u64)]) -> Vec<(u32, u32)> {
    let mut batches: Vec<(u32, u32, u64)> = Vec::new();
    for (case, samples) in cases {
        match batches.last_mut() {
            Some((_, last, total)) if *total + samples <= AT_ONCE => {
                (*last, *total) = (*case, *total + samples);
            }
            _ => batches.push((*case, *case, *samples)),
        }
    }
    batches.into_iter().map(|(first, last, _)| (first, last)).collect()
}

#[cfg(test)]
mod tests {
    use dyno_core::model::{RunRecord, RunStatus, Sample};

    use super::*;
    use crate::store::{
        Annotation,
        tests::{record, store_all},
    };

    /// A run of one case and launch with so many samples, which are told apart by their time.
    fn run(id: &str, created_at: &str, samples: u64) -> RunRecord {
        let mut run = record();
        run.id = id.to_owned();
        run.created_at = created_at.to_owned();
        run.spec.tags.clear();
        run.cases.truncate(1);
        let launch = &mut run.cases[0].launches[0];
        let one = launch.samples[0];
        launch.samples = (0..samples).map(|number| Sample { wall_ns: number + 1, ..one }).collect();
        run.cases[0].launches.truncate(1);
        run
    }

    fn since(runs: Option<&str>, samples: Option<&str>) -> KeptSince {
        KeptSince { runs: runs.map(str::to_owned), samples: samples.map(str::to_owned) }
    }

    const OLD_DAY: &str = "2026-01-01T10:00:00.000Z";
    const NEW_DAY: &str = "2026-06-01T10:00:00.000Z";
    const BETWEEN: &str = "2026-03-01T00:00:00.000Z";

    #[test]
    fn a_thinned_launch_has_real_samples_in_their_order_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("d.duckdb")).unwrap();
        store_all(&mut store, &run("long", OLD_DAY, 1_001));
        store_all(&mut store, &run("short", OLD_DAY, 100));
        store_all(&mut store, &run("new", NEW_DAY, 1_001));
        let before = store.run("long", false).unwrap();
        let outdated = store.outdated(&since(None, Some(BETWEEN))).unwrap();
        assert_eq!(outdated.runs, []);
        let found: Vec<_> =
            outdated.samples.iter().map(|it| (it.run.as_str(), it.launches, it.samples)).collect();
        assert_eq!(found, [("long", 1, 910)]);
        store.thin("long").unwrap();
        store.thin("short").unwrap();
        let thinned = store.run("long", true).unwrap();
        let launch = &thinned.cases[0].launches[0];
        let times: Vec<u64> = launch.samples.iter().map(|sample| sample.wall_ns).collect();
        assert_eq!(times, (0..91).map(|place| place * 11 + 1).collect::<Vec<_>>());
        assert_eq!(launch.samples_taken, Some(1_001));
        assert_eq!(thinned.cases[0].metrics, before.cases[0].metrics);
        assert_eq!(store.case_samples("long", 0).unwrap()[0].samples_taken, Some(1_001));
        let described = store.distribution("long", 0, Default::default(), 3, 10).unwrap();
        assert_eq!((described.samples, described.launches[0].samples_taken), (91, Some(1_001)));
        for (other, samples) in [("short", 100), ("new", 1_001)] {
            let launch = &store.run(other, true).unwrap().cases[0].launches[0];
            assert_eq!((launch.samples.len(), launch.samples_taken), (samples, None), "{other}");
        }
        assert!(store.outdated(&since(None, Some(BETWEEN))).unwrap().is_empty(), "it is done once");
        // Thinned again, by a rule of a later version for example: the first number stands.
        store.thin("long").unwrap();
        assert_eq!(store.run("long", false).unwrap().cases[0].launches[0].samples_taken, Some(1_001));
    }

    #[test]
    fn what_somebody_needs_is_not_outdated() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("d.duckdb")).unwrap();
        for id in ["old", "kept", "baseline", "replaced", "running"] {
            store_all(&mut store, &run(id, OLD_DAY, 1_000));
        }
        store_all(&mut store, &run("new", NEW_DAY, 1_000));
        let tag = Annotation {
            tag: KEEP.to_owned(),
            note: String::new(),
            author: String::new(),
            created_at: NEW_DAY.to_owned(),
        };
        store.annotate("kept", &tag).unwrap();
        for run in ["replaced", "baseline"] {
            store.save_baseline("main", run, None, NEW_DAY).unwrap();
        }
        store.finish_run("running", RunStatus::Running, OLD_DAY).unwrap();
        let names = |since: &KeptSince| {
            let found = store.outdated(since).unwrap();
            let runs: Vec<String> = found.runs.into_iter().map(|it| it.run).collect();
            (runs, found.samples.into_iter().map(|it| it.run).collect::<Vec<String>>())
        };
        let expected = vec!["old".to_owned(), "replaced".to_owned()];
        assert_eq!(names(&since(Some(BETWEEN), None)), (expected.clone(), vec![]));
        assert_eq!(names(&since(None, Some(BETWEEN))), (vec![], expected.clone()));
        assert_eq!(names(&since(Some(BETWEEN), Some(BETWEEN))), (expected, vec![]), "not both");
        assert_eq!(names(&KeptSince::default()), (vec![], vec![]));
    }

    #[test]
    fn no_transaction_is_long() {
        let half = AT_ONCE / 2;
        assert_eq!(batches(&[]), []);
        assert_eq!(
            batches(&[(0, half), (1, half), (3, 1), (4, AT_ONCE * 9), (5, 1)]),
            [(0, 1), (3, 3), (4, 4), (5, 5)]
        );
    }
}
