//! The desk of a run: every result passes over it, is committed first, and then announced.

use dyno_core::model::{CaseRecord, CaseStatus, Event, LaunchRecord};

use super::RunError;
use crate::store::{Store, StoreError};

/// Commits launches and announces events.
pub(super) trait Desk {
    /// Commits a launch and gives it back. `None`: the database refused, and nothing more is to be done.
    fn commit(&mut self, case: u32, launch: LaunchRecord) -> Option<LaunchRecord>;
    /// Tells something that is durable.
    fn announce(&mut self, event: Event);
}

/// The database and the watchers, in this order.
pub(super) struct StoreDesk<'a> {
    run: &'a str,
    store: &'a mut Store,
    announce: &'a mut dyn FnMut(&Event),
    /// Why the database refused.
    refused: Option<StoreError>,
}

impl Desk for StoreDesk<'_> {
    fn commit(&mut self, case: u32, launch: LaunchRecord) -> Option<LaunchRecord> {
        match self.store.commit_launch(self.run, case, &launch) {
            Ok(()) => Some(launch),
            Err(error) => {
                self.refused = Some(error);
                None
            }
        }
    }

    fn announce(&mut self, event: Event) {
        (self.announce)(&event);
    }
}

impl<'a> StoreDesk<'a> {
    pub(super) fn new(run: &'a str, store: &'a mut Store, announce: &'a mut dyn FnMut(&Event)) -> Self {
        Self { run, store, announce, refused: None }
    }

    /// Commits the end of a case, and tells it.
    pub(super) fn finish(&mut self, case: &CaseRecord) -> Result<(), RunError> {
        self.hold_to_refusal()?;
        self.store.finish_case(self.run, case)?;
        self.tell(case);
        Ok(())
    }

    /// Cancels cases that were never begun: commits them together, and tells each.
    pub(super) fn give_up(&mut self, cases: &mut [CaseRecord]) -> Result<(), RunError> {
        self.hold_to_refusal()?;
        cases.iter_mut().for_each(|case| case.status = CaseStatus::Cancelled);
        self.store.end_unbegun(self.run, cases)?;
        cases.iter().for_each(|case| self.tell(case));
        Ok(())
    }

    /// The refusal of an earlier commit.
    fn hold_to_refusal(&mut self) -> Result<(), StoreError> {
        self.refused.take().map_or(Ok(()), Err)
    }

    fn tell(&mut self, case: &CaseRecord) {
        let mut told = case.clone();
        told.launches.iter_mut().for_each(|launch| launch.samples.clear());
        (self.announce)(&Event::CaseFinished { case: Box::new(told) });
    }
}
