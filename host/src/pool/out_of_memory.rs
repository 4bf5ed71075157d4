//! Whether the kernel ended processes because memory ran out. The end of a worker then says nothing about its benchmark.

use std::fs;

/// Processes that the kernel has ended for want of memory since it started, in this or any container; `None` where it does
/// not count them.
pub(super) fn kills() -> Option<u64> {
    counted(&fs::read_to_string("/proc/vmstat").ok()?)
}

fn counted(vmstat: &str) -> Option<u64> {
    vmstat.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_among_others_and_is_absent_on_old_kernels() {
        assert_eq!(counted("nr_free_pages 12\noom_kill_disable 1\noom_kill 3\nunevictable_pgs 0\n"), Some(3));
        assert_eq!(counted("nr_free_pages 12\n"), None);
    }
}
