//! Real-time priority for the measured thread, so that other programs wait for it.

#![allow(unsafe_code, reason = "a system call without a safe door")]

use std::fs;

use nix::{
    libc,
    sys::resource::{Resource, setrlimit},
};

/// The lowest there is: above every ordinary program, below everything that was given real-time priority on purpose.
const PRIORITY: libc::c_int = 1;

/// Makes the priority available after root's rights are given up, if this process has them.
pub(crate) fn allow_realtime() {
    let priority = u64::from(PRIORITY.unsigned_abs());
    // Otherwise asking for it fails, and says why.
    let _ = setrlimit(Resource::RLIMIT_RTPRIO, priority, priority);
}

/// Asks for it; processes that the plugin forks or starts do not inherit it.
///
/// # Errors
/// A sentence that says why it is not available.
pub(crate) fn realtime(pinned: &[u32]) -> Result<&'static str, String> {
    let why = |why: &str| format!("real-time priority is not used: {why}");
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let all = dyno_core::units::parse_cpus(&online).unwrap_or_default();
    // No other program runs beside a thread with this priority, so the host needs another processor to stop it from.
    if pinned.is_empty() || all.iter().all(|cpu| pinned.contains(cpu)) {
        return Err(why("the worker is not pinned to one processor with another left for the host"));
    }
    let parameters = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: 0 is the calling thread, and the pointer is to a value that lives longer than the call.
    let outcome = unsafe {
        libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const parameters)
    };
    if outcome == 0 {
        return Ok("realtime");
    }
    let error = std::io::Error::last_os_error();
    Err(why(&format!("the kernel refused ({error}); `dyno doctor` shows how to allow it")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_processor_of_its_own_there_is_none() {
        assert!(realtime(&[]).unwrap_err().contains("not pinned to one processor"));
    }
}
