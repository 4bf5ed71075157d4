//! Samples as a Parquet file, written by the database itself.

use std::path::Path;

use super::{
    Store,
    error::{StoreError, doing},
    statement::literal,
};

impl Store {
    /// Writes the samples of a run, one row each. Times and work are of the whole sample, not per iteration.
    ///
    /// # Errors
    /// When there is no such run, or the file cannot be written.
    pub fn write_parquet(&self, selector: &str, path: &Path) -> Result<(), StoreError> {
        let run_no = self.find(selector)?;
        let sql = format!(
            "SELECT r.id AS run, r.created_at, c.benchmark, c.plugin_id AS plugin, c.plugin_version AS version,
                       c.plugin_kind AS engine, c.device, c.params_json AS params, s.launch_no AS launch,
                       s.sample_no AS sample, s.iterations, s.wall_ns, s.cpu_ns, s.device_ns, s.items, s.bytes, s.flop,
                       s.checksum, s.preemptions, l.samples_taken
                FROM samples s
                JOIN launches l ON l.run_no = s.run_no AND l.case_no = s.case_no AND l.launch_no = s.launch_no
                JOIN cases c ON c.run_no = s.run_no AND c.case_no = s.case_no
                JOIN runs r ON r.run_no = s.run_no
                WHERE s.run_no = {run_no}
                ORDER BY s.case_no, s.launch_no, s.sample_no"
        );
        self.copy_to_parquet(&sql, path)
    }

    /// Writes the rows of a query as a Parquet file.
    pub(super) fn copy_to_parquet(&self, select: &str, path: &Path) -> Result<(), StoreError> {
        let Some(path) = path.to_str() else {
            return Err(StoreError::Open {
                path: path.to_owned(),
                message: "the name of the file is no UTF-8, which the database needs".to_owned(),
            });
        };
        // A file name cannot be a parameter of this statement.
        let sql = format!("COPY ({select}) TO {} (FORMAT parquet)", literal(path));
        self.connection.execute_batch(&sql).map_err(doing("writing a Parquet file"))
    }
}
