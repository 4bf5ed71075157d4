//! Use cases: the machine, its devices and their leases.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use dyno_core::model::{CaseRequest, DeviceInfo, DeviceKind, IsolationLayer, IsolationReadings, Machine};

use super::{error::AppError, root::App, surveyed::Surveyed};
use crate::{
    config::Isolation,
    devices::{self, Detector, Freshness, Rights, Unanswered},
    fault::{HostFault, Place},
    lease::{Leases, Reach, Standing},
    pool::{self, HelperCommand, HelperFault, ask_helper},
};

/// Memory limit of a probe: drivers of many devices take some hundred megabytes.
const PROBE_MEMORY_BYTES: u64 = 2 << 30;
/// Maximum size of a probe's answer, which has some kilobytes per device.
const PROBE_ANSWER_BYTES: usize = 1 << 20;

/// Longest wait for a worker that is asked for its layers, and for its answer [bytes].
const LAYERS_PATIENCE: Duration = Duration::from_secs(10);
const LAYERS_ANSWER_BYTES: usize = 64 * 1024;

/// What a worker found out, with what the host puts around workers.
fn with_groups(mut found: IsolationReadings) -> IsolationReadings {
    found.ungrouped = pool::ungrouped().map(str::to_owned);
    IsolationLayer::add_group(&mut found.layers, found.ungrouped.is_none());
    found
}

/// The machine and its devices.
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

    /// What stands between native plugins and the machine, as a worker finds it out on itself, once. `None`: it cannot be asked.
    #[must_use]
    pub fn isolation(&self) -> Option<IsolationReadings> {
        if self.0.settings.isolation.value == Isolation::Basic {
            let missing =
                vec!["plugins have this user's rights, as `isolation = \"basic\"` asks for".to_owned()];
            return Some(with_groups(IsolationReadings { missing, ..IsolationReadings::default() }));
        }
        if let Some(known) = self.0.isolation.get() {
            return Some(known.clone());
        }
        let command = HelperCommand {
            program: self.0.settings.worker.value.clone(),
            arguments: vec!["--layers".to_owned()],
            patience: LAYERS_PATIENCE,
            memory_limit_bytes: self.0.settings.memory_bytes.value,
            max_answer_bytes: LAYERS_ANSWER_BYTES,
        };
        let answer = ask_helper(&command, &|| false).ok()?;
        let found = with_groups(serde_json::from_slice(&answer).ok()?);
        Some(self.0.isolation.get_or_init(|| found).clone())
    }

    /// The devices of these kinds. A kind without devices has one entry with the reason.
    #[must_use]
    pub fn devices(&self, kinds: &[DeviceKind], freshness: Freshness) -> Vec<DeviceInfo> {
        self.asked(kinds, freshness).0
    }

    /// The devices of these kinds, and the host's fault if a driver could not be queried.
    fn asked(&self, kinds: &[DeviceKind], freshness: Freshness) -> (Vec<DeviceInfo>, Option<AppError>) {
        let (settings, cancel) = (&self.0.settings, &self.0.cancel);
        let fault = Mutex::new(None);
        let ask = |kind: DeviceKind, rights: Rights| {
            let confined = (rights == Rights::Confined).then(|| "--confined".to_owned());
            let command = HelperCommand {
                program: settings.probe.value.clone(),
                arguments: [kind.word().to_owned()].into_iter().chain(confined).collect(),
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
        let confines = settings.isolation.value == Isolation::Full;
        let devices = Detector { ask: &ask, confines, program, cache }.devices(kinds, freshness);
        let fault = fault.into_inner().unwrap_or_else(PoisonError::into_inner).map(|error| match error {
            HelperFault::NotStarted(error) => {
                HostFault::new(format!("cannot start `{}`", program.display()), &error, Place::Machine).into()
            }
            _ => AppError::Cancelled,
        });
        (devices, fault)
    }

    /// The machine and devices of the named server; `None` if no server was named.
    ///
    /// # Errors
    /// When the server refuses, or `name` is not a device.
    pub fn of_server(&self, name: Option<&str>, refresh: bool) -> Result<Option<Surveyed>, AppError> {
        let Some(server) = self.0.named_server() else { return Ok(None) };
        let mut surveyed = server.devices(refresh)?;
        if let Some(name) = name {
            surveyed.devices = devices::find(&surveyed.devices, name)?;
        }
        Ok(Some(surveyed))
    }

    /// The devices that a name stands for.
    ///
    /// # Errors
    /// When `name` is not a device.
    pub fn named(&self, name: &str, freshness: Freshness) -> Result<Vec<DeviceInfo>, AppError> {
        let devices = self.devices(&devices::kinds_of([name]), freshness);
        // All of a kind: one that is left out of runs is shown all the same.
        if DeviceKind::from_word(&name.trim().to_lowercase()).is_some() {
            return Ok(devices);
        }
        Ok(devices::find(&devices, name)?)
    }

    /// The devices of the kinds that the requests name. Other drivers are not queried.
    ///
    /// # Errors
    /// When the host could not query a driver, which says nothing about its devices.
    pub(super) fn requested(&self, requests: &[CaseRequest]) -> Result<Vec<DeviceInfo>, AppError> {
        self.meant(requests.iter().flat_map(|request| &request.hardware).map(String::as_str))
    }

    /// The devices of the kinds that these names are about. Other drivers are not queried.
    ///
    /// # Errors
    /// When the host could not query a driver, which says nothing about its devices.
    pub(super) fn meant<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<DeviceInfo>, AppError> {
        match self.asked(&devices::kinds_of(names), Freshness::Known) {
            (devices, None) => Ok(devices),
            (_, Some(fault)) => Err(fault),
        }
    }

    /// Why a device is no longer available; `None` if it still is.
    pub(super) fn missing(&self, device: &DeviceInfo, freshness: Freshness) -> Option<String> {
        // Where the host cannot even ask, nothing is known against the device.
        let (now, None) = self.asked(&[device.kind], freshness) else { return None };
        if let Some(same) = now.iter().find(|other| other.name == device.name && other.unavailable.is_none())
        {
            return (!same.is_same_as(device)).then(|| format!("its name now belongs to {}", same.model));
        }
        let why = now.iter().find_map(|other| other.unavailable.clone());
        Some(why.unwrap_or_else(|| "its driver no longer lists it".to_owned()))
    }

    /// Chooses the idlest processors again. Call it before a run, never during one.
    pub fn choose_processors_again(&self) {
        devices::choose_again();
    }

    /// The leases of this machine.
    pub(super) fn leases(&self) -> Result<Leases, AppError> {
        let settings = &self.0.settings;
        Ok(Leases::open(&settings.leases.value, settings.own_leases().as_deref())?)
    }

    /// The holders of the leases of these devices and the processes waiting for them, and how far those names reach.
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
