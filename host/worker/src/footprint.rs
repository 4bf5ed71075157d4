//! Side effects of a plugin in its process while it is measured: threads, descriptors, output. Read from the kernel
//! before and after, never in between.

use std::{fs, time::Duration};

use dyno_core::model::SideEffects;
use nix::time::{ClockId, clock_gettime};

/// How long the process is watched while the plugin has nothing to do.
const WATCH: Duration = Duration::from_millis(4);

/// The current counts of the process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Footprint {
    threads: u32,
    descriptors: u32,
    /// Written by anything in this process, to anything but sockets [bytes]: the worker talks to its host by a socket.
    written_bytes: u64,
}

impl Footprint {
    /// Reads them. A count that the kernel does not report is zero.
    pub(crate) fn read() -> Self {
        // The list of descriptors is itself read through one.
        let entries = |path: &str| fs::read_dir(path).map_or(0, |entries| entries.count() as u32);
        Self {
            threads: entries("/proc/self/task"),
            descriptors: entries("/proc/self/fd"),
            written_bytes: written_bytes().unwrap_or(0),
        }
    }

    /// The difference since the first reading.
    pub(crate) fn since(self, before: Self) -> SideEffects {
        SideEffects {
            written_bytes: self.written_bytes.saturating_sub(before.written_bytes),
            threads_left: self.threads.saturating_sub(before.threads),
            descriptors_left: self.descriptors.saturating_sub(before.descriptors),
            thread_running: false,
            files_left: 0,
        }
    }

    /// Whether other threads compute although the plugin has nothing to do.
    pub(crate) fn others_run(self) -> bool {
        let others_ns =
            || Some(cpu_ns(ClockId::CLOCK_PROCESS_CPUTIME_ID)? - cpu_ns(ClockId::CLOCK_THREAD_CPUTIME_ID)?);
        if self.threads < 2 {
            return false;
        }
        let before = others_ns();
        std::thread::sleep(WATCH);
        before.zip(others_ns()).is_some_and(|(before, after)| is_busy(after - before))
    }
}

/// Whether this is more than a quarter of the time that was watched [ns]. It may be less than nothing: the two clocks are read one
/// after the other.
fn is_busy(others_ns: i64) -> bool {
    others_ns > WATCH.as_nanos() as i64 / 4
}

fn written_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/io").ok()?;
    text.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
}

fn cpu_ns(clock: ClockId) -> Option<i64> {
    clock_gettime(clock).ok().map(|time| time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_the_difference() {
        let before = Footprint { threads: 2, descriptors: 9, written_bytes: 100 };
        let after = Footprint { threads: 1, descriptors: 12, written_bytes: 350 };
        let left = after.since(before);
        assert_eq!((left.threads_left, left.descriptors_left, left.written_bytes), (0, 3, 250));
        assert!(!after.others_run(), "there is no other");
    }

    #[test]
    fn threads_that_sleep_are_not_busy_whichever_clock_is_read_first() {
        assert!(!is_busy(-500) && !is_busy(0) && !is_busy(900_000));
        assert!(is_busy(3_900_000));
    }
}
