//! The use cases of what a server keeps of runs beside their results: samples of one case, tags, baselines, and the tables of
//! the original suite.

use dyno_core::model::{RunStatus, Sample};

use super::{error::AppError, serving::Serving};
use crate::store::{Annotation, PerformanceFilter, PerformanceRow, RunEnd};

/// What a server keeps of runs.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a>(&'a Serving);

impl Serving {
    /// The use cases of what is kept of runs.
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

    /// How a run ended; `None` where its host died before it could say so.
    ///
    /// # Errors
    /// When the database fails.
    pub fn run_end(&self, run: &str) -> Result<Option<RunEnd>, AppError> {
        Ok(self.0.store()?.run_end(run)?)
    }

    /// The samples of one case, launch by launch. Nothing else of the run is read.
    ///
    /// # Errors
    /// When there is no such run or case, or the database fails.
    pub fn case_samples(&self, selector: &str, case: u32) -> Result<Vec<(u32, Vec<Sample>)>, AppError> {
        Ok(self.0.store()?.case_samples(selector, case)?)
    }

    /// Results in the columns of the original suite.
    ///
    /// # Errors
    /// When the database fails.
    pub fn performance(&self, filter: &PerformanceFilter) -> Result<Vec<PerformanceRow>, AppError> {
        Ok(self.0.store()?.performance(filter)?)
    }

    /// Which model ran to its end on which hardware.
    ///
    /// # Errors
    /// When the database fails.
    pub fn compatibility(&self) -> Result<Vec<(String, String, bool)>, AppError> {
        Ok(self.0.store()?.compatibility()?)
    }

    /// Deletes a run that has ended.
    ///
    /// # Errors
    /// When there is no such run, it has not ended, or the database refuses.
    pub fn delete(&self, selector: &str) -> Result<String, AppError> {
        let mut store = self.0.store()?;
        let record = store.run(selector, false)?;
        if matches!(record.status, RunStatus::Queued | RunStatus::Running) {
            return Err(AppError::State {
                run: record.id,
                status: record.status.word(),
                hint: "cancel it first".to_owned(),
            });
        }
        store.delete_run(&record.id)?;
        Ok(record.id)
    }

    /// Puts an annotated tag on a run.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn annotate(&self, run: &str, annotation: &Annotation) -> Result<(), AppError> {
        Ok(self.0.store()?.annotate(run, annotation)?)
    }

    /// Takes a tag from a run.
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

    /// All baselines: name, run, when.
    ///
    /// # Errors
    /// When the database fails.
    pub fn baselines(&self) -> Result<Vec<(String, String, String)>, AppError> {
        Ok(self.0.store()?.baselines()?)
    }
}
