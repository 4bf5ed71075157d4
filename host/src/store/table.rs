//! Results over many runs as a table: selected, sorted and cut by the database.

use std::path::Path;

use duckdb::params;
use dyno_core::model::{Params, ResultRow};

use super::{
    Store,
    columns::{better_of, interval},
    error::{StoreError, doing, record},
    read::TIME,
    statement::literal,
};

/// Selects results; an absent field selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ResultFilter {
    /// A run: identifier, an unambiguous prefix, `last`, `last~N`, `commit:HASH` or
    /// `branch:NAME`.
    pub run: Option<String>,
    /// Name of the benchmark.
    pub benchmark: Option<String>,
    /// Identifier of the plugin.
    pub plugin: Option<String>,
    /// Name of the device, or its kind. // eg: "cuda:0", "cuda"
    pub device: Option<String>,
    /// Name of the metric.
    pub metric: Option<String>,
    /// Maximum number of rows.
    pub limit: u32,
    /// Number of rows to skip.
    pub offset: u32,
}

impl Store {
    /// Results, newest first.
    ///
    /// # Errors
    /// When there is no such run, or the database fails.
    pub fn result_rows(&self, filter: &ResultFilter) -> Result<Vec<ResultRow>, StoreError> {
        let sql = self.result_sql(filter)?;
        let rows = self
            .rows(&sql, params![], |row| {
                let better: String = row.get(13)?;
                let params: String = row.get(9)?;
                Ok((
                    params,
                    ResultRow {
                        run: row.get(0)?,
                        case: row.get(1)?,
                        created_at: row.get(2)?,
                        plugin: row.get(3)?,
                        version: row.get(4)?,
                        sha256: row.get(5)?,
                        kind: row.get(6)?,
                        benchmark: row.get(7)?,
                        category: row.get(8)?,
                        params: Params::default(),
                        device: row.get(10)?,
                        metric: row.get(11)?,
                        unit: row.get(12)?,
                        better: better_of(&better),
                        median: row.get(14)?,
                        interval: interval(row.get(15)?, row.get(16)?),
                        mean: row.get(17)?,
                        launches: row.get(18)?,
                        samples: row.get(19)?,
                    },
                ))
            })
            .map_err(doing("reading results"))?;
        rows.into_iter()
            .map(|(params, row)| {
                Ok(ResultRow { params: serde_json::from_str(&params).map_err(record("params"))?, ..row })
            })
            .collect()
    }

    /// The same rows as a Parquet file.
    ///
    /// # Errors
    /// When there is no such run, or the file cannot be written.
    pub fn result_rows_to_parquet(&self, filter: &ResultFilter, path: &Path) -> Result<(), StoreError> {
        self.copy_to_parquet(&self.result_sql(filter)?, path)
    }

    /// The statement; COPY takes no parameters, so the values are literals.
    fn result_sql(&self, filter: &ResultFilter) -> Result<String, StoreError> {
        let mut conditions = vec!["c.status = 'completed'".to_owned()];
        if let Some(run) = &filter.run {
            let run_no = self.find(run)?;
            // On both tables: the database then skips all blocks of other runs.
            conditions.push(format!("c.run_no = {run_no} AND m.run_no = {run_no}"));
        }
        let texts =
            [("c.benchmark", &filter.benchmark), ("c.plugin_id", &filter.plugin), ("m.name", &filter.metric)];
        conditions.extend(
            texts
                .into_iter()
                .filter_map(|(column, value)| Some(format!("{column} = {}", literal(value.as_ref()?)))),
        );
        if let Some(device) = &filter.device {
            let device = literal(device);
            conditions.push(format!("(c.device = {device} OR split_part(c.device, ':', 1) = {device})"));
        }
        // The narrow rows are sorted and cut first: all columns of all results would not fit into the database's memory.
        Ok(format!(
            r#"WITH chosen AS (
                 SELECT m.run_no, m.case_no, m.metric_no
                 FROM metrics m JOIN cases c ON c.run_no = m.run_no AND c.case_no = m.case_no
                 WHERE {}
                 ORDER BY m.run_no DESC, m.case_no, m.metric_no LIMIT {} OFFSET {}
               ), first AS (SELECT min(run_no) AS run_no FROM chosen)
               SELECT r.id AS run, c.case_no::UINTEGER AS "case", strftime(r.created_at, {TIME}) AS created_at,
                      c.plugin_id AS plugin, c.plugin_version AS version, c.plugin_sha256 AS sha256, c.plugin_kind AS kind,
                      c.benchmark, c.category, c.params_json AS params, c.device, m.name AS metric, m.unit, m.better,
                      m.median, m.low, m.high, m.mean, m.launches, m.samples
               FROM chosen k
               JOIN (SELECT * FROM metrics WHERE run_no >= (SELECT run_no FROM first)) m
                 ON m.run_no = k.run_no AND m.case_no = k.case_no AND m.metric_no = k.metric_no
               JOIN (SELECT * FROM cases WHERE run_no >= (SELECT run_no FROM first)) c
                 ON c.run_no = k.run_no AND c.case_no = k.case_no
               JOIN runs r ON r.run_no = k.run_no
               ORDER BY k.run_no DESC, k.case_no, k.metric_no"#,
            conditions.join(" AND "),
            filter.limit,
            filter.offset
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{record, store_all};

    #[test]
    fn rows_are_those_of_the_record_and_a_quote_is_only_a_quote() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        let run = record();
        store_all(&mut store, &run);
        let all = ResultFilter { limit: 1_000, ..ResultFilter::default() };
        let rows = store.result_rows(&all).unwrap();
        let completed = run.cases.iter().filter(|case| case.status.has_result());
        let expected: Vec<(u32, String, f64)> = completed
            .flat_map(|case| case.metrics.iter().map(|it| (case.index, it.name.clone(), it.median)))
            .collect();
        let found: Vec<_> = rows.iter().map(|row| (row.case, row.metric.clone(), row.median)).collect();
        assert!(!expected.is_empty());
        assert_eq!(found, expected);
        let second = ResultFilter { limit: 1, offset: 1, ..all.clone() };
        assert_eq!(store.result_rows(&second).unwrap(), rows[1..2]);
        for text in ["' OR 1 = 1 --", "a\0'b", "\\'"] {
            let hostile = ResultFilter { benchmark: Some(text.to_owned()), ..all.clone() };
            assert_eq!(store.result_rows(&hostile).unwrap(), []);
        }
        let file = folder.path().join("it's.parquet");
        store.result_rows_to_parquet(&all, &file).unwrap();
        assert!(std::fs::read(&file).unwrap().starts_with(b"PAR1"));
    }
}
