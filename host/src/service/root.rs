//! What the parts of the service share: the use cases, the table of runs, the queue and the reports.

use std::{path::PathBuf, sync::Arc};

use super::{queue::Queue, reports::ReportFolder, stop::Stop, table::RunTable};
use crate::{
    app::{App, AppError, Serving},
    fault::{HostFault, Place},
};

/// Everything a server does with runs.
#[derive(Debug)]
pub(crate) struct Service {
    pub(super) serving: Serving,
    pub(super) table: RunTable,
    pub(super) queue: Arc<Queue>,
    pub(super) reports: ReportFolder,
    /// Ends the thread that removes outdated runs.
    pub(super) upkeep: Stop,
}

impl Service {
    /// A service that writes reports to a folder. Runs that an earlier server left waiting keep their place.
    ///
    /// # Errors
    /// When the database cannot be read, or the folder of reports cannot be created.
    pub(crate) fn new(serving: Serving, reports: PathBuf) -> Result<Self, AppError> {
        let reports = ReportFolder::new(reports);
        reports.make().map_err(|error| {
            let doing = format!("cannot make the folder of results `{}`", reports.path().display());
            HostFault::new(doing, &error, Place::Output)
        })?;
        let table = RunTable::new();
        for outline in serving.queue().outlines()? {
            table.queue(outline);
        }
        Ok(Self { serving, table, queue: Arc::default(), reports, upkeep: Stop::default() })
    }

    /// The use cases that the command line has as well.
    pub(crate) fn app(&self) -> &App {
        self.serving.app()
    }

    /// The use cases that only a server has.
    pub(crate) fn serving(&self) -> &Serving {
        &self.serving
    }

    /// The waiting and running runs.
    pub(crate) fn table(&self) -> &RunTable {
        &self.table
    }

    /// The order in which runs begin.
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(crate) fn reports(&self) -> &ReportFolder {
        &self.reports
    }
}
