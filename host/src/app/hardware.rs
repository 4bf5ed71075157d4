//! The use cases of devices: what there is, who has it, and whether it is still there.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use dyno_core::model::{CaseRequest, DeviceInfo, DeviceKind, Machine};

use super::{error::AppError, root::App};
use crate::{
    devices::{self, Detector, Freshness, Unanswered},
    fault::{HostFault, Place},
    lease::{Leases, Reach, Standing},
    pool::{HelperCommand, HelperFault, ask_helper},
};

/// Most memory of a probe: drivers of many devices take some hundred megabytes.
const PROBE_MEMORY_BYTES: u64 = 2 << 30;
/// Longest answer of a probe: some kilobytes per device.
const PROBE_ANSWER_BYTES: usize = 1 << 20;

/// The machine that an application runs on, with its devices.
#[derive(Debug, Clone, Copy)]
pub struct Hardware<'a>(&'a App);

impl App {
    /// The use cases of devices.
    #[must_use]
    pub fn hardware(&self) -> Hardware<'_> {
        Hardware(self)
    }
}

impl Hardware<'_> {
    /// The machine.
    #[must_use]
    pub fn machine(&self) -> Machine {
        devices::machine()
    }

    /// The devices of these kinds, and for each kind that is not there the reason.
    #[must_use]
    pub fn devices(&self, kinds: &[DeviceKind], freshness: Freshness) -> Vec<DeviceInfo> {
        self.asked(kinds, freshness).0
    }

    /// The devices of these kinds, and why some driver could not be asked for want of something of the host's.
    fn asked(&self, kinds: &[DeviceKind], freshness: Freshness) -> (Vec<DeviceInfo>, Option<AppError>) {
        let (settings, cancel) = (&self.0.settings, &self.0.cancel);
        let fault = Mutex::new(None);
        let ask = |kind: DeviceKind| {
            let command = HelperCommand {
                program: settings.probe.value.clone(),
                argument: kind.word().to_owned(),
                patience: Duration::from_nanos(settings.probe_timeout_ns.value),
                memory_limit_bytes: PROBE_MEMORY_BYTES,
                max_answer_bytes: PROBE_ANSWER_BYTES,
            };
            ask_helper(&command, &|| cancel.is_set()).map_err(|error| {
                let unanswered = Unanswered { why: error.to_string(), is_passing: error.is_passing() };
                if unanswered.is_passing {
                    *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
                unanswered
            })
        };
        let (program, cache) = (&settings.probe.value, settings.cache.value.as_deref());
        let devices = Detector { ask: &ask, program, cache }.devices(kinds, freshness);
        let fault = fault.into_inner().unwrap_or_else(PoisonError::into_inner).map(|error| match error {
            HelperFault::NotStarted(error) => {
                HostFault::new(format!("cannot start `{}`", program.display()), &error, Place::Machine).into()
            }
            _ => AppError::Cancelled,
        });
        (devices, fault)
    }

    /// The machine of the server that was named, with its devices; `None` where none was.
    ///
    /// # Errors
    /// When the server refuses, or it is no name of a device.
    pub fn of_server(
        &self,
        name: Option<&str>,
        refresh: bool,
    ) -> Result<Option<(Machine, Vec<DeviceInfo>)>, AppError> {
        let Some(server) = self.0.named_server() else { return Ok(None) };
        let (machine, devices) = server.devices(refresh)?;
        let devices = match name {
            Some(name) => devices::find(&devices, name)?,
            None => devices,
        };
        Ok(Some((machine, devices)))
    }

    /// The devices that a name of the user means.
    ///
    /// # Errors
    /// When it is no name of a device.
    pub fn named(&self, name: &str, freshness: Freshness) -> Result<Vec<DeviceInfo>, AppError> {
        let devices = self.devices(&devices::kinds_of([name]), freshness);
        // All of a kind: one that is left out of runs is shown all the same.
        if DeviceKind::from_word(&name.trim().to_lowercase()).is_some() {
            return Ok(devices);
        }
        Ok(devices::find(&devices, name)?)
    }

    /// The devices that requests name. Drivers of other kinds are not asked.
    ///
    /// # Errors
    /// When one could not be asked for want of something of the host's: that says nothing about its devices.
    pub(super) fn requested(&self, requests: &[CaseRequest]) -> Result<Vec<DeviceInfo>, AppError> {
        let names = requests.iter().flat_map(|request| &request.hardware).map(String::as_str);
        match self.asked(&devices::kinds_of(names), Freshness::Known) {
            (devices, None) => Ok(devices),
            (_, Some(fault)) => Err(fault),
        }
    }

    /// Why a device that was there is there no more.
    pub(super) fn missing(&self, device: &DeviceInfo, freshness: Freshness) -> Option<String> {
        // Where the host cannot even ask, nothing is known against the device.
        let (now, None) = self.asked(&[device.kind], freshness) else { return None };
        if let Some(same) = now.iter().find(|other| other.name == device.name && other.unavailable.is_none())
        {
            let identity = |it: &DeviceInfo| (it.model.clone(), it.pci.clone(), it.uuid.clone());
            let is_same = identity(same) == identity(device);
            return (!is_same).then(|| format!("its name now belongs to {}", same.model));
        }
        let why = now.iter().find_map(|other| other.unavailable.clone());
        Some(why.unwrap_or_else(|| "its driver no longer lists it".to_owned()))
    }

    /// Finds anew where least else happens on this machine, before a run of a server. Not while another one is measured.
    pub fn choose_processors_again(&self) {
        devices::choose_again();
    }

    /// The rights to devices.
    pub(super) fn leases(&self) -> Result<Leases, AppError> {
        let settings = &self.0.settings;
        Ok(Leases::open(&settings.leases.value, settings.own_leases().as_deref())?)
    }

    /// Who holds and who waits for the resources behind these devices, and who is named to whom.
    ///
    /// # Errors
    /// When the files of leases cannot be used.
    pub fn lease_holders(&self, devices: &[DeviceInfo]) -> Result<(Vec<Standing>, Reach), AppError> {
        let leases = self.leases()?;
        let mut resources: Vec<String> = Vec::new();
        for device in devices.iter().filter(|device| device.unavailable.is_none()) {
            let resource = device.resource();
            if !resources.contains(&resource) {
                resources.push(resource);
            }
        }
        Ok((leases.holders(&resources), leases.reach().clone()))
    }
}
