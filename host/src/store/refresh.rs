//! Reading from the tables what memory holds no longer rightly.

use std::ops::RangeInclusive;

use duckdb::params;

use super::{
    Store,
    error::{StoreError, doing},
    recent::{ALL_CASES, Bounds, Fresh, FreshWhat, ONE_BY_ONE, Part, Stale, What},
};

impl Store {
    /// Reads what is stale.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn fresh(&self, stale: Stale, bounds: Bounds) -> Result<Fresh, StoreError> {
        let (mut runs, after) = match stale.what {
            What::All => return self.all_fresh(stale.changes, bounds),
            What::Some { runs, after } => (runs, after),
        };
        if let Some(newest) = after {
            let added = self
                .rows("SELECT run_no FROM runs WHERE run_no > ?", [newest], |row| row.get(0))
                .map_err(doing("listing runs"))?;
            runs.extend(added.into_iter().map(|run: i32| (run, ALL_CASES)));
            if runs.len() > ONE_BY_ONE {
                return self.all_fresh(stale.changes, bounds);
            }
        }
        let parts = runs.into_iter().map(|(run, cases)| self.fresh_part(run, cases, bounds));
        Ok(Fresh { changes: stale.changes, what: FreshWhat::Parts(parts.collect::<Result<_, _>>()?) })
    }

    /// Reads one more of everything than is held, which shows whether there are more.
    fn all_fresh(&self, changes: u64, bounds: Bounds) -> Result<Fresh, StoreError> {
        let most = |bound: usize| u32::try_from(bound + 1).unwrap_or(u32::MAX);
        let runs = self.listed("ORDER BY r.run_no DESC LIMIT ?", params![most(bounds.runs)])?;
        let results = self.placed("TRUE", params![most(bounds.results)])?;
        Ok(Fresh { changes, what: FreshWhat::All { runs, results } })
    }

    fn fresh_part(
        &self,
        run_no: i32,
        cases: RangeInclusive<u32>,
        bounds: Bounds,
    ) -> Result<Part, StoreError> {
        let run = self.listed("WHERE r.run_no = ?", [run_no])?.pop();
        let most = u32::try_from(bounds.results + 1).unwrap_or(u32::MAX);
        let results = self.placed(
            "c.run_no = ? AND c.case_no BETWEEN ? AND ?",
            params![run_no, cases.start(), cases.end(), most],
        )?;
        Ok(Part { run_no, run, cases, results })
    }
}
