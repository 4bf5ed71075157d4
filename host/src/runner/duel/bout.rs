//! One pair of one case: the right to the device, the bytes of both builds, and two workers under the same conditions.

use std::time::Instant;

use dyno_core::model::{CaseStatus, Unjudged};

use super::{
    pair::{Pair, pair},
    sides::Sides,
    standings::Standings,
    terms::{Duel, DuelNews, DuelOptions},
};
use crate::{
    catalog::{ContentStoreError, Unchanged, Verified},
    devices::{keep_off, place},
    fault::HostFault,
    lease::Lease,
    runner::{
        Match, Planned, RunError,
        compiled::will_compile,
        compiling::compile,
        session::{Assignment, Ended},
        turn::{Asking, Said, Turn},
    },
};

/// Why a case took no pair.
enum NoPair {
    /// The case ends without a verdict.
    Unjudged(Unjudged),
    /// The user gave up.
    GaveUp,
    /// The host cannot do its part.
    Fault(RunError),
}

impl From<HostFault> for NoPair {
    fn from(fault: HostFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<ContentStoreError> for NoPair {
    fn from(error: ContentStoreError) -> Self {
        match error {
            ContentStoreError::Host(fault) => fault.into(),
            changed => Self::Unjudged(Unjudged::PluginChanged { message: changed.to_string() }),
        }
    }
}

/// The place where pairs are taken, and what it keeps from one pair to the next.
pub(super) struct Ring<'a> {
    pub(super) duel: &'a Duel<'a>,
    pub(super) options: &'a DuelOptions,
    pub(super) told: &'a mut dyn FnMut(DuelNews<'_>),
    files: Unchanged,
    said: Said,
}

impl<'a> Ring<'a> {
    pub(super) fn new(
        duel: &'a Duel<'a>,
        options: &'a DuelOptions,
        told: &'a mut dyn FnMut(DuelNews<'_>),
    ) -> Self {
        Self { duel, options, told, files: Unchanged::default(), said: None }
    }

    /// Takes the next pair of a case, or ends the case.
    pub(super) fn next_pair(&mut self, one: &mut Standings<'_>) -> Result<(), RunError> {
        match self.take_pair(one) {
            Ok(taken) => one.take(&taken),
            Err(NoPair::Unjudged(why)) => one.end_unjudged(why),
            Err(NoPair::GaveUp) => {}
            Err(NoPair::Fault(error)) => return Err(error),
        }
        Ok(())
    }

    fn take_pair(&mut self, one: &mut Standings<'_>) -> Result<Pair, NoPair> {
        let case = one.case();
        for (side, planned) in case.sides() {
            if let Some(why) = &planned.obstacle {
                return Err(NoPair::Unjudged(Unjudged::Skipped { side, message: why.to_string() }));
            }
        }
        let _lease = self.turn(case)?;
        // Waiting for the device is not charged to the budget.
        let begin = Instant::now();
        let admit = |planned: &Planned| self.duel.content.admit(&planned.path, &planned.plugin.sha256);
        let bytes = Sides { baseline: admit(&case.baseline)?, candidate: admit(&case.candidate)? };
        let taken = self.measure(one, bytes);
        one.charge(begin.elapsed());
        // A file may have been rebuilt while the pair was measured.
        for (_, planned) in case.sides() {
            self.files.check(&planned.path, &planned.plugin.sha256)?;
        }
        taken
    }

    /// The right to the device.
    fn turn(&mut self, case: &Match) -> Result<Lease, NoPair> {
        let device = &case.candidate.device;
        let asking = Asking {
            leases: &self.duel.leases,
            device,
            purpose: &format!("dyno ab of {}", case.label),
            run: None,
            settings: &self.options.settings,
            cancel: &self.duel.cancel,
        };
        let waited = asking.wait(&mut self.said, &mut |holder| {
            (self.told)(DuelNews::Waiting { device: &device.name, holder: holder.to_string() });
        });
        match waited.map_err(|error| NoPair::Fault(error.into()))? {
            Turn::Ours(lease) => Ok(lease),
            Turn::GaveUp => Err(NoPair::GaveUp),
            Turn::TooLong(why) => Err(NoPair::Unjudged(Unjudged::Lease { message: why })),
        }
    }

    fn measure(&mut self, one: &Standings<'_>, bytes: Sides<Verified>) -> Result<Pair, NoPair> {
        let (case, duel) = (one.case(), self.duel);
        let threads = case.candidate.threads().max(case.baseline.threads());
        let placement = place(&self.options.settings.cpus, threads);
        let (settings, plan) = (one.settings(), one.next_plan());
        let assignment = |case, bytes| Assignment {
            case,
            settings: &settings,
            worker: duel.worker.clone(),
            bytes,
            code_cache: duel.code_cache.clone(),
            placement: placement.clone(),
            // The same on both sides, and another in every pair.
            seed: settings.input_seed(plan.number),
            cancel: &duel.cancel,
        };
        let baseline = &assignment(&case.baseline, bytes.baseline);
        let candidate = &assignment(&case.candidate, bytes.candidate);
        // Where compiled code cannot be kept, every launch compiles. A compiler may have every processor.
        for side in [baseline, candidate].into_iter().filter(|_| plan.number == 0) {
            if will_compile(&duel.code_cache, side.case) {
                (self.told)(DuelNews::Compiling { plugin: &side.case.plugin });
                compile(side);
            }
        }
        let _elsewhere = keep_off(&placement.cpus).ok();
        pair(Sides { baseline, candidate }, plan).map_err(|(side, ended)| match ended {
            Ended::Host(fault) => fault.into(),
            Ended::Case(CaseStatus::Cancelled) => NoPair::GaveUp,
            Ended::Case(status) => NoPair::Unjudged(Unjudged::of_status(side, &status)),
        })
    }
}
