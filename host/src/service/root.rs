//! A server's service: runs are taken in, carried out one after the other, watched, given up, and deleted with their reports.

use std::{io, path::PathBuf, sync::Arc, thread};

use dyno_core::model::{RunRecord, RunStatus, Submission};

use super::{ending, executor, queue::Queue, reports::ReportFolder, status::Status, table::RunTable};
use crate::app::{App, AppError, Queued, Serving};

/// Runs that wait or go on at the same time, at most.
const MOST_RUNS: usize = 1_000;

/// The service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(super) serving: Serving,
    pub(super) table: RunTable,
    pub(super) queue: Arc<Queue>,
    pub(super) reports: ReportFolder,
}

/// Why a run was not taken in.
#[derive(Debug)]
pub(crate) enum Refused {
    /// As many runs as are allowed wait or go on already.
    Full(usize),
    /// It cannot be met, or not be stored.
    App(AppError),
}

impl<E: Into<AppError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// What came of the wish to stop a run.
#[derive(Debug)]
pub(crate) enum GivenUp {
    /// It waited, and never begins.
    Cancelled { run: String },
    /// It goes on, and was told to stop.
    Cancelling { run: String },
    /// It had ended before.
    Ended { run: String, status: RunStatus },
}

/// What runs and what waits.
#[derive(Debug)]
pub(crate) struct Line {
    /// Identifiers of the runs that go on.
    pub(crate) running: Vec<String>,
    /// Those that wait, each with the time until it may begin [s]; unknown before the first run has ended.
    pub(crate) waiting: Vec<(Queued, Option<f64>)>,
}

impl Service {
    /// A service whose reports go into a folder. What waited when the last server ended goes on waiting.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(crate) fn new(serving: Serving, reports: PathBuf) -> Result<Self, AppError> {
        let table = RunTable::new();
        for queued in serving.queue().waiting()? {
            table.queue(&serving.app().results().run(&queued.run, false)?);
        }
        Ok(Self { serving, table, queue: Arc::default(), reports: ReportFolder::new(reports) })
    }

    /// Begins what waits, on a thread of its own, until [`Service::end`].
    ///
    /// # Errors
    /// When the system has no thread, or the folder of reports cannot be made.
    pub(crate) fn start(self: &Arc<Self>) -> io::Result<thread::JoinHandle<()>> {
        self.reports.make()?;
        executor::start(self)
    }

    /// Begins nothing more, and waits for what goes on; stops it in the end.
    pub(crate) fn end(&self) {
        executor::end(self);
    }

    /// The use cases that the command line has, too.
    pub(crate) fn app(&self) -> &App {
        self.serving.app()
    }

    /// The use cases that only a server has.
    pub(crate) fn serving(&self) -> &Serving {
        &self.serving
    }

    /// The runs that wait or go on.
    pub(crate) fn table(&self) -> &RunTable {
        &self.table
    }

    /// The order in which runs begin.
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The reports that were written.
    pub(crate) fn reports(&self) -> &ReportFolder {
        &self.reports
    }

    /// Takes a run in: it waits in the queue when this returns.
    ///
    /// # Errors
    /// When too many wait, the request cannot be met, or the database refuses.
    pub(crate) fn submit(&self, submission: Submission) -> Result<RunRecord, Refused> {
        if self.table.len() >= MOST_RUNS {
            return Err(Refused::Full(MOST_RUNS));
        }
        let record = self.serving.queue().submit(submission)?;
        // Before the executor can begin it: nobody misses its first event.
        self.table.queue(&record);
        self.queue.wake();
        Ok(record)
    }

    /// Gives up a run that waits, or tells one that goes on to stop.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub(crate) fn give_up(&self, selector: &str) -> Result<GivenUp, AppError> {
        let results = self.app().results();
        let run = results.run(selector, false)?.id;
        if self.queue.give_up(&run, || self.serving.queue().give_up(&run))? {
            ending::ended(self, &results.run(&run, false)?);
            return Ok(GivenUp::Cancelled { run });
        }
        Ok(match self.table.cancel(&run) {
            Some(cancel) => {
                cancel.set();
                GivenUp::Cancelling { run }
            }
            None => GivenUp::Ended { status: results.run(&run, false)?.status, run },
        })
    }

    /// Deletes a run that has ended, with its reports; gives its identifier.
    ///
    /// # Errors
    /// When there is no such run, it has not ended, or the database refuses.
    pub(crate) fn delete(&self, selector: &str) -> Result<String, AppError> {
        let run = self.serving.records().delete(selector)?;
        if let Err(error) = self.reports.remove(&run) {
            tracing::warn!(run, %error, "the reports of a deleted run cannot be removed");
        }
        Ok(run)
    }

    /// How a stored run stands.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn status_of(&self, record: &RunRecord) -> Result<Status, AppError> {
        Ok(Status::of(record, self.serving.records().run_end(&record.id)?))
    }

    /// What runs and what waits.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn line(&self) -> Result<Line, AppError> {
        let running = self.queue.running();
        let per_case = self.serving.queue().seconds_per_case()?;
        // Half of what runs is over, on average.
        let mut ahead: f64 =
            running.iter().map(|run| f64::from(self.table.cases(run).unwrap_or(0)) / 2.0).sum();
        let mut waiting = Vec::new();
        for queued in self.serving.queue().waiting()?.into_iter().filter(|it| !running.contains(&it.run)) {
            let cases = f64::from(queued.cases);
            waiting.push((queued, per_case.map(|seconds| seconds * ahead)));
            ahead += cases;
        }
        Ok(Line { running, waiting })
    }
}
