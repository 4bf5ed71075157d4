//! What has to be read anew, by what commits have touched.

use std::{collections::BTreeMap, ops::RangeInclusive};

use super::held::Held;
use crate::store::revision::{Revision, Touched};

/// Number of runs that are read one by one; beyond it, reading all that is held is faster.
pub(in crate::store) const ONE_BY_ONE: usize = 16;

/// All cases of a run.
pub(in crate::store) const ALL_CASES: RangeInclusive<u32> = 0..=u32::MAX;

/// What has to be read anew.
#[derive(Debug)]
pub(in crate::store) struct Stale {
    /// Number of changes of the lists when this was determined.
    pub(in crate::store) changes: u64,
    pub(in crate::store) what: What,
}

/// All that is held, or some of it.
#[derive(Debug)]
pub(in crate::store) enum What {
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
}
