//! Which processors this process may use, and how its threads stay off those that are measured.

use std::fs;

use nix::{
    errno::Errno,
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

use super::{
    files::{Files, numbers},
    placement::siblings,
};

/// This thread, in the kernel's words.
const THIS: Pid = Pid::from_raw(0);

fn members(set: &CpuSet) -> Vec<u32> {
    let numbers = (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false));
    numbers.filter_map(|cpu| u32::try_from(cpu).ok()).collect()
}

/// Processors that this process may use, by number.
#[must_use]
pub fn allowed_cpus() -> Vec<u32> {
    sched_getaffinity(THIS).map(|set| members(&set)).unwrap_or_default()
}

/// Processors that this process may use, as a count of threads.
#[must_use]
pub fn allowed_threads() -> u32 {
    u32::try_from(allowed_cpus().len()).unwrap_or(u32::MAX).max(1)
}

/// Processors that a worker may be put on: those that this process may use, and the isolated ones, which the kernel gives
/// to those only who ask. Who was confined to some (by `taskset`) stays on them.
pub(super) fn usable_cpus(files: &Files) -> Vec<u32> {
    let list = |path: &str| files.text(path).as_deref().map(numbers).unwrap_or_default();
    let mut allowed = allowed_cpus();
    let isolated = list("sys/devices/system/cpu/isolated");
    let confined = list("sys/devices/system/cpu/online")
        .iter()
        .any(|cpu| !allowed.contains(cpu) && !isolated.contains(cpu));
    let missing: Vec<u32> = isolated.into_iter().filter(|cpu| !allowed.contains(cpu)).collect();
    if confined || missing.is_empty() {
        return allowed;
    }
    if let Ok(before) = sched_getaffinity(THIS) {
        // Whether the control group allows it, only trying tells.
        allowed.extend(missing.into_iter().filter(|cpu| {
            let mut one = CpuSet::new();
            one.set(*cpu as usize).is_ok() && sched_setaffinity(THIS, &one).is_ok()
        }));
        // It was the mask a moment ago: there is nothing better to do if it is refused now.
        let _ = sched_setaffinity(THIS, &before);
    }
    allowed.sort_unstable();
    allowed
}

/// Keeps the threads of this process off some processors until it is dropped.
#[derive(Debug)]
pub struct Elsewhere {
    before: Vec<(Pid, CpuSet)>,
}

/// Keeps every thread of this process off `cpus`, and off the other threads of their cores where that leaves it any.
/// Processes that it starts inherit this: a worker pins itself afterwards.
///
/// # Errors
/// When the kernel refuses, or there is no other processor.
pub fn keep_off(cpus: &[u32]) -> Result<Elsewhere, Errno> {
    if cpus.is_empty() {
        return Ok(Elsewhere { before: Vec::new() });
    }
    move_off(cpus, &threads())
}

fn move_off(cpus: &[u32], threads: &[Pid]) -> Result<Elsewhere, Errno> {
    let mine = sched_getaffinity(THIS)?;
    let without = |cpus: &[u32]| {
        let mut others = mine;
        for cpu in cpus {
            // A processor beyond what a mask can hold is in no mask.
            let _ = others.unset(*cpu as usize);
        }
        others
    };
    let cores: Vec<u32> = cpus.iter().flat_map(|cpu| siblings(&Files::of_this_machine(), *cpu)).collect();
    let others = [without(&cores), without(cpus)]
        .into_iter()
        .find(|others| !members(others).is_empty())
        .ok_or(Errno::EINVAL)?;
    let mut elsewhere = Elsewhere { before: Vec::new() };
    for thread in threads {
        // One that has ended meanwhile needs no place.
        let Ok(before) = sched_getaffinity(*thread) else { continue };
        if sched_setaffinity(*thread, &others).is_ok() {
            elsewhere.before.push((*thread, before));
        }
    }
    Ok(elsewhere)
}

/// Every thread of this process.
fn threads() -> Vec<Pid> {
    let entries = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let found: Vec<Pid> = numbers.map(Pid::from_raw).collect();
    if found.is_empty() { vec![THIS] } else { found }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        for (thread, before) in &self.before {
            // It was the mask a moment ago: there is nothing better to do if it is refused now.
            let _ = sched_setaffinity(*thread, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_stay_off_and_their_masks_are_restored() {
        let before = allowed_cpus();
        let [_, .., last] = before.as_slice() else { return };
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let other = std::thread::spawn(move || {
            tell.send(nix::unistd::gettid()).unwrap();
            let _ = stopped.recv();
        });
        let (this, other_thread) = (nix::unistd::gettid(), told.recv().unwrap());
        assert!([this, other_thread].iter().all(|thread| threads().contains(thread)));
        {
            // Not the threads of other tests, which run beside this one.
            let _elsewhere = move_off(&[*last], &[this, other_thread]).unwrap();
            assert!(!allowed_cpus().contains(last));
            assert!(!members(&sched_getaffinity(other_thread).unwrap()).contains(last));
        }
        assert_eq!(allowed_cpus(), before);
        drop(stop);
        other.join().unwrap();
    }

    #[test]
    fn there_must_be_somewhere_else() {
        assert_eq!(keep_off(&allowed_cpus()).unwrap_err(), Errno::EINVAL);
        assert!(keep_off(&[]).unwrap().before.is_empty());
    }
}
