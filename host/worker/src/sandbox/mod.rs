//! The layers that hold from the start of a worker, and the bounds of its launch; those that it puts on before it loads a plugin are in
//! `dyno-confine`. Each layer that is in force is reported by its word.

mod descriptors;
mod home;
mod huge_pages;
mod realtime;

use std::{
    fs::{self, File},
    io::Write,
    sync::OnceLock,
};

use dyno_core::protocol;
use nix::{
    sched::{CpuSet, sched_setaffinity},
    sys::{
        personality::{self, Persona},
        prctl,
        resource::{Resource, setrlimit},
        signal::Signal,
    },
    unistd::{Pid, SysconfVar, getpgrp, getpid, getppid, sysconf},
};

pub(crate) use descriptors::close_inherited;
pub(crate) use home::private_home;
pub(crate) use huge_pages::use_huge_pages;
pub(crate) use realtime::{allow_realtime, realtime};

/// The layers that hold from the start of the worker; `closed`: what it inherited is closed. `None`: the host has died meanwhile.
pub(crate) fn enter(host: u32, closed: bool) -> Option<Vec<String>> {
    let mut layers = Vec::new();
    let mut note = |holds: bool, word: &str| {
        if holds {
            layers.push(word.to_owned());
        }
    };
    note(closed, "closed_descriptors");
    note(prctl::set_pdeathsig(Signal::SIGKILL).is_ok(), "death_signal");
    // The host may have died before the line above.
    if getppid().as_raw().unsigned_abs() != host {
        return None;
    }
    note(getpgrp() == getpid(), "process_group");
    note(prctl::set_no_new_privs().is_ok(), "no_new_privs");
    let mark = protocol::mark(host);
    note(setrlimit(Resource::RLIMIT_LOCKS, mark, mark).is_ok(), "marked");
    note(setrlimit(Resource::RLIMIT_CORE, 0, 0).is_ok(), "no_core_dump");
    // When memory runs out, the kernel takes the worker and not its neighbours.
    note(fs::write("/proc/self/oom_score_adj", "1000").is_ok(), "first_out_of_memory");
    let fixed = personality::get().is_ok_and(|persona| persona.contains(Persona::ADDR_NO_RANDOMIZE));
    note(fixed, "fixed_layout");
    note(std::env::vars_os().next().is_none(), "empty_environment");
    PEAK.get_or_init(|| File::options().write(true).open("/proc/self/clear_refs").ok());
    Some(layers)
}

/// Bounds the memory that can be allocated: data, heap and private mappings (never address space: that would break
/// engines which reserve it). A child that the plugin forks inherits it. The host watches resident memory besides.
pub(crate) fn limit_memory(bytes: u64) -> Option<&'static str> {
    setrlimit(Resource::RLIMIT_DATA, bytes, bytes).is_ok().then_some("memory_limit")
}

/// Pins this process to these processors; an empty list pins it to none.
pub(crate) fn pin(cpus: &[u32]) -> Option<&'static str> {
    if cpus.is_empty() {
        return None;
    }
    let mut set = CpuSet::new();
    for cpu in cpus {
        set.set(*cpu as usize).ok()?;
    }
    sched_setaffinity(Pid::from_raw(0), &set).is_ok().then_some("pinned")
}

/// Number of processors that this process may use.
pub(crate) fn processors() -> u32 {
    rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count())
}

/// Where the kernel is told to forget the peak, opened before rules for files forbid it.
static PEAK: OnceLock<Option<File>> = OnceLock::new();

/// Makes the memory that this process has now its highest so far. Says whether the kernel did so.
pub(crate) fn forget_peak_memory() -> bool {
    PEAK.get().and_then(Option::as_ref).is_some_and(|mut file| file.write_all(b"5").is_ok())
}

/// Memory of this process now [bytes], by the kernel.
pub(crate) fn resident_bytes() -> u64 {
    // Each launch begins with this, and the kernel takes longer for the file that has the peak as well.
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    pages * sysconf(SysconfVar::PAGE_SIZE).ok().flatten().map_or(4096, i64::unsigned_abs)
}

/// Memory of this process at its highest [bytes], by the kernel.
pub(crate) fn peak_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
