//! Reading lists of results from the tables.

use std::sync::Arc;

use duckdb::params;

use super::{
    Store,
    error::{StoreError, doing},
    read::TIME,
    result_list::{PerformanceFilter, PerformanceRow, Placed},
};

impl Store {
    /// The selected results, newest first; from the tables, whatever is in memory.
    pub(super) fn read_performance(
        &self,
        filter: &PerformanceFilter,
    ) -> Result<Vec<Arc<PerformanceRow>>, StoreError> {
        let (model, hardware, batch) = (&filter.model, &filter.hardware, filter.batch_size);
        let found = self.placed(
            "(? IS NULL OR c.model_name = ?)
             AND (? IS NULL OR split_part(c.device, ':', 1) = ?)
             AND (? IS NULL OR c.batch_size = ?)",
            params![model, model, hardware, hardware, batch, batch, filter.limit],
        )?;
        Ok(found.into_iter().filter(|it| it.is_timed).map(|it| it.row).collect())
    }

    /// The results of the completed cases that meet a condition, newest first. The last parameter is their maximum number.
    pub(super) fn placed(
        &self,
        condition: &str,
        params: impl duckdb::Params + Clone,
    ) -> Result<Vec<Placed>, StoreError> {
        // The newest cases first, and only then their metrics: the view would join all of them.
        let sql = format!(
            r#"WITH chosen AS (
                 SELECT c.run_no, c.case_no, c.model_name, c.category, c.device, c.benchmark, c.batch_size, c."precision",
                        r.cpu_model, r.created_at
                 FROM cases c JOIN runs r ON r.run_no = c.run_no
                 WHERE c.status = 'completed' AND {condition}
                 ORDER BY c.run_no DESC, c.case_no DESC LIMIT ?
               )
               SELECT c.model_name, c.category, split_part(c.device, ':', 1),
                      CASE WHEN c.device = 'cpu' THEN c.cpu_model ELSE c.device END, c.benchmark, c.batch_size,
                      c."precision", max(m.median) FILTER (m.name = 'items_per_second'),
                      max(m.mean) FILTER (m.name = 'time') / 1e6, max(m.median) FILTER (m.name = 'peak_memory') / 1e6,
                      strftime(c.created_at, {TIME}), c.run_no, c.case_no
               FROM chosen c
               LEFT JOIN (SELECT * FROM metrics WHERE run_no >= (SELECT min(run_no) FROM chosen)) m
                 ON m.run_no = c.run_no AND m.case_no = c.case_no
               GROUP BY ALL ORDER BY c.run_no DESC, c.case_no DESC"#
        );
        self.rows(&sql, params, |row| {
            let latency: Option<f64> = row.get(8)?;
            let found = PerformanceRow {
                model_name: row.get(0)?,
                model_family: row.get(1)?,
                hardware_type: row.get(2)?,
                device_name: row.get(3)?,
                test_case: row.get(4)?,
                batch_size: row.get(5)?,
                precision: row.get(6)?,
                throughput_items_per_second: row.get(7)?,
                average_latency_ms: latency.unwrap_or(f64::NAN),
                memory_peak_mb: row.get(9)?,
                simulation_mode: false,
                created_at: row.get(10)?,
            };
            Ok(Placed {
                run_no: row.get(11)?,
                case_no: row.get(12)?,
                row: Arc::new(found),
                is_timed: latency.is_some(),
            })
        })
        .map_err(doing("reading results"))
    }

    /// Model, kind of device, and whether the latest case of these two completed.
    ///
    /// # Errors
    /// When the database fails.
    pub fn compatibility(&self) -> Result<Vec<(String, String, bool)>, StoreError> {
        self.rows(
            "SELECT model_name, hardware_type, arg_max(is_compatible, compatibility_id)
             FROM hardware_compatibility_view GROUP BY ALL ORDER BY ALL",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .map_err(doing("reading compatibility"))
    }
}
