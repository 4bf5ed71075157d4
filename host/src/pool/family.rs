//! The processes that this one starts, what they may leave behind, and the end of both.
//!
//! A worker leads its own process group, which is killed as a whole. A child that left the group (`setsid`, a double
//! fork) is adopted by the host, which is a "child subreaper", when its parent dies. Where nobody but workers and probes can have
//! left such a child, every child that was not started here is one, and is killed.
//!
//! Other children may have nothing to do with a worker: those of the program that this one replaced (`exec dyno`), every orphan of
//! a container where this is process 1, and what a notification or `git` leaves running. From then on only those are touched that
//! carry the mark which a worker leaves on all that it starts.
//!
//! A process that does not end although it was killed is stuck in the kernel, mostly in a driver. It is waited for within a
//! bound and never under the lock, so that it stops neither other devices nor the next start; it is buried when it ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io, mem,
    process::{Child, ExitStatus},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use dyno_core::protocol;
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{Signal, kill, killpg},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::{Pid, getpid},
};

use crate::proc::parent;

/// Longest wait for a process that was killed, and longest hunt for what one worker left behind.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long a killed process may take to end before its orphans are hunted: one that traces it keeps it from ending.
const FIRST_LOOK: Duration = Duration::from_millis(250);
/// Shortest and longest pause between two looks at a process that is ending.
const PAUSES: [Duration; 2] = [Duration::from_micros(50), Duration::from_millis(10)];

/// What a child is for, and so whose fault it is what it leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kin {
    /// Runs a plugin. What it leaves behind is killed, and charged to the plugin.
    Worker,
    /// Asks a driver. What it leaves behind is killed.
    Probe,
    /// A program of the user's: `git`, a notification. What it leaves behind is left alone.
    Tool,
}

/// How a child ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// `None`: nobody could see it end.
    pub(super) status: Option<ExitStatus>,
    /// Whether it is still there, although it was killed.
    pub(super) is_stuck: bool,
    /// Processes that a worker had started, that had outlived it, and that were killed.
    pub(super) left_behind: usize,
}

/// What is known of our children.
struct Family {
    /// Those that were started here and have not ended.
    children: BTreeMap<i32, Kin>,
    /// Children that are being started: until they are among those above, they look like orphans.
    starting: usize,
    /// Killed, and waited for by some thread.
    dying: BTreeSet<i32>,
    /// Killed, and given up: they are buried when they end.
    stuck: BTreeSet<i32>,
    /// Whether children may have nothing to do with workers and probes; `None`: nothing was started yet.
    has_strangers: Option<bool>,
    /// Whether orphans become our children.
    adopts: bool,
    /// Whether an orphan may be that of another child than the one that ends next.
    is_mixed: bool,
}

static FAMILY: Mutex<Family> = Mutex::new(Family {
    children: BTreeMap::new(),
    starting: 0,
    dying: BTreeSet::new(),
    stuck: BTreeSet::new(),
    has_strangers: None,
    adopts: false,
    is_mixed: false,
});

/// Never held while anything is waited for.
fn family() -> MutexGuard<'static, Family> {
    // A panic elsewhere leaves sets of numbers as good as before.
    FAMILY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why orphans are not adopted; empty where they are.
static UNADOPTED: OnceLock<Errno> = OnceLock::new();

/// Makes this process the parent of every orphan that its workers leave. Done before the first worker. Where the kernel
/// refuses, what a plugin hides from its process group is not found: [`unadopted`] says so for every launch.
pub fn adopt_orphans() {
    match prctl::set_child_subreaper(true) {
        Ok(()) => family().adopt(),
        Err(refusal) => {
            UNADOPTED.get_or_init(|| refusal);
        }
    }
}

/// A sentence, where the kernel refused to let us adopt orphans.
#[must_use]
pub fn unadopted() -> Option<String> {
    UNADOPTED.get().map(|refusal| {
        format!(
            "the kernel refused to make dyno the parent of orphans (prctl: {refusal}): what a plugin moves out of its process \
             group is not found"
        )
    })
}

/// Starts a child and remembers it, so that it is not taken for an orphan.
pub(super) fn spawn(kin: Kin, start: impl FnOnce() -> io::Result<Child>) -> io::Result<Child> {
    family().begin(kin);
    // Not under the lock: a program on a disk that hangs would stop every other start.
    let started = start();
    let mut family = family();
    family.starting = family.starting.saturating_sub(1);
    if let Ok(child) = &started {
        family.children.insert(pid_of(child), kin);
    }
    started
}

/// The number of a child.
pub(super) fn pid_of(child: &Child) -> i32 {
    i32::try_from(child.id()).unwrap_or(i32::MAX)
}

/// Asks a worker's leader to stop: the plugin sees `cancelled`.
pub(super) fn ask_to_stop(pid: i32) {
    let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
}

/// Kills a child with its process group, if it has not ended, and waits for it, then kills and buries what it left behind. A tool
/// that ended by itself is only forgotten: what it left running is its user's.
///
/// While other workers and probes live, what looks like an orphan may be theirs: then the last of them to end hunts for all, and
/// nobody is charged with what it finds.
pub(super) fn end(child: &mut Child) -> Ending {
    let pid = pid_of(child);
    let kin = family().children.get(&pid).copied().unwrap_or(Kin::Tool);
    let mut status = child.try_wait().ok().flatten();
    if kin != Kin::Tool || status.is_none() {
        // It fails only when nobody is left in the group.
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        // It may have left its own group.
        let _ = child.kill();
        status = wait(child, FIRST_LOOK);
    }
    let hunts = family().leave(pid, kin, status.is_none());
    let mut left_behind = hunts.map_or(0, hunt_and_charge);
    let mut is_stuck = false;
    if status.is_none() {
        status = wait(child, PATIENCE);
        // Where this process was started to ignore the end of children, the kernel buries them, and nobody can wait for them.
        is_stuck = status.is_none() && kill(Pid::from_raw(pid), None).is_ok();
        family().settle(pid, is_stuck);
        // What it had started became ours only now.
        left_behind += hunts.filter(|_| !is_stuck).map_or(0, hunt_and_charge);
    }
    Ending { status, is_stuck, left_behind }
}

/// How the child ended, once it has; at most so long.
fn wait(child: &mut Child, at_most: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + at_most;
    let [mut pause, longest] = PAUSES;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => {}
            Ok(None) | Err(_) => return None,
        }
        thread::sleep(pause);
        pause = (2 * pause).min(longest);
    }
}

/// Hunts for the orphans of a child. Gives how many are charged to it: none where they may be those of several.
fn hunt_and_charge(was_mixed: bool) -> usize {
    let (found, is_whole) = hunt();
    let mut family = family();
    let is_mixed = was_mixed || family.is_mixed;
    family.is_mixed |= !is_whole;
    if is_mixed { 0 } else { found }
}

/// Kills and buries every orphan, until there are none. Gives how many had still been running, and whether none is left.
fn hunt() -> (usize, bool) {
    let mut found = 0;
    // An orphan may have children of its own, which become ours when it dies: go on until there are none, but not
    // indefinitely against one that multiplies faster than it can be killed.
    let deadline = Instant::now() + PATIENCE;
    let mut is_first_look = true;
    loop {
        let orphans = {
            let mut family = family();
            // What was started meanwhile may have orphans as well: the end of that one goes on with the hunt.
            if !family.is_alone() || Instant::now() > deadline {
                return (found, false);
            }
            family.take_orphans()
        };
        if orphans.is_empty() {
            return (found, true);
        }
        for orphan in &orphans {
            let _ = kill(*orphan, Signal::SIGKILL);
        }
        let (had_been_running, stuck) = bury(&orphans, deadline);
        // One that had ended by itself only waited to be buried, unless it was started after the worker's end.
        found += if is_first_look { had_been_running + stuck.len() } else { orphans.len() };
        is_first_look = false;
        let mut family = family();
        for orphan in orphans {
            family.settle(orphan.as_raw(), stuck.contains(&orphan));
        }
    }
}

/// Waits for processes that were killed. Gives how many were ended by that, and those that do not end.
fn bury(killed: &[Pid], deadline: Instant) -> (usize, Vec<Pid>) {
    let mut left = killed.to_vec();
    let mut had_been_running = 0;
    let [mut pause, longest] = PAUSES;
    loop {
        left.retain(|pid| match waitpid(*pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => true,
            Ok(status) => {
                had_been_running +=
                    usize::from(matches!(status, WaitStatus::Signaled(_, Signal::SIGKILL, _)));
                false
            }
            Err(_) => false,
        });
        if left.is_empty() || Instant::now() >= deadline {
            return (had_been_running, left);
        }
        thread::sleep(pause);
        pause = (2 * pause).min(longest);
    }
}

impl Family {
    /// Orphans become ours, from now on.
    fn adopt(&mut self) {
        self.adopts = true;
        if self.children.values().any(|kin| *kin == Kin::Tool) {
            self.has_strangers = Some(true);
        }
    }

    /// A child is about to be started.
    fn begin(&mut self, kin: Kin) {
        self.bury_stuck();
        let has_strangers =
            self.has_strangers.unwrap_or_else(|| getpid().as_raw() == 1 || !children().is_empty());
        // What a tool leaves running becomes ours where we adopt orphans.
        self.has_strangers = Some(has_strangers || (kin == Kin::Tool && self.adopts));
        self.starting += 1;
    }

    /// Whether every orphan must be that of a child that has ended.
    fn is_alone(&self) -> bool {
        self.starting == 0 && self.children.values().all(|kin| *kin == Kin::Tool)
    }

    /// A child has been killed. Gives whether its orphans, or those of others that ended before, are to be hunted now: then whether
    /// they may be those of several.
    fn leave(&mut self, pid: i32, kin: Kin, is_dying: bool) -> Option<bool> {
        self.children.remove(&pid);
        let is_alone = self.is_alone();
        self.is_mixed |= kin == Kin::Worker && !(is_alone && self.dying.is_empty());
        if is_dying {
            self.dying.insert(pid);
        }
        let hunts = match kin {
            Kin::Worker => is_alone,
            // A hunt that was put off because of it is made up for.
            Kin::Probe => is_alone && self.is_mixed,
            Kin::Tool => false,
        };
        hunts.then(|| mem::take(&mut self.is_mixed))
    }

    /// A process that was killed has ended, or is given up.
    fn settle(&mut self, pid: i32, is_stuck: bool) {
        self.dying.remove(&pid);
        if is_stuck {
            self.stuck.insert(pid);
        }
    }

    /// Children that nobody started here and that a worker may have; they count as dying from now on.
    fn take_orphans(&mut self) -> Vec<Pid> {
        let has_strangers = self.has_strangers != Some(false);
        let is_known = |pid: &i32| {
            self.children.contains_key(pid) || self.dying.contains(pid) || self.stuck.contains(pid)
        };
        let orphans: Vec<Pid> = children()
            .into_iter()
            .filter(|child| !is_known(&child.as_raw()))
            .filter(|child| !has_strangers || is_marked(child.as_raw()))
            .collect();
        // After the look: what a stuck one leaves behind when it ends at last is nobody else's fault.
        self.is_mixed |= self.bury_stuck();
        self.dying.extend(orphans.iter().map(|orphan| orphan.as_raw()));
        orphans
    }

    /// Buries those that had been given up and have ended; whether there were any.
    fn bury_stuck(&mut self) -> bool {
        let before = self.stuck.len();
        self.stuck.retain(|pid| {
            matches!(
                waitpid(Pid::from_raw(*pid), Some(WaitPidFlag::WNOHANG)),
                Ok(WaitStatus::StillAlive) | Err(Errno::EINTR)
            )
        });
        self.stuck.len() < before
    }
}

/// Whether a child descends from a worker, by the mark that it inherited.
fn is_marked(child: i32) -> bool {
    let limit = |who: &str| locks_limit(&fs::read_to_string(format!("/proc/{who}/limits")).ok()?);
    let (Some(its), Some(own)) = (limit(&child.to_string()), limit("self")) else { return false };
    its <= protocol::mark(std::process::id()) && its < own
}

/// The hard limit on file locks.
fn locks_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max file locks"))?;
    match line.split_whitespace().nth(1)? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// Our children, dead ones included.
fn children() -> Vec<Pid> {
    // To have none is the cheap and usual answer.
    let any = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    if let Err(Errno::ECHILD) = waitid(Id::All, any) {
        return Vec::new();
    }
    listed_children().unwrap_or_else(scanned_children)
}

/// By the kernel's own list per thread, where it keeps one: fast enough to catch children that live for a millisecond.
fn listed_children() -> Option<Vec<Pid>> {
    let mut out = Vec::new();
    for thread in fs::read_dir("/proc/self/task").ok()?.flatten() {
        let list = fs::read_to_string(thread.path().join("children")).ok()?;
        out.extend(list.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw));
    }
    Some(out)
}

/// By the whole process table.
fn scanned_children() -> Vec<Pid> {
    let us = std::process::id();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| parent(*pid) == Some(us))
        .filter_map(|pid| i32::try_from(pid).ok())
        .map(Pid::from_raw)
        .collect()
}

/// Tests share their process with others, which start children as they like.
#[cfg(test)]
pub(super) fn beside_strangers() {
    family().has_strangers = Some(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family_of(children: &[(i32, Kin)]) -> Family {
        Family {
            children: children.iter().copied().collect(),
            starting: 0,
            dying: BTreeSet::new(),
            stuck: BTreeSet::new(),
            has_strangers: Some(false),
            adopts: true,
            is_mixed: false,
        }
    }

    #[test]
    fn the_mark_is_read_and_only_what_is_marked_is_ours() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max file size             unlimited            unlimited            bytes     \n\
                      Max file locks            7                    1099511627783        locks     \n";
        assert_eq!(locks_limit(limits), Some(protocol::mark(7)));
        assert_eq!(
            locks_limit("Max file locks            unlimited            unlimited            locks"),
            Some(u64::MAX)
        );
        assert_eq!(locks_limit("nonsense"), None);
    }

    #[test]
    fn the_last_worker_hunts_and_only_one_that_was_alone_is_charged() {
        let mut family = family_of(&[(1, Kin::Worker)]);
        assert_eq!(family.leave(1, Kin::Worker, false), Some(false), "alone, and charged");
        let mut family = family_of(&[(1, Kin::Worker), (2, Kin::Worker)]);
        assert_eq!(family.leave(1, Kin::Worker, false), None, "what looks like an orphan may be the other's");
        assert_eq!(
            family.leave(2, Kin::Worker, false),
            Some(true),
            "hunts for both, and is charged with neither"
        );
        // A probe makes up for a hunt that was put off because of it, and for no other.
        let mut family = family_of(&[(1, Kin::Worker), (2, Kin::Probe)]);
        assert_eq!(family.leave(1, Kin::Worker, false), None);
        assert_eq!(family.leave(2, Kin::Probe, false), Some(true));
        assert_eq!(family_of(&[(2, Kin::Probe)]).leave(2, Kin::Probe, false), None);
        // One that is just being started may be an orphan by its looks.
        let mut family = family_of(&[(1, Kin::Worker)]);
        family.starting = 1;
        assert_eq!(family.leave(1, Kin::Worker, false), None);
    }

    #[test]
    fn a_tool_puts_no_hunt_off_and_is_never_the_reason_for_one() {
        let mut family = family_of(&[(1, Kin::Worker), (2, Kin::Tool)]);
        assert_eq!(family.leave(1, Kin::Worker, false), Some(false));
        assert_eq!(family.leave(2, Kin::Tool, false), None);
        // From the first tool on, what it may leave running is told from what a worker left by the mark.
        let mut family = family_of(&[]);
        family.begin(Kin::Worker);
        assert_eq!(family.has_strangers, Some(false));
        family.begin(Kin::Tool);
        assert_eq!(family.has_strangers, Some(true));
        let mut family = family_of(&[(2, Kin::Tool)]);
        family.adopt();
        assert_eq!(family.has_strangers, Some(true), "it runs already");
    }

    #[test]
    fn one_that_does_not_end_counts_neither_as_alive_nor_as_an_orphan() {
        let mut family = family_of(&[(1, Kin::Worker)]);
        assert_eq!(family.leave(1, Kin::Worker, true), Some(false));
        assert!(family.is_alone() && family.dying.contains(&1));
        family.settle(1, true);
        assert!(family.dying.is_empty() && family.stuck.contains(&1));
        // The next worker starts and ends as if it were not there.
        family.children.insert(2, Kin::Worker);
        assert_eq!(family.leave(2, Kin::Worker, false), Some(false));
    }
}
