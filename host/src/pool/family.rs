//! The processes that a worker may leave behind, and their end.
//!
//! A worker leads its own process group, which is killed as a whole. A child that left the group (`setsid`, a double
//! fork) is adopted by the host, which is a "child subreaper", when its parent dies. Where this process had no children
//! before its first worker, whatever child it then has that is no worker of ours is such an orphan.
//!
//! Where it had some, since the program that it replaced (`exec dyno`) had started them, or where it is process 1 and adopts
//! every orphan of a container, children may have nothing to do with us: then only those are touched that carry the mark
//! which a worker leaves on all that it starts.

use std::{
    collections::HashSet,
    fs, io,
    process::Child,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use dyno_core::protocol;
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{Signal, kill, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getpid},
};

/// Longest hunt for what one worker left behind.
const PATIENCE: Duration = Duration::from_secs(5);

static WORKERS: Mutex<Option<HashSet<i32>>> = Mutex::new(None);
/// Whether children may have nothing to do with us: found out before we start any.
static HAS_STRANGERS: OnceLock<bool> = OnceLock::new();
/// Whether a child has ended while others lived, since the last hunt.
static OVERLAPPED: AtomicBool = AtomicBool::new(false);

fn workers() -> MutexGuard<'static, Option<HashSet<i32>>> {
    // A panic elsewhere leaves a set of numbers as good as before.
    WORKERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why orphans are not adopted; empty where they are.
static UNADOPTED: OnceLock<Errno> = OnceLock::new();

/// Makes this process the parent of every orphan that its workers leave. Done before the first worker. Where the kernel
/// refuses, what a plugin hides from its process group is not found: [`unadopted`] says so for every launch.
pub fn adopt_orphans() {
    if let Err(refusal) = prctl::set_child_subreaper(true) {
        UNADOPTED.get_or_init(|| refusal);
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

/// Starts a child and remembers it, so that it is not taken for an orphan: no hunt happens in between.
pub(super) fn spawn(start: impl FnOnce() -> io::Result<Child>) -> io::Result<Child> {
    let mut guard = workers();
    HAS_STRANGERS.get_or_init(|| getpid().as_raw() == 1 || !children().is_empty());
    let child = start()?;
    guard.get_or_insert_default().insert(i32::try_from(child.id()).unwrap_or(i32::MAX));
    Ok(child)
}

/// Kills a worker's group. Its leader stays to be waited for.
pub(super) fn kill_group(pid: i32) {
    // It fails only when nobody is left in the group.
    let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
}

/// Asks a worker's leader to stop: the plugin sees `cancelled`.
pub(super) fn ask_to_stop(pid: i32) {
    let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
}

/// Forgets a worker that has been waited for, then kills and buries what it left behind. Returns how many of these had
/// still been running.
///
/// While other children of ours live, what looks like an orphan may be theirs: then the last of them to end hunts for
/// all, and nobody is charged with what it finds.
pub(super) fn bury(pid: i32) -> usize {
    let mut guard = workers();
    let workers = guard.get_or_insert_default();
    workers.remove(&pid);
    if !workers.is_empty() {
        OVERLAPPED.store(true, Ordering::Relaxed);
        return 0;
    }
    let found = hunt(workers);
    if OVERLAPPED.swap(false, Ordering::Relaxed) { 0 } else { found }
}

/// Forgets a helper that has been waited for. A hunt that was put off because of it is made up for.
pub(super) fn forget(pid: i32) {
    let mut guard = workers();
    let workers = guard.get_or_insert_default();
    workers.remove(&pid);
    if workers.is_empty() && OVERLAPPED.swap(false, Ordering::Relaxed) {
        hunt(workers);
    }
}

fn hunt(workers: &HashSet<i32>) -> usize {
    let mut buried = 0;
    // An orphan may have children of its own, which become ours when it dies: go on until there are none, but not for
    // ever against one that multiplies faster than it can be killed.
    let deadline = Instant::now() + PATIENCE;
    let mut is_first_look = true;
    loop {
        let orphans: Vec<Pid> = children()
            .into_iter()
            .filter(|child| !workers.contains(&child.as_raw()) && is_ours(child.as_raw()))
            .collect();
        if orphans.is_empty() || Instant::now() > deadline {
            return buried;
        }
        for orphan in orphans {
            let _ = kill(orphan, Signal::SIGKILL);
            // One that had ended by itself only waited to be buried, unless it was started after the worker's end.
            let was_running =
                matches!(waitpid(orphan, None), Ok(WaitStatus::Signaled(_, Signal::SIGKILL, _)));
            buried += usize::from(was_running || !is_first_look);
        }
        is_first_look = false;
    }
}

/// Whether a child of ours that is no worker descends from one.
fn is_ours(child: i32) -> bool {
    // Nobody else can have become our child.
    if HAS_STRANGERS.get() == Some(&false) {
        return true;
    }
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
    // `waitpid` without children is the cheap and usual answer.
    if let Err(Errno::ECHILD) = waitpid(None, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT)) {
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
    let us = getpid().as_raw();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| parent(*pid) == Some(us))
        .map(Pid::from_raw)
        .collect()
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, closing parentheses included.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
