//! The dispatcher of a run: it alone changes status, decides what is next, commits, and then announces.

use std::{path::PathBuf, time::Instant};

use dyno_core::model::{CaseStatus, Event, RunRecord, RunStatus};

use super::{
    Cancel, Planned, RunError, Workers,
    conduct::{Conductor, Missing},
    desk::StoreDesk,
    lanes,
};
use crate::{
    catalog::ContentStore,
    lease::Leases,
    store::{RunEnd, Store, StoreError},
};

/// What a run works with.
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub struct Dispatcher<'a> {
    /// Where results go.
    pub store: &'a mut Store,
    /// Where verified bytes are kept.
    pub content: &'a ContentStore,
    /// The program of workers, and what plugins may do.
    pub worker: Workers,
    /// Where compiled WASM code is kept.
    pub code_cache: PathBuf,
    /// The rights to devices.
    pub leases: Leases,
    /// Says why a device is no longer there.
    pub missing: &'a Missing<'a>,
    /// The user's wish to stop.
    pub cancel: Cancel,
    /// Told everything, after it is durable.
    pub announce: &'a mut dyn FnMut(&Event),
}

impl Dispatcher<'_> {
    /// Runs every case of `record`, which is in the database from the start (before, where it was queued) and complete at the
    /// end. Cases run one after the other, except where neighbours use different devices, none of them the processor.
    ///
    /// # Errors
    /// When the host cannot do its part: the database, the leases, a resource. The run is then `interrupted`: what was
    /// committed is kept, and its other cases have no end, so that it can be resumed.
    pub fn run(&mut self, record: &mut RunRecord, planned: &[Planned]) -> Result<(), RunError> {
        let begun = Instant::now();
        let outcome = self.carry_out(record, planned, begun);
        if outcome.is_err() {
            record.status = RunStatus::Interrupted;
            // If the database was the reason, it may refuse this as well. The next process that opens it finds the run unended.
            if self.end(record, begun).is_ok() {
                (self.announce)(&Event::RunFinished { run: record.id.clone(), status: record.status });
            }
        }
        outcome
    }

    fn end(&mut self, record: &mut RunRecord, begun: Instant) -> Result<(), StoreError> {
        let elapsed_s = begun.elapsed().as_secs_f64();
        self.store.record_end(&record.id, RunEnd { elapsed_s, progress: None })?;
        let finished = crate::timestamp::now();
        self.store.finish_run(&record.id, record.status, &finished)?;
        record.finished_at = Some(finished);
        Ok(())
    }

    fn carry_out(
        &mut self,
        record: &mut RunRecord,
        planned: &[Planned],
        begun: Instant,
    ) -> Result<(), RunError> {
        if record.status == RunStatus::Queued {
            record.status = RunStatus::Running;
            self.store.begin_queued(record, &crate::timestamp::now())?;
        } else {
            self.store.begin_run(record)?;
        }
        (self.announce)(&Event::run_started(record));
        self.conduct_all(record, planned)?;
        let is_whole = record.cases.iter().all(|case| case.status != CaseStatus::Cancelled);
        record.status = if self.cancel.is_winding_down() && !is_whole {
            RunStatus::Interrupted
        } else if self.cancel.is_set() {
            RunStatus::Cancelled
        } else {
            RunStatus::Completed
        };
        self.end(record, begun)?;
        (self.announce)(&Event::RunFinished { run: record.id.clone(), status: record.status });
        Ok(())
    }

    /// Conducts all cases, or those until the user gives up.
    fn conduct_all(&mut self, record: &mut RunRecord, planned: &[Planned]) -> Result<(), RunError> {
        let mut conductor = Conductor {
            run: &record.id,
            settings: &record.spec.settings,
            content: self.content,
            worker: &self.worker,
            code_cache: &self.code_cache,
            leases: &self.leases,
            missing: self.missing,
            cancel: &self.cancel,
            is_pinning: true,
            said: None,
        };
        let mut desk = StoreDesk::new(&record.id, self.store, self.announce);
        let mut at = 0;
        while let Some(rest) = planned.get(at..).filter(|rest| !rest.is_empty()) {
            if self.cancel.starts_nothing() {
                return desk.give_up(record.cases.get_mut(at..).unwrap_or_default());
            }
            let group = lanes::group(rest);
            let (Some(cases), Some(planned)) =
                (record.cases.get_mut(at..at + group.cases), rest.get(..group.cases))
            else {
                break;
            };
            if group.lanes.len() > 1 {
                lanes::run(&conductor, &mut desk, &group, cases, planned)?;
            } else {
                for (case, planned) in cases.iter_mut().zip(planned) {
                    conductor.conduct(&mut desk, case, planned)?;
                    desk.finish(case)?;
                }
            }
            at += group.cases;
        }
        Ok(())
    }
}
