//! Whether a plugin can be loaded: a fresh worker loads it, checks its contract, and ends. Nothing is set up or measured.

use std::{path::PathBuf, sync::Arc};

use dyno_core::{
    model::{CaseStatus, DeviceInfo, DeviceKind, Settings, default_params},
    units,
};

use super::{
    Cancel, Planned, Workers,
    expand::subject,
    session::{Assignment, Ended, Session},
};
use crate::{
    catalog::{ContentStore, ContentStoreError, Entry, Resolved, Trial},
    devices::{Placement, keep_off, place},
};

/// What loading needs of the host.
#[derive(Debug)]
pub struct Loading<'a> {
    /// The store of verified bytes.
    pub content: &'a ContentStore,
    /// The program of workers, and what plugins may do.
    pub worker: Workers,
    /// Where compiled WASM code is kept.
    pub code_cache: PathBuf,
    /// Memory and the time limit of a stage.
    pub settings: &'a Settings,
    /// The wish to stop.
    pub cancel: &'a Cancel,
}

impl Loading<'_> {
    /// Copies a plugin to the store, and has a worker load it.
    #[must_use]
    pub fn try_out(&self, entry: &Entry) -> Trial {
        let bytes = match self.content.admit_unsealed(&entry.path, &entry.sha256) {
            Ok(bytes) => bytes,
            // The next scan reads it.
            Err(ContentStoreError::Changed(_)) => {
                return Trial::NotNow("it was written again while it was read".to_owned());
            }
            Err(error) => return Trial::NotNow(error.to_string()),
        };
        let Some(benchmark) = entry.descriptor.benchmarks.first() else {
            return Trial::Unusable("has no benchmark".to_owned());
        };
        let kind = benchmark.hardware.iter().find_map(|word| DeviceKind::from_word(word));
        let device = DeviceInfo::new(kind.unwrap_or(DeviceKind::Cpu), 0);
        let subject = Arc::new(subject(&Resolved { entry, benchmark }, device));
        let case = Planned::new(subject, Arc::new(default_params(benchmark).unwrap_or_default()));
        let assignment = Assignment {
            case: &case,
            settings: self.settings,
            worker: self.worker.clone(),
            bytes,
            code_cache: self.code_cache.clone(),
            placement: Placement::default(),
            seed: 0,
            cancel: self.cancel,
        };
        // A run may be measuring: neither the worker nor its compiler may disturb it.
        let _elsewhere = keep_off(&place(&self.settings.cpus, 1).cpus).ok();
        match loaded(&assignment) {
            Ok(()) => Trial::Usable,
            Err(Ended::Host(fault)) => Trial::NotNow(fault.to_string()),
            Err(Ended::Case(CaseStatus::Cancelled)) => Trial::NotNow("the server ends".to_owned()),
            Err(Ended::Case(status)) => Trial::Unusable(refusal(&status)),
        }
    }
}

fn loaded(assignment: &Assignment<'_>) -> Result<(), Ended> {
    let session = Session::spawn(assignment, Box::new(|_| {}))?;
    let (session, _) = session.greet()?;
    session.load()?;
    Ok(())
}

fn refusal(status: &CaseStatus) -> String {
    let said = match status {
        CaseStatus::Failed { reason, .. } => format!("cannot be loaded: {reason}"),
        CaseStatus::TimedOut { limit_s, .. } => {
            format!("cannot be loaded within {} (--timeout)", units::duration(*limit_s * 1e9))
        }
        CaseStatus::Skipped { reason, .. } => format!("cannot be loaded: {reason}"),
        other => format!("cannot be loaded: it ended as {}", other.word()),
    };
    match status.last_words() {
        Some(line) => format!("{said}; its last line of output: {line}"),
        None => said,
    }
}
