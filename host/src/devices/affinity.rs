//! Which processor is measured, and how the host stays off it.

use nix::{
    errno::Errno,
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

/// This thread, in the kernel's words.
const THIS: Pid = Pid::from_raw(0);

fn allowed() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(THIS) else { return Vec::new() };
    (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false)).collect()
}

/// Processors that this process may use [threads].
#[must_use]
pub fn allowed_threads() -> u32 {
    u32::try_from(allowed().len()).unwrap_or(u32::MAX).max(1)
}

/// The processor to measure on: the last that is allowed, since interrupts tend to go to the first. `None` on a machine
/// with one, where pinning would only keep the worker from running beside the host.
#[must_use]
pub fn measured_cpu() -> Option<u32> {
    match allowed().as_slice() {
        [_, .., last] => u32::try_from(*last).ok(),
        _ => None,
    }
}

/// Keeps the calling thread off a processor until it is dropped.
#[derive(Debug)]
pub struct Elsewhere {
    before: CpuSet,
}

/// Keeps the calling thread off `cpu`. Processes that it starts inherit this: a worker pins itself afterwards.
///
/// # Errors
/// When the kernel refuses, or there is no other processor.
pub fn keep_off(cpu: u32) -> Result<Elsewhere, Errno> {
    let before = sched_getaffinity(THIS)?;
    let mut others = before;
    others.unset(cpu as usize)?;
    sched_setaffinity(THIS, &others)?;
    Ok(Elsewhere { before })
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // It was the mask a moment ago: there is nothing better to do if it is refused now.
        let _ = sched_setaffinity(THIS, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_restored() {
        let Some(cpu) = measured_cpu() else { return };
        let before = allowed();
        {
            let _elsewhere = keep_off(cpu).unwrap();
            assert!(!allowed().contains(&(cpu as usize)));
        }
        assert_eq!(allowed(), before);
    }
}
