//! Reading lists of runs from the tables.

use duckdb::{Row, params};
use dyno_core::model::RunStatus;

use super::{
    Store,
    error::{StoreError, doing},
    read::{TIME, json, status},
    run_list::{Listed, RunFilter, RunSummary},
};

impl Store {
    /// The selected runs, newest first unless the filter says otherwise; from the tables, whatever is in memory.
    pub(super) fn read_runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        let sql = format!(
            "SELECT {columns} FROM runs r
             WHERE (? IS NULL OR list_contains(r.tags, ?))
               AND (? IS NULL OR {status} = ?)
               AND (? IS NULL OR EXISTS (SELECT 1 FROM cases c WHERE c.run_no = r.run_no AND c.benchmark = ?))
             ORDER BY r.run_no {order} LIMIT ? OFFSET ?",
            columns = self.summary_columns(),
            status = self.status_column(),
            order = if filter.oldest_first { "ASC" } else { "DESC" },
        );
        let (tag, benchmark) = (&filter.tag, &filter.benchmark);
        let state = filter.status.map(RunStatus::word);
        let params = params![tag, tag, state, state, benchmark, benchmark, filter.limit, filter.offset];
        let rows = self.rows(&sql, params, |row| Ok(summary(row))).map_err(doing("listing runs"))?;
        rows.into_iter().collect()
    }

    /// The runs that the rest of a query selects, from its WHERE on.
    pub(super) fn listed(
        &self,
        selection: &str,
        params: impl duckdb::Params + Clone,
    ) -> Result<Vec<Listed>, StoreError> {
        let sql = format!(
            "SELECT {columns}, r.run_no,
                    (SELECT CAST(to_json(coalesce(list_sort(list(DISTINCT c.benchmark)), [])) AS VARCHAR)
                     FROM cases c WHERE c.run_no = r.run_no)
             FROM runs r {selection}",
            columns = self.summary_columns(),
        );
        let failed = doing("listing runs");
        let rows = self.rows(&sql, params, |row| Ok((summary(row), row.get(8)?, row.get::<_, String>(9)?)));
        let rows = rows.map_err(failed)?.into_iter();
        rows.map(|(summary, run_no, benchmarks)| {
            Ok(Listed { run_no, summary: summary?, benchmarks: json(&benchmarks, "benchmarks")? })
        })
        .collect()
    }

    /// The columns that [`summary`] reads, in its order.
    fn summary_columns(&self) -> String {
        format!(
            "r.id, strftime(r.created_at, {TIME}), {status}, r.suite, CAST(to_json(r.tags) AS VARCHAR),
             (SELECT count(*) FROM cases c WHERE c.run_no = r.run_no),
             (SELECT count(*) FROM cases c WHERE c.run_no = r.run_no AND c.status IN ('failed', 'timed_out')),
             (SELECT count(*) FROM cases c WHERE c.run_no = r.run_no
                AND (c.status = 'completed'
                     OR c.status = 'skipped' AND json_extract_string(c.status_json, '$.cause') = 'known_result'))",
            status = self.status_column(),
        )
    }
}

fn summary(row: &Row<'_>) -> Result<RunSummary, StoreError> {
    let read = || -> duckdb::Result<(RunSummary, String)> {
        Ok((
            RunSummary {
                id: row.get(0)?,
                created_at: row.get(1)?,
                status: status(&row.get::<_, String>(2)?),
                suite: row.get(3)?,
                cases: row.get(5)?,
                failed: row.get(6)?,
                with_result: row.get(7)?,
                tags: Vec::new(),
            },
            row.get(4)?,
        ))
    };
    let (mut summary, tags) = read().map_err(doing("listing runs"))?;
    summary.tags = json(&tags, "tags")?;
    Ok(summary)
}
