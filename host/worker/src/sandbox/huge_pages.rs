//! Moves the memory that a plugin has allocated to huge pages.
//!
//! The kernel does it at once (`MADV_COLLAPSE`, Linux 6.1), whatever allocator the memory came from. A setting of the C
//! library would be simpler, but that of glibc 2.36 works or not by what happens to lie on the stack.

#![allow(unsafe_code, reason = "the kernel takes advice on memory by its address")]

use std::{fs, io};

use nix::libc;

/// Size of a huge page on the machines that dyno runs on.
const HUGE: usize = 2 << 20;

/// Asks for huge pages for every anonymous private mapping that can hold one. Returns the memory on them afterwards
/// [bytes], and a sentence if the kernel grants none.
pub(crate) fn use_huge_pages() -> (u64, Option<String>) {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut refusal = None;
    for (start, length) in maps.lines().filter_map(anonymous) {
        // A refusal may be temporary, if no huge page is free. The result is read below.
        // SAFETY: the range is a mapping of this process as the kernel has just listed it, and this thread changes none
        // meanwhile; the advice changes which physical pages hold the bytes, never the bytes.
        let answer = unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_COLLAPSE) };
        let error = io::Error::last_os_error();
        if answer != 0 && matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENOSYS | libc::EINVAL)) {
            refusal = Some(format!("the kernel refused huge pages (madvise with MADV_COLLAPSE: {error})"));
        }
    }
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("AnonHugePages:"));
    let bytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024;
    (bytes, refusal)
}

/// The whole huge pages inside a writable private mapping without a file. // eg: `7ffff3d47000-7ffff7d49000 rw-p 00000000 00:00 0`
fn anonymous(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_whitespace();
    let (range, rights, _, _, inode) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let name = words.next().unwrap_or_default();
    // The stack grows while it is used: it is left alone.
    if rights != "rw-p" || inode != "0" || !(name.is_empty() || name == "[heap]") {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?.next_multiple_of(HUGE);
    let end = usize::from_str_radix(end, 16).ok()? / HUGE * HUGE;
    (start < end).then(|| (start, end - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_huge_pages_of_anonymous_memory_are_asked_for() {
        for (line, expected) in [
            ("00400000-00a00000 rw-p 00000000 00:00 0", Some((0x40_0000, 0x60_0000))),
            ("00401000-00bff000 rw-p 00000000 00:00 0  [heap]", Some((0x60_0000, 0x40_0000))),
            ("00401000-00500000 rw-p 00000000 00:00 0", None),
            ("00400000-00a00000 r--p 00000000 00:00 0", None),
            ("00400000-00a00000 rw-s 00000000 00:00 0", None),
            ("00400000-00a00000 rw-p 00000000 08:01 77  /usr/lib/x.so", None),
            ("7ffc00000000-7ffc00800000 rw-p 00000000 00:00 0  [stack]", None),
            ("nonsense", None),
        ] {
            assert_eq!(anonymous(line), expected, "{line}");
        }
    }

    #[test]
    fn the_bytes_stay_what_they_are() {
        let block: Vec<u8> = (0..16usize << 20).map(|i| (i / 4096) as u8).collect();
        use_huge_pages();
        assert!(block.iter().enumerate().all(|(i, byte)| *byte == (i / 4096) as u8));
    }
}
