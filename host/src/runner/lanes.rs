//! Lanes: cases on different devices at the same time, a thread for each device. Every commit and every event goes through
//! the one desk of the dispatcher, so that the database has one writer and watchers hear one event after the other.

use std::{
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::ScopedJoinHandle,
};

use dyno_core::model::{CaseRecord, DeviceKind, Event, LaunchRecord};

use super::{
    Planned, RunError,
    conduct::Conductor,
    desk::{Desk, StoreDesk},
};
use crate::fault::{HostFault, Place};

/// Neighbouring cases that may run at the same time, by what they use.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// How many cases.
    pub(super) cases: usize,
    /// For every device its cases, by their place in the group.
    pub(super) lanes: Vec<(String, Vec<usize>)>,
}

/// The longest group that `planned`, which is not empty, begins with. A case on the processor is a group of its own, for
/// nothing else may run beside it, and so is one that cannot run at all.
pub(super) fn group(planned: &[Planned]) -> Group {
    let is_alone =
        |case: &Planned| case.obstacle.is_some() || case.device.resource() == DeviceKind::Cpu.word();
    let together = planned.iter().take_while(|case| !is_alone(case)).count().max(1);
    let mut group = Group { cases: together, lanes: Vec::new() };
    for (place, case) in planned.iter().take(together).enumerate() {
        let resource = case.device.resource();
        match group.lanes.iter_mut().find(|(of, _)| *of == resource) {
            Some((_, places)) => places.push(place),
            None => group.lanes.push((resource, vec![place])),
        }
    }
    group
}

/// What a lane asks of the dispatcher.
enum Message {
    Announce(Box<Event>),
    Commit(u32, Box<LaunchRecord>, SyncSender<Option<LaunchRecord>>),
    Finish(usize, Box<CaseRecord>),
}

/// The desk of a lane: passes everything on.
struct LaneDesk {
    to: Sender<Message>,
}

impl Desk for LaneDesk {
    fn commit(&mut self, case: u32, launch: LaunchRecord) -> Option<LaunchRecord> {
        let (back, answer) = sync_channel(1);
        // Without a dispatcher nothing becomes durable, and so nothing goes on.
        self.to.send(Message::Commit(case, Box::new(launch), back)).ok()?;
        answer.recv().ok()?
    }

    fn announce(&mut self, event: Event) {
        // Nobody listens any more when the database has refused something.
        let _ = self.to.send(Message::Announce(Box::new(event)));
    }
}

/// Runs the cases of a group, a thread for each device.
pub(super) fn run(
    conductor: &Conductor<'_>,
    desk: &mut StoreDesk<'_>,
    group: &Group,
    cases: &mut [CaseRecord],
    planned: &[Planned],
) -> Result<(), RunError> {
    let (to, from) = channel();
    std::thread::scope(|scope| {
        let lanes: Vec<_> = group
            .lanes
            .iter()
            .map(|(_, places)| {
                let work: Vec<_> = places
                    .iter()
                    .filter_map(|place| Some((*place, cases.get(*place)?.clone(), planned.get(*place)?)))
                    .collect();
                let (mut desk, mut conductor) = (LaneDesk { to: to.clone() }, conductor.clone());
                // Several devices at once: no processor could be kept free for each of them.
                conductor.is_pinning = false;
                std::thread::Builder::new()
                    .name("lane".to_owned())
                    .spawn_scoped(scope, move || lane(&mut conductor, &mut desk, work))
            })
            .collect();
        drop(to);
        let mut outcome = serve(from, desk, cases);
        for lane in lanes {
            match lane.map(ScopedJoinHandle::join) {
                Ok(Ok(ended)) => outcome = outcome.and(ended),
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(error) => {
                    let fault =
                        HostFault::new("cannot measure on several devices at once", &error, Place::Machine);
                    outcome = outcome.and(Err(fault.into()));
                }
            }
        }
        outcome
    })
}

/// Answers the lanes until all of them have ended. After the database has refused something, cases are only kept in memory.
fn serve(
    from: Receiver<Message>,
    desk: &mut StoreDesk<'_>,
    cases: &mut [CaseRecord],
) -> Result<(), RunError> {
    let mut outcome = Ok(());
    for message in from {
        match message {
            Message::Announce(event) => desk.announce(*event),
            Message::Commit(case, launch, back) => {
                let committed = if outcome.is_ok() { desk.commit(case, *launch) } else { None };
                // A lane that has gone asks nothing more.
                let _ = back.send(committed);
            }
            Message::Finish(place, case) => {
                if outcome.is_ok() {
                    outcome = desk.finish(&case);
                }
                if let Some(slot) = cases.get_mut(place) {
                    *slot = *case;
                }
            }
        }
    }
    outcome
}

/// The cases of one device, one after the other.
fn lane(
    conductor: &mut Conductor<'_>,
    desk: &mut LaneDesk,
    work: Vec<(usize, CaseRecord, &Planned)>,
) -> Result<(), RunError> {
    for (place, mut case, planned) in work {
        conductor.conduct(desk, &mut case, planned)?;
        if desk.to.send(Message::Finish(place, Box::new(case))).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use dyno_core::model::{DeviceInfo, Params};

    use super::*;
    use crate::runner::{Asking, case::subject_of_tests};

    fn grouped(devices: &[DeviceInfo]) -> (usize, Vec<Vec<usize>>) {
        let case = |device: &DeviceInfo| {
            let subject = subject_of_tests(Asking::default(), device.clone());
            Planned::new(subject.into(), Params::new().into())
        };
        let group = group(&devices.iter().map(case).collect::<Vec<_>>());
        (group.cases, group.lanes.into_iter().map(|(_, places)| places).collect())
    }

    #[test]
    fn only_different_devices_work_side_by_side_and_the_processor_never() {
        let cpu = DeviceInfo::new(DeviceKind::Cpu, 0);
        let cuda = |index| DeviceInfo::new(DeviceKind::Cuda, index);
        let software = DeviceInfo { software: true, ..DeviceInfo::new(DeviceKind::WebGpu, 0) };
        assert_eq!(grouped(&[cpu.clone(), cpu.clone()]), (1, vec![vec![0]]));
        assert_eq!(grouped(&[cuda(0), cuda(0), cpu.clone()]), (2, vec![vec![0, 1]]));
        assert_eq!(grouped(&[cuda(0), cuda(1), cuda(0)]), (3, vec![vec![0, 2], vec![1]]));
        assert_eq!(grouped(&[cuda(0), software.clone(), cuda(1)]), (1, vec![vec![0]]));
        assert_eq!(grouped(&[software, cuda(1)]), (1, vec![vec![0]]));
        let absent = DeviceInfo::unavailable(DeviceKind::Rocm, "no AMD ROCm");
        assert_eq!(grouped(&[cuda(0), absent.clone(), cuda(1)]), (1, vec![vec![0]]));
        assert_eq!(grouped(&[absent, cuda(0), cuda(1)]), (1, vec![vec![0]]));
        let pci = Some("0000:01:00.0".to_owned());
        let same = DeviceInfo { pci: pci.clone(), ..DeviceInfo::new(DeviceKind::WebGpu, 0) };
        assert_eq!(grouped(&[DeviceInfo { pci, ..cuda(0) }, same]), (2, vec![vec![0, 1]]));
    }
}
