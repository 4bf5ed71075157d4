//! The processes that a worker may leave behind, and their end.
//!
//! A worker leads its own process group, which is killed as a whole. A child that left the group (`setsid`, a double
//! fork) is adopted by the host, which is a "child subreaper", when its parent dies: whatever child we then have that
//! is no worker of ours is such an orphan. This holds because no other room of the host starts processes.

use std::{
    collections::HashSet,
    fs,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{Signal, kill, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getpid},
};

static WORKERS: Mutex<Option<HashSet<i32>>> = Mutex::new(None);

fn workers() -> MutexGuard<'static, Option<HashSet<i32>>> {
    // A panic elsewhere leaves a set of numbers as good as before.
    WORKERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes this process the parent of every orphan that its workers leave. Done once, before the first worker.
///
/// # Errors
/// When the kernel refuses.
pub fn adopt_orphans() -> Result<(), Errno> {
    prctl::set_child_subreaper(true)
}

/// Remembers a worker, so that it is not taken for an orphan.
pub(super) fn register(pid: i32) {
    workers().get_or_insert_default().insert(pid);
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
pub(super) fn bury(pid: i32) -> usize {
    let mut guard = workers();
    let workers = guard.get_or_insert_default();
    workers.remove(&pid);
    let mut buried = 0;
    // An orphan may have children of its own, which become ours when it dies: go on until there are none.
    for _ in 0..100 {
        let orphans: Vec<Pid> =
            children().into_iter().filter(|child| !workers.contains(&child.as_raw())).collect();
        if orphans.is_empty() {
            break;
        }
        for orphan in orphans {
            let _ = kill(orphan, Signal::SIGKILL);
            // One that had ended by itself only waited to be buried.
            if let Ok(WaitStatus::Signaled(_, Signal::SIGKILL, _)) = waitpid(orphan, None) {
                buried += 1;
            }
        }
    }
    buried
}

/// Our children, dead ones included, by the process table: the `children` file is not in every kernel.
fn children() -> Vec<Pid> {
    // `waitpid` without children is the cheap and usual answer.
    if let Err(Errno::ECHILD) = waitpid(None, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT)) {
        return Vec::new();
    }
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
