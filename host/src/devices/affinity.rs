//! Which processors this process may use, and how its threads stay off those that are measured.

use std::{
    fs,
    marker::PhantomData,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nix::{
    errno::Errno,
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

use super::{
    files::{Files, numbers},
    topology::siblings,
};

/// This thread, in the kernel's words.
const THIS: Pid = Pid::from_raw(0);

fn members(set: &CpuSet) -> Vec<u32> {
    let numbers = (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false));
    numbers.filter_map(|cpu| u32::try_from(cpu).ok()).collect()
}

/// Processors that this process may use, by number: also while its threads keep off some of them.
#[must_use]
pub fn allowed_cpus() -> Vec<u32> {
    let whole = herd().whole;
    whole.map_or_else(|| sched_getaffinity(THIS), Ok).map(|set| members(&set)).unwrap_or_default()
}

/// Processors that this process may use, as a count of threads.
#[must_use]
pub fn allowed_threads() -> u32 {
    u32::try_from(allowed_cpus().len()).unwrap_or(u32::MAX).max(1)
}

/// Processors that a worker may be put on: those that this process may use, and the isolated ones, which the kernel
/// gives only to processes that ask. A process that was confined by `taskset` stays confined.
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
        // Only an attempt shows whether the control group allows it.
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

/// The threads of this process, and the processors that they keep off.
#[derive(Debug)]
struct Herd {
    /// The mask of all threads before the first request; absent until then.
    whole: Option<CpuSet>,
    /// The processors to keep off, by the number of the request.
    off: Vec<(u64, Vec<u32>)>,
    wishes: u64,
}

static HERD: Mutex<Herd> = Mutex::new(Herd { whole: None, off: Vec::new(), wishes: 0 });

fn herd() -> MutexGuard<'static, Herd> {
    HERD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the threads of this process off some processors until it is dropped.
#[derive(Debug)]
pub struct Elsewhere {
    wish: Option<u64>,
}

/// Keeps every thread of this process off `cpus`, and off the other threads of their cores where that leaves it any.
/// Processes that it starts inherit this: a worker pins itself afterwards. Several requests may hold at the same time.
///
/// # Errors
/// When the kernel refuses, or there is no other processor.
pub fn keep_off(cpus: &[u32]) -> Result<Elsewhere, Errno> {
    if cpus.is_empty() {
        return Ok(Elsewhere { wish: None });
    }
    Ok(Elsewhere { wish: Some(herd().keep_off(cpus, &threads())?) })
}

impl Herd {
    fn keep_off(&mut self, cpus: &[u32], threads: &[Pid]) -> Result<u64, Errno> {
        let whole = match self.whole {
            Some(whole) => whole,
            None => sched_getaffinity(THIS)?,
        };
        self.wishes += 1;
        self.off.push((self.wishes, cpus.to_vec()));
        let Some(mask) = self.mask(&whole) else {
            self.off.pop();
            return Err(Errno::EINVAL);
        };
        self.whole = Some(whole);
        set(&mask, threads);
        Ok(self.wishes)
    }

    fn give_back(&mut self, wish: u64, threads: &[Pid]) {
        self.off.retain(|(number, _)| *number != wish);
        let Some(home) = self.home() else { return };
        // With one request less, at least as many processors are left as before.
        set(&home, threads);
        if self.off.is_empty() {
            self.whole = None;
        }
    }

    /// Where a thread belongs now, whatever its mask; `None`: where it was.
    fn home(&self) -> Option<CpuSet> {
        self.whole.map(|whole| self.mask(&whole).unwrap_or(whole))
    }

    /// Where the threads may run: without the cores that they keep off, or at least without the processors.
    fn mask(&self, whole: &CpuSet) -> Option<CpuSet> {
        let cpus: Vec<u32> = self.off.iter().flat_map(|(_, cpus)| cpus).copied().collect();
        let cores: Vec<u32> = cpus.iter().flat_map(|cpu| siblings(&Files::of_this_machine(), *cpu)).collect();
        let without = |cpus: &[u32]| {
            let mut others = *whole;
            for cpu in cpus {
                // A processor beyond what a mask can hold is in no mask.
                let _ = others.unset(*cpu as usize);
            }
            others
        };
        [without(&cores), without(&cpus)].into_iter().find(|others| !members(others).is_empty())
    }
}

fn set(mask: &CpuSet, threads: &[Pid]) {
    for thread in threads {
        // A thread that has ended meanwhile needs no processor.
        let _ = sched_setaffinity(*thread, mask);
    }
}

fn threads() -> Vec<Pid> {
    let entries = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let found: Vec<Pid> = numbers.map(Pid::from_raw).collect();
    if found.is_empty() { vec![THIS] } else { found }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        if let Some(wish) = self.wish {
            // Threads that began meanwhile inherited the narrower mask: they are among these.
            herd().give_back(wish, &threads());
        }
    }
}

/// Keeps a thread on one processor until it is dropped.
#[derive(Debug)]
pub struct Joined {
    before: CpuSet,
    /// It is this thread that comes back.
    _this_thread: PhantomData<*const ()>,
}

/// Moves this thread to a worker's processor, for as long as the two take turns. On one processor they wake each other within
/// microseconds; waking an idle processor takes up to a tenth of a millisecond in a virtual machine. `None` if the worker
/// does not have exactly one processor, or the kernel refuses.
#[must_use]
pub fn join(cpus: &[u32]) -> Option<Joined> {
    let [cpu] = cpus else { return None };
    let before = sched_getaffinity(THIS).ok()?;
    let mut one = CpuSet::new();
    one.set(*cpu as usize).and_then(|()| sched_setaffinity(THIS, &one)).ok()?;
    Some(Joined { before, _this_thread: PhantomData })
}

impl Drop for Joined {
    fn drop(&mut self) {
        // Other requests to keep off may have come or gone.
        set(&herd().home().unwrap_or(self.before), &[THIS]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Herd {
        Herd { whole: None, off: Vec::new(), wishes: 0 }
    }

    fn mask_of(thread: Pid) -> Vec<u32> {
        members(&sched_getaffinity(thread).unwrap())
    }

    #[test]
    fn threads_stay_off_and_their_masks_are_restored() {
        let before = mask_of(THIS);
        let [first, .., last] = before.as_slice() else { return };
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let other = std::thread::spawn(move || {
            tell.send(nix::unistd::gettid()).unwrap();
            let _ = stopped.recv();
        });
        let (this, other_thread) = (nix::unistd::gettid(), told.recv().unwrap());
        let all = [this, other_thread];
        assert!(all.iter().all(|thread| threads().contains(thread)));
        // Not the threads of other tests, which run beside this one.
        let mut herd = empty();
        let wish = herd.keep_off(&[*last], &all).unwrap();
        assert!(all.iter().all(|thread| !mask_of(*thread).contains(last)));
        // Another wish for the same, which ends later; and one that would leave nothing.
        let again = herd.keep_off(&[*last], &all).unwrap();
        if before.len() == 2 {
            assert_eq!(herd.keep_off(&[*first], &all), Err(Errno::EINVAL));
        }
        herd.give_back(wish, &all);
        assert!(all.iter().all(|thread| !mask_of(*thread).contains(last)), "somebody still wishes it");
        herd.give_back(again, &all);
        assert!(all.iter().all(|thread| mask_of(*thread) == before));
        drop(stop);
        other.join().unwrap();
    }

    #[test]
    fn a_thread_joins_one_processor_and_comes_back() {
        let before = mask_of(THIS);
        let [.., last] = before.as_slice() else { return };
        let joined = join(&[*last]).unwrap();
        assert_eq!(mask_of(THIS), [*last]);
        drop(joined);
        assert_eq!(mask_of(THIS), before);
        for cpus in [&[][..], &[*last, *last], &[u32::MAX]] {
            assert!(join(cpus).is_none(), "{cpus:?}");
        }
    }

    #[test]
    fn there_must_be_somewhere_else() {
        assert_eq!(empty().keep_off(&mask_of(THIS), &[THIS]), Err(Errno::EINVAL));
        assert!(keep_off(&[]).unwrap().wish.is_none());
    }
}
