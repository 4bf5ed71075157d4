//! Reading anew what commits have touched.

use std::{collections::BTreeMap, ops::RangeInclusive};

use duckdb::params;

use super::{Bounds, held::Held};
use crate::store::{
    Store,
    error::{StoreError, doing},
    list::Listed,
    performance::Placed,
    revision::{Revision, Touched},
};

/// Number of runs that are read one by one; beyond it, reading all that is held is faster.
const ONE_BY_ONE: usize = 16;

/// All cases of a run.
const ALL_CASES: RangeInclusive<u32> = 0..=u32::MAX;

/// What has to be read anew.
#[derive(Debug)]
pub(super) struct Stale {
    /// Number of changes of the lists when this was determined.
    changes: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    All,
    /// Cases of these runs, and the runs after one.
    Some {
        runs: BTreeMap<i32, RangeInclusive<u32>>,
        after: Option<i32>,
    },
}

impl Stale {
    /// What commits have touched since something was held.
    pub(super) fn of(held: &Held, revision: &Revision) -> Self {
        let (changes, touched) = match held.seen() {
            Some(seen) => revision.since(seen),
            None => (revision.changes_so_far(), None),
        };
        let what = touched.map_or(What::All, |touched| Self::some(held, &touched));
        Self { changes, what }
    }

    fn some(held: &Held, touched: &[Touched]) -> What {
        let mut runs: BTreeMap<i32, RangeInclusive<u32>> = BTreeMap::new();
        let mut after = None;
        for touched in touched {
            let (run, cases) = match *touched {
                Touched::NoList => continue,
                Touched::NewRun => {
                    after = Some(held.newest());
                    continue;
                }
                Touched::Run(run) => (run, ALL_CASES),
                Touched::Case(run, case) => (run, case..=case),
            };
            runs.entry(run)
                .and_modify(|known| {
                    *known = *known.start().min(cases.start())..=*known.end().max(cases.end());
                })
                .or_insert(cases);
        }
        if runs.len() > ONE_BY_ONE { What::All } else { What::Some { runs, after } }
    }

    /// Reads it.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn read(self, store: &Store, bounds: Bounds) -> Result<Fresh, StoreError> {
        let (mut runs, after) = match self.what {
            What::All => return Fresh::all(store, self.changes, bounds),
            What::Some { runs, after } => (runs, after),
        };
        if let Some(newest) = after {
            let added = store
                .rows("SELECT run_no FROM runs WHERE run_no > ?", [newest], |row| row.get(0))
                .map_err(doing("listing runs"))?;
            runs.extend(added.into_iter().map(|run: i32| (run, ALL_CASES)));
            if runs.len() > ONE_BY_ONE {
                return Fresh::all(store, self.changes, bounds);
            }
        }
        let parts = runs.into_iter().map(|(run, cases)| Part::read(store, run, cases, bounds));
        Ok(Fresh { changes: self.changes, what: FreshWhat::Parts(parts.collect::<Result<_, _>>()?) })
    }
}

/// What was read anew.
#[derive(Debug)]
pub(super) struct Fresh {
    /// The number of changes that it contains.
    pub(super) changes: u64,
    pub(super) what: FreshWhat,
}

/// Whether it replaces parts of what is held, or all of it.
#[derive(Debug)]
pub(super) enum FreshWhat {
    All { runs: Vec<Listed>, results: Vec<Placed> },
    Parts(Vec<Part>),
}

/// A run and the results of some of its cases.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) run_no: i32,
    /// Absent if the run was deleted.
    pub(super) run: Option<Listed>,
    /// The cases whose results were read.
    pub(super) cases: RangeInclusive<u32>,
    pub(super) results: Vec<Placed>,
}

impl Fresh {
    /// Reads one more of everything than is held, which shows whether there are more.
    fn all(store: &Store, changes: u64, bounds: Bounds) -> Result<Self, StoreError> {
        let most = |bound: usize| u32::try_from(bound + 1).unwrap_or(u32::MAX);
        let runs = store.listed("ORDER BY r.run_no DESC LIMIT ?", params![most(bounds.runs)])?;
        let results = store.placed("TRUE", params![most(bounds.results)])?;
        Ok(Self { changes, what: FreshWhat::All { runs, results } })
    }
}

impl Part {
    fn read(
        store: &Store,
        run_no: i32,
        cases: RangeInclusive<u32>,
        bounds: Bounds,
    ) -> Result<Self, StoreError> {
        let run = store.listed("WHERE r.run_no = ?", [run_no])?.pop();
        let most = u32::try_from(bounds.results + 1).unwrap_or(u32::MAX);
        let results = store.placed(
            "c.run_no = ? AND c.case_no BETWEEN ? AND ?",
            params![run_no, cases.start(), cases.end(), most],
        )?;
        Ok(Self { run_no, run, cases, results })
    }
}
