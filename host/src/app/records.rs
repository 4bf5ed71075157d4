//! Use cases: details of stored runs that only a server offers, such as samples of one case, tags, and the tables of the
//! original suite.

use std::{path::Path, sync::Arc};

use dyno_core::model::{Distribution, ResultRow};

use super::{error::AppError, serving::Serving};
use crate::store::{
    Annotation, LatestFilter, LatestList, LaunchSamples, PerformanceFilter, PerformanceRow, ResultFilter,
    RunEnd, SampleMetric,
};

/// Details of stored runs.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a>(&'a Serving);

impl Serving {
    /// The use cases of stored runs' details.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records(self)
    }
}

impl Records<'_> {
    /// The identifier of the run that a selector names.
    ///
    /// # Errors
    /// When there is no such run, or the database fails.
    pub fn run_id(&self, selector: &str) -> Result<String, AppError> {
        Ok(self.0.store()?.run_id(selector)?)
    }

    /// Duration and progress of an ended run; `None` if its host died before storing them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn run_end(&self, run: &str) -> Result<Option<RunEnd>, AppError> {
        Ok(self.0.store()?.run_end(run)?)
    }

    /// The samples of one case, by launch. Reads nothing else of the run.
    ///
    /// # Errors
    /// When there is no such run or case, or the database fails.
    pub fn case_samples(&self, selector: &str, case: u32) -> Result<Vec<LaunchSamples>, AppError> {
        Ok(self.0.store()?.case_samples(selector, case)?)
    }

    /// The distribution of the samples of one case, at so many quantiles and in so many columns.
    ///
    /// # Errors
    /// When there is no such run or case, or the database fails.
    pub fn distribution(
        &self,
        selector: &str,
        case: u32,
        metric: SampleMetric,
        points: u32,
        columns: u32,
    ) -> Result<Distribution, AppError> {
        Ok(self.0.store()?.distribution(selector, case, metric, points, columns)?)
    }

    /// The newest results of each case.
    ///
    /// # Errors
    /// When the database fails.
    pub fn latest(&self, filter: &LatestFilter) -> Result<LatestList, AppError> {
        Ok(self.0.store()?.latest(filter)?)
    }

    /// Results over all runs, newest first.
    ///
    /// # Errors
    /// When there is no such run, or the database fails.
    pub fn result_rows(&self, filter: &ResultFilter) -> Result<Vec<ResultRow>, AppError> {
        Ok(self.0.store()?.result_rows(filter)?)
    }

    /// Writes results as a Parquet file.
    ///
    /// # Errors
    /// When there is no such run, or the file cannot be written.
    pub fn result_rows_to_parquet(&self, filter: &ResultFilter, path: &Path) -> Result<(), AppError> {
        Ok(self.0.store()?.result_rows_to_parquet(filter, path)?)
    }

    /// Results in the columns of the original suite.
    ///
    /// # Errors
    /// When the database fails.
    pub fn performance(&self, filter: &PerformanceFilter) -> Result<Vec<Arc<PerformanceRow>>, AppError> {
        Ok(self.0.store()?.performance(filter)?)
    }

    /// Model, hardware, and whether the model completed on it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn compatibility(&self) -> Result<Vec<(String, String, bool)>, AppError> {
        Ok(self.0.store()?.compatibility()?)
    }

    /// Deletes an ended run; returns its identifier.
    ///
    /// # Errors
    /// When there is no such run, it has not ended, or the database refuses.
    pub fn delete(&self, selector: &str) -> Result<String, AppError> {
        let mut store = self.0.store()?;
        let record = store.run(selector, false)?;
        if !record.status.has_ended() {
            return Err(AppError::State {
                run: record.id,
                status: record.status.word(),
                hint: "cancel it first".to_owned(),
            });
        }
        store.delete_run(&record.id)?;
        Ok(record.id)
    }

    /// Adds a tag with a note to a run.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn annotate(&self, run: &str, annotation: &Annotation) -> Result<(), AppError> {
        Ok(self.0.store()?.annotate(run, annotation)?)
    }

    /// Removes a tag from a run.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn remove_tag(&self, run: &str, tag: &str) -> Result<(), AppError> {
        Ok(self.0.store()?.remove_tag(run, tag)?)
    }

    /// The tags of a run.
    ///
    /// # Errors
    /// When there is no such run, or the database fails.
    pub fn annotations(&self, run: &str) -> Result<Vec<Annotation>, AppError> {
        Ok(self.0.store()?.annotations(run)?)
    }

    /// All baselines: name, run, and time (RFC 3339, UTC).
    ///
    /// # Errors
    /// When the database fails.
    pub fn baselines(&self) -> Result<Vec<(String, String, String)>, AppError> {
        Ok(self.0.store()?.baselines()?)
    }
}
