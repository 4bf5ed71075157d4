//! Hardware counters during a timed call: instructions, cycles, misses; and page faults, which the kernel counts.
//!
//! Only this thread and user space are counted, which needs no privilege. The counters run all the time; they are read
//! before the first and after the last reading of the clock, so reading them is not timed.

use std::io::{self, ErrorKind};

use perf_event::{
    Builder, Counter, Group,
    events::{Event, Hardware, Software},
};

/// Maximum number of counters.
pub(crate) const MOST: usize = 5;

/// A reading of all counters, in the order of their names; unused ones are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Counts {
    values: [u64; MOST],
    /// Time for which the group was enabled, and for which it ran, because programs share the counters [ns].
    enabled_ns: u64,
    running_ns: u64,
}

impl Counts {
    /// What was counted since an earlier reading, for the first `names` counters. Where the group had to share the processor's
    /// counters, it is scaled up; `None` where it never had them.
    pub(crate) fn since(&self, earlier: &Self, names: usize) -> Option<Vec<f64>> {
        let enabled = self.enabled_ns.saturating_sub(earlier.enabled_ns) as f64;
        let running = self.running_ns.saturating_sub(earlier.running_ns) as f64;
        if running <= 0.0 {
            return None;
        }
        let scale = (enabled / running).max(1.0);
        let values = self.values.iter().zip(earlier.values).take(names);
        Some(values.map(|(now, before)| now.saturating_sub(before) as f64 * scale).collect())
    }
}

/// Counters that run.
pub(crate) struct Counters {
    group: Group,
    members: Vec<(&'static str, Counter)>,
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Counters {
    /// Opens the available counters, and says why the others are not available.
    pub(crate) fn open() -> (Option<Self>, Vec<String>) {
        let mut missing = Vec::new();
        let mut group = match Group::new() {
            Ok(group) => group,
            Err(error) => return (None, vec![refused("nothing is counted", &error)]),
        };
        let mut members = Vec::new();
        let mut add = |name: &'static str, added: io::Result<Counter>| match added {
            Ok(counter) => members.push((name, counter)),
            Err(error) => {
                missing.push(refused(&format!("{} are not counted", name.replace('_', " ")), &error));
            }
        };
        add("instructions", group.add(&of(Hardware::INSTRUCTIONS)));
        add("cycles", group.add(&of(Hardware::CPU_CYCLES)));
        add("branch_misses", group.add(&of(Hardware::BRANCH_MISSES)));
        add("cache_misses", group.add(&of(Hardware::CACHE_MISSES)));
        add("page_faults", group.add(&of(Software::PAGE_FAULTS)));
        if members.is_empty() {
            return (None, missing);
        }
        if let Err(error) = group.enable() {
            missing.push(refused("nothing is counted", &error));
            return (None, missing);
        }
        (Some(Self { group, members }), merged(missing))
    }

    /// Their names, in the order of every reading.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.members.iter().map(|(name, _)| *name).collect()
    }

    /// Reads all of them by one system call.
    pub(crate) fn read(&mut self) -> Counts {
        let mut counts = Counts::default();
        // A reading that fails is one that never ran, and gives no value.
        let Ok(data) = self.group.read() else { return counts };
        for (value, (_, counter)) in counts.values.iter_mut().zip(&self.members) {
            *value = data.get(counter).map_or(0, |entry| entry.value());
        }
        let ns = |time: Option<std::time::Duration>| time.map_or(0, |time| time.as_nanos() as u64);
        counts.enabled_ns = ns(data.time_enabled());
        counts.running_ns = ns(data.time_running());
        counts
    }
}

/// One event of this thread, on whichever processor it is.
fn of(event: impl Event) -> Builder<'static> {
    let mut builder = Builder::new(event);
    builder.observe_self().any_cpu().exclude_kernel(true).exclude_hv(true);
    builder
}

/// The reason, as a sentence.
fn refused(what: &str, error: &io::Error) -> String {
    let why = match (error.kind(), error.raw_os_error()) {
        (ErrorKind::PermissionDenied, _) => {
            "the kernel forbids it (kernel.perf_event_paranoid, or a filter of system calls)".to_owned()
        }
        (ErrorKind::NotFound, _)
        | (_, Some(nix::libc::EOPNOTSUPP | nix::libc::ENODEV | nix::libc::EINVAL)) => {
            "this processor, or the hypervisor, does not offer it".to_owned()
        }
        (_, Some(nix::libc::ENOSYS)) => "this kernel has no hardware counters".to_owned(),
        _ => error.to_string(),
    };
    format!("{what}: {why}")
}

/// Sentences with the same reason become one.
fn merged(sentences: Vec<String>) -> Vec<String> {
    let mut out: Vec<(Vec<String>, String)> = Vec::new();
    for sentence in sentences {
        let Some((what, why)) = sentence.split_once(" are not counted: ") else {
            out.push((Vec::new(), sentence));
            continue;
        };
        match out.iter_mut().find(|(whats, known)| !whats.is_empty() && known == why) {
            Some((whats, _)) => whats.push(what.to_owned()),
            None => out.push((vec![what.to_owned()], why.to_owned())),
        }
    }
    out.into_iter()
        .map(
            |(whats, why)| {
                if whats.is_empty() { why } else { format!("{} are not counted: {why}", whats.join(", ")) }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_scaled_by_the_time_that_the_counters_were_had() {
        let before = Counts { values: [10, 5, 0, 0, 0], enabled_ns: 100, running_ns: 100 };
        let all = Counts { values: [30, 9, 0, 0, 0], enabled_ns: 200, running_ns: 200 };
        assert_eq!(all.since(&before, 2), Some(vec![20.0, 4.0]));
        let half = Counts { running_ns: 150, ..all };
        assert_eq!(half.since(&before, 1), Some(vec![40.0]));
        assert_eq!(Counts { running_ns: 100, ..all }.since(&before, 2), None);
    }

    #[test]
    fn one_reason_is_said_once() {
        let sentences =
            ["a are not counted: no", "b are not counted: no", "c are not counted: why", "nothing: x"];
        let found = merged(sentences.map(str::to_owned).to_vec());
        assert_eq!(found, ["a, b are not counted: no", "c are not counted: why", "nothing: x"]);
    }

    #[test]
    fn what_there_is_counts_and_what_is_not_has_a_reason() {
        let (counters, missing) = Counters::open();
        assert!(missing.iter().all(|sentence| sentence.contains(": ")), "{missing:?}");
        let Some(mut counters) = counters else {
            assert!(!missing.is_empty(), "nothing is counted, and nobody says why");
            return;
        };
        let before = counters.read();
        // More than the allocator ever keeps from what other tests gave back: these pages are new.
        let pages = std::hint::black_box(vec![1_u8; 1 << 26]);
        let after = counters.read();
        drop(pages);
        let counted = after.since(&before, counters.names().len()).expect("the counters ran");
        let names = counters.names();
        let faults = names.iter().position(|name| *name == "page_faults").map(|at| counted[at]);
        assert!(faults.is_none_or(|faults| faults > 0.0), "64 MiB were touched: {counted:?} of {names:?}");
        let instructions = names.iter().position(|name| *name == "instructions").map(|at| counted[at]);
        assert!(instructions.is_none_or(|instructions| instructions > 1000.0), "{counted:?} of {names:?}");
    }
}
