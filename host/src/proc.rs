//! What the kernel says of a process, by its number, and of the start of the machine that the number belongs to.

use std::{fs, str::FromStr};

use nix::unistd::{SysconfVar, sysconf};

/// Memory of a process in RAM [bytes]; `None` if it is gone, or the kernel does not say.
#[must_use]
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(sysconf(SysconfVar::PAGE_SIZE).ok()??).ok()?)
}

/// The parent of a process.
#[must_use]
pub(crate) fn parent(pid: u32) -> Option<u32> {
    behind_the_name(pid, 1)
}

/// When a process began, in ticks since the machine started.
#[must_use]
pub(crate) fn began(pid: u32) -> Option<u64> {
    behind_the_name(pid, 19)
}

/// Which start of the machine this is.
#[must_use]
pub(crate) fn boot() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

/// A field of `/proc/PID/stat`, counted from 0 behind the name. The name, in parentheses, may hold anything, closing parentheses
/// included.
fn behind_the_name<T: FromStr>(pid: u32, place: usize) -> Option<T> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known_and_one_that_is_not_there_is_not() {
        let me = std::process::id();
        assert_eq!(parent(me), Some(std::os::unix::process::parent_id()));
        assert!(began(me).is_some_and(|ticks| ticks > 0));
        assert!(resident_bytes(me).is_some_and(|bytes| bytes > 1 << 20));
        assert_eq!((parent(u32::MAX), began(u32::MAX), resident_bytes(u32::MAX)), (None, None, None));
    }
}
