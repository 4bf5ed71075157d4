//! How a session ends before its last stage: with a status of its case, or with a fault of the host.

use std::{path::Path, time::Duration};

use dyno_core::{
    model::{CaseStatus, Exit, Reason, Stage},
    protocol::PROTOCOL_VERSION,
    units,
};

use crate::{
    fault::{HostFault, Place},
    pool::Interruption,
};

/// The end of a stage that failed: for a line the status of the case, for a session also the process to close.
#[derive(Debug)]
pub(in crate::runner) enum Ended<Case = CaseStatus> {
    /// By what its plugin did, or by the user's wish.
    Case(Case),
    /// The host could not do its part: that says nothing about the plugin, and is not a status.
    Host(HostFault),
}

impl<Case> From<HostFault> for Ended<Case> {
    fn from(fault: HostFault) -> Self {
        Self::Host(fault)
    }
}

impl<Case> Ended<Case> {
    pub(super) fn map<Other>(self, case: impl FnOnce(Case) -> Other) -> Ended<Other> {
        match self {
            Self::Case(it) => Ended::Case(case(it)),
            Self::Host(fault) => Ended::Host(fault),
        }
    }
}

impl Ended {
    pub(in crate::runner) fn failed(
        stage: Stage,
        message: String,
        exit: Option<Exit>,
        last_output: Vec<String>,
    ) -> Self {
        Self::Case(CaseStatus::Failed { stage, reason: Reason { message, exit, last_output } })
    }

    /// A worker of another release.
    pub(super) fn wrong_worker(worker: &Path, protocol: u32, version: &str) -> Self {
        Self::Host(HostFault::other(
            format!("cannot use the worker `{}`", worker.display()),
            format!(
                "it is of dyno {version} and speaks protocol {protocol}, this dyno speaks {PROTOCOL_VERSION}; install both \
                 from one release"
            ),
            Place::Worker,
        ))
    }

    /// The end of a stage whose answer did not come; `limit` is the time that it had.
    pub(super) fn interrupted(
        why: Interruption,
        stage: Stage,
        limit: Duration,
        last_output: Vec<String>,
    ) -> Self {
        if stage == Stage::Spawn
            && let Some(why) = without_a_plugin(&why)
        {
            let said = match last_output.last() {
                Some(line) => format!("{why}; it said: {line}"),
                None => why,
            };
            let doing = "the worker ended before it was given a plugin";
            return Self::Host(HostFault::other(doing, said, Place::Worker));
        }
        let message = match &why {
            Interruption::Died(exit) => format!("the worker process ended in this stage with {exit}"),
            Interruption::OverMemory { together, used, limit } => format!(
                "the worker{} used {} of memory, more than its limit of {}; raise it with --memory",
                if *together { " and all that it started" } else { "" },
                units::bytes(*used as f64),
                units::bytes(*limit as f64)
            ),
            Interruption::LeftChannel => {
                "the plugin closed the worker's channel to the host; the worker was killed".to_owned()
            }
            Interruption::Flooded { what, most } => {
                format!("the worker sent more than {most} {what}; the plugin may have written to its channel")
            }
            Interruption::Babbled(error) => format!(
                "the worker sent data that is not a valid message ({error}); the plugin may have written to its channel"
            ),
            Interruption::TimedOut => {
                let limit_s = limit.as_secs_f64();
                return Self::Case(CaseStatus::TimedOut { stage, limit_s, last_output });
            }
            Interruption::Cancelled => return Self::Case(CaseStatus::Cancelled),
            Interruption::Host(fault) => return Self::Host(fault.clone()),
        };
        let exit = if let Interruption::Died(exit) = why { Some(exit) } else { None };
        Self::failed(stage, message, exit, last_output)
    }
}

/// How a worker ended that was not given a plugin yet; `None` if it did not end by itself.
fn without_a_plugin(why: &Interruption) -> Option<String> {
    match why {
        Interruption::Died(exit) => Some(format!("it ended with {exit}")),
        Interruption::LeftChannel => Some("it closed its channel to the host".to_owned()),
        Interruption::Babbled(error) => Some(format!("it sent data that is not a message ({error})")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_ends_before_it_has_a_plugin_is_the_hosts() {
        let ended = |why, stage| Ended::interrupted(why, stage, Duration::ZERO, vec!["no libc".to_owned()]);
        let died = |stage| ended(Interruption::Died(Exit::Code(3)), stage);
        let Ended::Host(fault) = died(Stage::Spawn) else { panic!("it is the plugin's") };
        let fault = fault.to_string();
        assert!(fault.contains("exit code 3") && fault.contains("no libc"), "{fault}");
        let Ended::Case(CaseStatus::Failed { stage: Stage::Load, reason }) = died(Stage::Load) else {
            panic!("it is the host's")
        };
        assert_eq!(reason.exit, Some(Exit::Code(3)));
        let full = HostFault::other("cannot write", "full", Place::Cache);
        let host = ended(Interruption::Host(full.clone()), Stage::Load);
        assert!(matches!(host, Ended::Host(fault) if fault == full));
    }
}
