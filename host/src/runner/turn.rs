//! A turn on a device: waiting for its lease without disturbing the measurement on it.

use std::ops::ControlFlow;

use dyno_core::model::{DeviceInfo, DeviceKind, Settings};

use super::Cancel;
use crate::{
    devices::{Elsewhere, keep_off, place},
    lease::{Holder, Lease, LeaseError, Leases, Wish},
};

/// How the wait for a turn ended.
pub(super) enum Turn {
    /// The device is ours.
    Ours(Lease),
    /// The user gave up.
    GaveUp,
    /// It took longer than it may: a sentence.
    TooLong(String),
}

/// The holder that was last reported: process and run. Two runs that take turns, launch by launch, are reported to each other
/// once.
pub(super) type Said = Option<(u32, Option<String>)>;

/// A request for a turn.
pub(super) struct Asking<'a> {
    pub(super) leases: &'a Leases,
    pub(super) device: &'a DeviceInfo,
    /// The purpose, as other processes see it. // eg: "dyno run of sum n=1000"
    pub(super) purpose: &'a str,
    pub(super) run: Option<&'a str>,
    pub(super) settings: &'a Settings,
    pub(super) cancel: &'a Cancel,
}

impl Asking<'_> {
    /// Waits for the turn. `told` is called for each new holder.
    ///
    /// # Errors
    /// When the files of leases cannot be used.
    pub(super) fn wait(&self, said: &mut Said, told: &mut dyn FnMut(&Holder)) -> Result<Turn, LeaseError> {
        let resource = self.device.resource();
        let wish = Wish {
            device: &self.device.name,
            resource: &resource,
            purpose: self.purpose,
            run: self.run,
            overlap: self.settings.overlap && resource == DeviceKind::Cpu.word(),
            patience: self.settings.lease_timeout(),
        };
        // A process that waits for a processor must not disturb the measurement on it.
        let mut elsewhere: Option<Elsewhere> = None;
        let waited = self.leases.acquire(&wish, |holder| {
            if elsewhere.is_none() {
                elsewhere = keep_off(&place(&self.settings.cpus, 1).cpus).ok();
            }
            if let Some(holder) = holder.filter(|it| said.as_ref() != Some(&(it.pid, it.run.clone()))) {
                *said = Some((holder.pid, holder.run.clone()));
                told(holder);
            }
            let gives_up = self.cancel.starts_nothing();
            if gives_up { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match waited {
            Ok(Some(lease)) => Ok(Turn::Ours(lease)),
            Ok(None) => Ok(Turn::GaveUp),
            Err(error @ LeaseError::TimedOut { .. }) => Ok(Turn::TooLong(error.to_string())),
            Err(error) => Err(error),
        }
    }
}
