//! The devices of this machine. The host loads no driver: a child process asks each of them, and what it finds out is
//! kept for as long as nothing changes that it depends on.

use std::path::Path;

use dyno_core::model::{DeviceInfo, DeviceKind};

use super::{answer, cache, facts};

/// How the driver of a kind is asked: its answer as bytes, or what went wrong.
pub type Ask<'a> = dyn Fn(DeviceKind, Rights) -> Result<Vec<u8>, Unanswered> + Sync + 'a;

/// What a driver may do while it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// What a plugin may do that uses the device.
    Confined,
    /// What the user may do.
    User,
}

/// Why a driver gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// One sentence.
    pub why: String,
    /// Whether this says nothing about the driver, and must not be cached.
    pub is_passing: bool,
}

/// How new an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// A cached answer, if nothing has changed since.
    Known,
    /// The driver is asked now.
    Refreshed,
    /// The driver is asked now, for the current state of the devices too.
    Live,
}

/// Finds the devices of this machine.
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub struct Detector<'a> {
    /// Asks a driver.
    pub ask: &'a Ask<'a>,
    /// Whether drivers are asked behind the layers that isolate plugins, as far as they bear it.
    pub confines: bool,
    /// The program that asks: cached answers of another one are not used.
    pub program: &'a Path,
    /// Where answers are kept.
    pub cache: Option<&'a Path>,
}

impl Detector<'_> {
    /// The devices of these kinds: those that can be used, and for every other kind one with the reason.
    #[must_use]
    pub fn devices(&self, kinds: &[DeviceKind], freshness: Freshness) -> Vec<DeviceInfo> {
        // Drivers take long to start, and wait more than they work.
        std::thread::scope(|scope| {
            let asked: Vec<_> = kinds
                .iter()
                .map(|kind| match without_driver(*kind) {
                    Some(device) => Err(vec![device]),
                    None => match self.known(*kind, freshness) {
                        Some(devices) => Err(devices),
                        None => {
                            let asks = move || self.find_out(*kind, freshness);
                            // Without a thread, the drivers are asked one after the other.
                            match std::thread::Builder::new().spawn_scoped(scope, asks) {
                                Ok(thread) => Ok((*kind, thread)),
                                Err(_) => Err(self.find_out(*kind, freshness)),
                            }
                        }
                    },
                })
                .collect();
            asked.into_iter().flat_map(finished).collect()
        })
    }

    fn key(&self, kind: DeviceKind) -> String {
        facts::key(kind, self.program, self.confines)
    }

    fn known(&self, kind: DeviceKind, freshness: Freshness) -> Option<Vec<DeviceInfo>> {
        match freshness {
            Freshness::Known => cache::read(self.cache?, kind, &self.key(kind)),
            Freshness::Refreshed | Freshness::Live => None,
        }
    }

    fn asked(&self, kind: DeviceKind, rights: Rights) -> Answer {
        let bytes = (self.ask)(kind, rights)?;
        answer::read(kind, &bytes).map_err(|why| Unanswered { why, is_passing: false })
    }

    /// Asks a driver behind the layers; and without them, if it finds no hardware there.
    fn as_confined_as_it_bears(&self, kind: DeviceKind) -> Answer {
        let confined = self.asked(kind, Rights::Confined);
        let has_hardware = |devices: &Vec<DeviceInfo>| usable(devices).any(|device| !device.software);
        if matches!(&confined, Err(none) if none.is_passing) || confined.as_ref().is_ok_and(has_hardware) {
            return confined;
        }
        let mut found = self.asked(kind, Rights::User)?;
        let has_all = |confined: &Answer| {
            let Ok(confined) = confined else { return false };
            usable(&found).all(|device| usable(confined).any(|other| other.is_same_as(device)))
        };
        if usable(&found).next().is_none() {
            return Ok(found);
        }
        if has_all(&confined) {
            return confined;
        }
        // A driver that is used for the first time may have made its device nodes just now.
        let again = self.asked(kind, Rights::Confined);
        if has_all(&again) {
            return again;
        }
        let why = match again {
            Ok(devices) => devices.into_iter().find_map(|device| device.unavailable),
            Err(Unanswered { why, .. }) => Some(why),
        };
        let why = why.unwrap_or_else(|| "it lists fewer devices".to_owned());
        for device in &mut found {
            device.unconfined = Some(format!(
                "behind the layers that isolate plugins, its driver does not find it ({why}); plugins on it may need \
                 `--isolation basic`"
            ));
        }
        Ok(found)
    }

    fn find_out(&self, kind: DeviceKind, freshness: Freshness) -> Vec<DeviceInfo> {
        // Before asking: what changes meanwhile makes the answer old.
        let key = self.key(kind);
        let found =
            if self.confines { self.as_confined_as_it_bears(kind) } else { self.asked(kind, Rights::User) };
        let (is_fault, is_passing) = (found.is_err(), matches!(&found, Err(none) if none.is_passing));
        let mut devices = found.unwrap_or_else(|Unanswered { why, .. }| {
            let reason = format!(
                "asking its driver failed: {why}; to see more, run `{} {kind}`; after fixing it, run `dyno devices \
                 --refresh`",
                self.program.display()
            );
            vec![DeviceInfo::unavailable(kind, reason)]
        });
        let live: Vec<_> = devices.iter_mut().map(|device| device.live.take()).collect();
        if let Some(cache) = self.cache.filter(|_| !is_passing) {
            cache::write(cache, kind, &key, is_fault, &devices);
        }
        if freshness == Freshness::Live {
            for (device, live) in devices.iter_mut().zip(live) {
                device.live = live;
            }
        }
        devices
    }
}

/// What a driver answered.
type Answer = Result<Vec<DeviceInfo>, Unanswered>;

fn usable(devices: &[DeviceInfo]) -> impl Iterator<Item = &DeviceInfo> {
    devices.iter().filter(|device| device.unavailable.is_none())
}

/// What a thread found out; one that panicked has found nothing.
fn finished(
    asked: Result<(DeviceKind, std::thread::ScopedJoinHandle<'_, Vec<DeviceInfo>>), Vec<DeviceInfo>>,
) -> Vec<DeviceInfo> {
    match asked {
        Err(devices) => devices,
        Ok((kind, thread)) => thread.join().unwrap_or_else(|_| {
            vec![DeviceInfo::unavailable(kind, "asking its driver failed inside dyno: please report this")]
        }),
    }
}

/// The kinds about which no driver needs to be asked.
fn without_driver(kind: DeviceKind) -> Option<DeviceInfo> {
    Some(match kind {
        DeviceKind::Cpu => {
            let machine = super::machine();
            let mut device = DeviceInfo::new(kind, 0);
            device.model = machine.cpu.model;
            device.memory_bytes = Some(machine.memory_bytes);
            device.compute_units = Some(machine.cpu.cores).filter(|cores| *cores > 0);
            device.max_core_clock_mhz =
                machine.cpu.max_clock_hz.and_then(|hz| u32::try_from(hz / 1_000_000).ok());
            device
        }
        DeviceKind::Mps if cfg!(target_os = "macos") => {
            DeviceInfo::unavailable(kind, "Metal is not supported by this dyno yet")
        }
        DeviceKind::Mps => DeviceInfo::unavailable(
            kind,
            format!("Metal exists only on macOS, and this system is {}", std::env::consts::OS),
        ),
        DeviceKind::WebNn => DeviceInfo::unavailable(
            kind,
            "WebNN exists only inside browsers (Chromium with its WebNN flag), and dyno does not start one",
        ),
        DeviceKind::Cuda | DeviceKind::Rocm | DeviceKind::OpenVino | DeviceKind::Qnn | DeviceKind::WebGpu => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn detector<'a>(ask: &'a Ask<'a>, cache: &'a Path) -> Detector<'a> {
        Detector { ask, confines: true, program: Path::new("/nowhere/dyno-probe"), cache: Some(cache) }
    }

    #[test]
    fn every_kind_is_listed_and_one_fault_hides_no_other_kind() {
        let cache = tempfile::tempdir().unwrap();
        let ask = |kind, _| match kind {
            DeviceKind::Cuda => {
                Err(Unanswered { why: "it ended with signal SIGSEGV (11)".to_owned(), is_passing: false })
            }
            DeviceKind::Rocm => Ok(b"garbage".to_vec()),
            kind => Ok(serde_json::to_vec(&[DeviceInfo::new(kind, 0)]).unwrap()),
        };
        let devices = detector(&ask, cache.path()).devices(&DeviceKind::ALL, Freshness::Known);
        let state = |device: &DeviceInfo| device.unavailable.clone().unwrap_or_default();
        assert_eq!(devices.len(), 8);
        assert!(devices[0].unavailable.is_none(), "a CPU is always there");
        assert!(state(&devices[1]).contains("SIGSEGV"), "{:?}", devices[1]);
        assert!(state(&devices[2]).contains("is not a list of devices"), "{:?}", devices[2]);
        assert_eq!((devices[6].name.as_str(), state(&devices[6])), ("webgpu:0", String::new()));
        assert!(state(&devices[7]).contains("browser"));
    }

    #[test]
    fn a_driver_is_asked_once_and_its_state_is_not_kept() {
        let cache = tempfile::tempdir().unwrap();
        let asked = AtomicUsize::new(0);
        let ask = |kind, _| {
            asked.fetch_add(1, Ordering::Relaxed);
            let mut device = DeviceInfo::new(kind, 0);
            device.live = Some(dyno_core::model::DeviceState::default());
            Ok(serde_json::to_vec(&[device]).unwrap())
        };
        let detector = detector(&ask, cache.path());
        let look = |freshness| detector.devices(&[DeviceKind::Cuda], freshness)[0].live.is_some();
        assert!(!look(Freshness::Known) && !look(Freshness::Known));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert!(look(Freshness::Live) && !look(Freshness::Known));
        assert!(!look(Freshness::Refreshed));
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_driver_is_asked_with_the_users_rights_only_if_it_bears_no_layers() {
        let one = |kind, model: &str, software| {
            let device = DeviceInfo { model: model.to_owned(), software, ..DeviceInfo::new(kind, 0) };
            Ok(serde_json::to_vec(&[device]).unwrap())
        };
        let none = |kind, why: &str| Ok(serde_json::to_vec(&[DeviceInfo::unavailable(kind, why)]).unwrap());
        // What it answers behind the layers, what without, how often it is asked, and what becomes known.
        type Says<'a> = &'a (dyn Fn(DeviceKind) -> Result<Vec<u8>, Unanswered> + Sync);
        let broken = |_| Err(Unanswered { why: "SIGSEGV".to_owned(), is_passing: false });
        let (card, adapter) = (|kind| one(kind, "card", false), |kind| one(kind, "adapter", true));
        let cases: [(Says<'_>, Says<'_>, usize, &str, Option<&str>); 5] = [
            (&card, &broken, 1, "card", None),
            (&adapter, &adapter, 2, "adapter", None),
            (&adapter, &card, 3, "card", Some("it lists fewer devices")),
            (&|kind| none(kind, "no node"), &card, 3, "card", Some("no node")),
            (&broken, &card, 3, "card", Some("SIGSEGV")),
        ];
        for (confined, with_rights, asks, model, unconfined) in cases {
            let asked = AtomicUsize::new(0);
            let ask = |kind, rights| {
                asked.fetch_add(1, Ordering::Relaxed);
                if rights == Rights::Confined { confined(kind) } else { with_rights(kind) }
            };
            let cache = tempfile::tempdir().unwrap();
            let found = &detector(&ask, cache.path()).devices(&[DeviceKind::Cuda], Freshness::Known)[0];
            assert_eq!((asked.load(Ordering::Relaxed), found.model.as_str()), (asks, model));
            assert_eq!(found.unconfined.is_some(), unconfined.is_some(), "{found:?}");
            let said = found.unconfined.clone().unwrap_or_default();
            assert!(said.contains(unconfined.unwrap_or_default()), "{said}");
        }
    }

    #[test]
    fn what_says_nothing_about_the_driver_is_not_remembered() {
        let cache = tempfile::tempdir().unwrap();
        let none = |_, _| Err(Unanswered { why: "no more processes".to_owned(), is_passing: true });
        let found = detector(&none, cache.path()).devices(&[DeviceKind::Cuda], Freshness::Known);
        assert!(found[0].unavailable.as_ref().unwrap().contains("no more processes"));
        let one = |kind, _| Ok(serde_json::to_vec(&[DeviceInfo::new(kind, 0)]).unwrap());
        let found = detector(&one, cache.path()).devices(&[DeviceKind::Cuda], Freshness::Known);
        assert_eq!(found[0].unavailable, None);
    }
}
