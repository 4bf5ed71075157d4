//! A benchmark on a device, as the tests try it: fresh workers, and what their ends mean for a test.

use std::{path::PathBuf, sync::Arc, time::Duration};

use dyno_core::{
    model::{CaseStatus, Params, Settings, TestOutcome, default_params},
    units,
};
use dyno_plugin_api::descriptor::BenchmarkInfo;

use crate::{
    catalog::Verified,
    devices::place,
    fault::HostFault,
    runner::{
        Cancel, Planned, RunError, Subject, Workers,
        session::{Assignment, Ended, Session, SetUp, Verified as VerifiedState},
    },
};

/// Why no test is carried out any more.
pub(super) enum Stop {
    /// The user gave up.
    GaveUp,
    /// The host cannot do its part.
    Fault(RunError),
}

impl From<HostFault> for Stop {
    fn from(fault: HostFault) -> Self {
        Self::Fault(fault.into())
    }
}

/// What a test found.
pub(super) type Tested = Result<TestOutcome, Stop>;

/// A benchmark on a device.
pub(super) struct Trial<'a> {
    pub(super) info: &'a BenchmarkInfo,
    pub(super) subject: Arc<Subject>,
    pub(super) bytes: Verified,
    pub(super) settings: &'a Settings,
    pub(super) worker: Workers,
    pub(super) code_cache: PathBuf,
    pub(super) cancel: &'a Cancel,
    /// Whether it brings a run time along that may free memory when it likes.
    pub(super) has_run_time: bool,
}

impl Trial<'_> {
    /// The time of a test.
    pub(super) fn budget(&self) -> Duration {
        self.settings.timeout()
    }

    /// The case with the default parameters.
    pub(super) fn with_defaults(&self) -> Planned {
        // Whoever read the descriptor checked them.
        self.with(default_params(self.info).unwrap_or_default())
    }

    /// The case with these parameters.
    pub(super) fn with(&self, params: Params) -> Planned {
        Planned::new(Arc::clone(&self.subject), Arc::new(params))
    }

    /// What a worker needs, with one seed for all.
    pub(super) fn assignment<'b>(&'b self, case: &'b Planned, cancel: &'b Cancel) -> Assignment<'b> {
        Assignment {
            case,
            settings: self.settings,
            worker: self.worker.clone(),
            bytes: self.bytes.clone(),
            code_cache: self.code_cache.clone(),
            placement: place(&self.settings.cpus, case.threads()),
            seed: self.settings.seed,
            cancel,
        }
    }

    /// Tries something with a verified instance that has the default parameters, in a new worker.
    pub(super) fn try_defaults(
        &self,
        act: impl FnOnce(Session<'_, VerifiedState>) -> Result<TestOutcome, Ended>,
    ) -> Tested {
        let case = self.with_defaults();
        let assignment = self.assignment(&case, self.cancel);
        settled(verified(&assignment).and_then(|(session, _)| act(session)))
    }
}

/// An instance in a new worker.
pub(super) fn set_up<'a>(assignment: &'a Assignment<'a>) -> Result<Session<'a, SetUp>, Ended> {
    let session = Session::spawn(assignment, Box::new(|_| {}))?;
    let (session, _) = session.greet()?;
    let (session, _) = session.load()?;
    Ok(session.set_up()?.0)
}

/// A verified instance in a new worker, and whether the plugin has a `verify`.
pub(super) fn verified<'a>(
    assignment: &'a Assignment<'a>,
) -> Result<(Session<'a, VerifiedState>, bool), Ended> {
    Ok(set_up(assignment)?.verify()?)
}

/// What the end of a worker means for a test: whatever the plugin did breaks the promise.
pub(super) fn settled(outcome: Result<TestOutcome, Ended>) -> Tested {
    match outcome {
        Ok(outcome) => Ok(outcome),
        Err(Ended::Host(fault)) => Err(fault.into()),
        Err(Ended::Case(CaseStatus::Cancelled)) => Err(Stop::GaveUp),
        Err(Ended::Case(status)) => Ok(broken(&status)),
    }
}

/// A promise that was not kept, by the status of a launch.
pub(super) fn broken(status: &CaseStatus) -> TestOutcome {
    let said = |message: String| match status.last_words() {
        Some(line) => TestOutcome::failed(format!("{message}; its last line of output: {line}")),
        None => TestOutcome::failed(message),
    };
    match status {
        CaseStatus::Failed { stage, reason } => said(format!("in stage {stage}: {reason}")),
        CaseStatus::TimedOut { stage, limit_s, .. } => said(format!(
            "in stage {stage}: it took longer than {}, the time of this test (--budget)",
            units::duration(*limit_s * 1e9)
        )),
        CaseStatus::Skipped { reason, .. } => TestOutcome::skipped(reason.clone()),
        // A worker that was not asked for more ends in no other way.
        other => TestOutcome::skipped(format!("it ended as {}", other.word())),
    }
}
