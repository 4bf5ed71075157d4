//! The end of a session: the worker is given time to end by itself, and its process has the last word on the status.

use std::time::{Duration, Instant};

use dyno_core::model::{CaseStatus, Exit, Reason, Stage};

use super::{Ended, Over, Session};
use crate::{
    pool::{Captured, Farewell},
    runner::LaunchFolder,
};

/// The result of closing a session.
#[derive(Debug)]
pub(in crate::runner) struct Closed {
    /// The status of the launch.
    pub(in crate::runner) status: CaseStatus,
    /// How long each stage took [ns], in order.
    pub(in crate::runner) stages: Vec<(Stage, u64)>,
    /// Output of the worker.
    pub(in crate::runner) captured: Captured,
    /// Why measurements that follow on its device may be disturbed: the worker did not end when it was killed.
    pub(in crate::runner) stuck: Option<String>,
    /// The folder of the worker, with the files that it left.
    pub(in crate::runner) folder: LaunchFolder,
}

impl Session<'_, Over> {
    /// Ends the worker and everything that it started. A worker whose stages are done gets `patience` to end by itself.
    pub(in crate::runner) fn close(self, patience: Duration) -> Closed {
        let (line, Over { status }) = self.into_parts();
        let granted = if status == CaseStatus::Completed { patience } else { Duration::ZERO };
        let Farewell { exit, captured, left_behind, stuck } = line.worker.finish(Instant::now() + granted);
        let status = match status {
            CaseStatus::Completed => at_exit(exit, left_behind, patience, &captured),
            status => with_last_words(status, exit, &captured),
        };
        Closed { status, stages: line.stages, captured, stuck, folder: line.folder }
    }
}

/// Kills the worker: for callers that keep nothing of one that failed.
impl From<Ended<Session<'_, Over>>> for Ended {
    fn from(ended: Ended<Session<'_, Over>>) -> Self {
        ended.map(|session| session.into_parts().1.status)
    }
}

/// The status of a launch whose stages are done: its process can still end badly.
fn at_exit(exit: Option<Exit>, left_behind: usize, patience: Duration, captured: &Captured) -> CaseStatus {
    let (message, exit) = match exit {
        Some(Exit::Code(0)) if left_behind == 0 => return CaseStatus::Completed,
        Some(Exit::Code(0)) => (
            format!(
                "the plugin left {left_behind} running processes behind; they were killed; `cleanup` must end what \
                 the plugin started"
            ),
            None,
        ),
        Some(exit) => (format!("the worker process ended after its last stage with {exit}"), Some(exit)),
        None => (
            format!(
                "the worker process did not end within {} s after its last stage; it was killed",
                patience.as_secs()
            ),
            None,
        ),
    };
    CaseStatus::Failed {
        stage: Stage::Cleanup,
        reason: Reason { message, exit, last_output: captured.last_lines() },
    }
}

/// Adds the output and the exit that came after the failure was noticed.
fn with_last_words(status: CaseStatus, exit: Option<Exit>, captured: &Captured) -> CaseStatus {
    let said = captured.last_lines();
    match status {
        CaseStatus::Failed { stage, reason: Reason { message, exit: noticed, .. } } => {
            let exit = noticed.or(exit.filter(|exit| *exit != Exit::Code(0)));
            CaseStatus::Failed { stage, reason: Reason { message, exit, last_output: said } }
        }
        CaseStatus::TimedOut { stage, limit_s, .. } => {
            CaseStatus::TimedOut { stage, limit_s, last_output: said }
        }
        status => status,
    }
}
