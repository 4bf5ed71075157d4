//! What clients ask of the service: runs are submitted, cancelled, deleted with their reports, and listed.

use dyno_core::model::{IsolationLayer, RunRecord, RunStatus, Submission};

use super::{ending, root::Service, status::Status};
use crate::app::{AppError, Outline, Queued};

/// Maximum number of waiting and running runs.
const MOST_RUNS: usize = 1_000;

/// Why a submission was refused.
#[derive(Debug)]
pub(crate) enum Refused {
    /// This many runs are waiting or running already.
    Full(usize),
    /// The request cannot be met, or not be stored.
    App(AppError),
}

impl<E: Into<AppError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// The effect of cancelling a run.
#[derive(Debug)]
pub(crate) enum GivenUp {
    /// It was waiting, and is cancelled now.
    Cancelled { run: String },
    /// It is running, and was told to stop.
    Cancelling { run: String },
    /// It had ended already.
    Ended { run: String, status: RunStatus },
}

/// The running and waiting runs.
#[derive(Debug)]
pub(crate) struct Line {
    /// Identifiers of the running runs.
    pub(crate) running: Vec<String>,
    /// Waiting runs, each with the estimated time until it starts [s]; unknown until a run has completed.
    pub(crate) waiting: Vec<(Queued, Option<f64>)>,
}

impl Service {
    /// Puts a run in the queue. `demanded`: layers of isolation that the caller's token demands, whatever the request says.
    ///
    /// # Errors
    /// When too many runs are waiting, the request cannot be met, or the database fails.
    pub(crate) fn submit(
        &self,
        mut submission: Submission,
        demanded: &[IsolationLayer],
    ) -> Result<RunRecord, Refused> {
        if self.table.len() >= MOST_RUNS {
            return Err(Refused::Full(MOST_RUNS));
        }
        IsolationLayer::demand(&mut submission.spec.settings.require_isolation, demanded);
        let record = self.serving.queue().submit(submission)?;
        // Before the executor can start it, so that no client misses its first event.
        self.table.queue(Outline::from(&record));
        // A client that read of it in the database may have cancelled it before it was in the table.
        if self.serving.queue().status(&record.id).is_ok_and(|status| status == RunStatus::Cancelled) {
            ending::ended(self, &self.app().results().run(&record.id, false)?);
        }
        self.queue.wake();
        Ok(record)
    }

    /// Cancels a waiting run, or tells a running one to stop.
    ///
    /// # Errors
    /// When there is no such run, or the database fails.
    pub(crate) fn give_up(&self, selector: &str) -> Result<GivenUp, AppError> {
        let run = self.serving.records().run_id(selector)?;
        let stored = || self.app().results().run(&run, false);
        if self.queue.give_up(&run, || self.serving.queue().give_up(&run))? {
            ending::ended(self, &stored()?);
            return Ok(GivenUp::Cancelled { run });
        }
        Ok(match self.table.cancel(&run) {
            Some(cancel) => {
                cancel.set();
                GivenUp::Cancelling { run }
            }
            None => GivenUp::Ended { status: stored()?.status, run },
        })
    }

    /// Deletes an ended run and its reports; returns its identifier.
    ///
    /// # Errors
    /// When there is no such run, it has not ended, or the database fails.
    pub(crate) fn delete(&self, selector: &str) -> Result<String, AppError> {
        let run = self.serving.records().delete(selector)?;
        self.remove_reports(&run);
        Ok(run)
    }

    /// Removes the reports of a run that was deleted.
    pub(super) fn remove_reports(&self, run: &str) {
        if let Err(error) = self.reports.remove(run) {
            tracing::warn!(run, %error, "the reports of a deleted run cannot be removed");
        }
    }

    /// The status of a stored run.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn status_of(&self, record: &RunRecord) -> Result<Status, AppError> {
        Ok(Status::of(record, self.serving.records().run_end(&record.id)?))
    }

    /// The running and waiting runs.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn line(&self) -> Result<Line, AppError> {
        // In this order: a run begins among the running before it stops waiting, so none is in neither list.
        let all = self.serving.queue().waiting()?;
        let running = self.queue.running();
        let per_case = self.serving.queue().seconds_per_case()?;
        // On average, half of a running run is over.
        let mut ahead: f64 =
            running.iter().map(|run| f64::from(self.table.cases(run).unwrap_or(0)) / 2.0).sum();
        let mut waiting = Vec::new();
        for queued in all.into_iter().filter(|it| !running.contains(&it.run)) {
            let cases = f64::from(queued.cases);
            waiting.push((queued, per_case.map(|seconds| seconds * ahead)));
            ahead += cases;
        }
        Ok(Line { running, waiting })
    }
}
