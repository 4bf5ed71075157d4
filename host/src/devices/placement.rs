//! Which processors are measured: those that the user named, otherwise the quietest.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use dyno_core::units;

use super::{
    activity::Look,
    affinity::{allowed_threads, usable_cpus},
    files::{Files, numbers},
    topology::siblings,
};

/// How long to watch for other work: the kernel counts in hundredths of a second.
const LOOK: Duration = Duration::from_millis(60);
/// Share of time above which a processor counts as busy with other work.
const BUSY: f64 = 0.4;
/// Minimum number of processors for a choice: with two, one is measured and the host has the other.
const CHOICE: usize = 3;

/// A processor that cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadCpus {
    /// The machine has no processor of that number.
    #[error("there is no processor {cpu}; this machine has {online}, of which {usable} can be measured")]
    NoSuch {
        /// The processor that was named.
        cpu: u32,
        /// The processors of the machine.
        online: String,
        /// The processors that this process may use.
        usable: String,
    },
    /// This process may not use it.
    #[error(
        "processor {cpu} is not among those that this process may use ({usable}); name one of these, or start dyno \
         without that limit (`taskset -pc $$` shows it)"
    )]
    NotAllowed {
        /// The processor that was named.
        cpu: u32,
        /// The processors that this process may use.
        usable: String,
    },
}

/// Where a worker runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// The processors to pin to; empty: it is not pinned.
    pub cpus: Vec<u32>,
    /// Threads that a case may use there.
    pub threads: u32,
}

impl Placement {
    /// The processor that is looked at for the clock.
    #[must_use]
    pub fn first(&self) -> Option<u32> {
        self.cpus.first().copied()
    }
}

/// A processor, as far as choosing needs it.
#[derive(Debug, Clone, Default)]
struct Cpu {
    number: u32,
    isolated: bool,
    /// Whether it, or another thread of its core, has other work.
    busy: (bool, bool),
    /// Speed, against other processors of this machine: there are machines with fast and slow cores.
    capacity: u64,
}

/// Refuses a list of processors that cannot be measured.
///
/// # Errors
/// With the first of them, and those that can.
pub fn check_cpus(wanted: &[u32]) -> Result<(), BadCpus> {
    let files = Files::of_this_machine();
    let online = files.text("sys/devices/system/cpu/online").as_deref().map(numbers).unwrap_or_default();
    check_against(wanted, &online, &usable_cpus(&files))
}

fn check_against(wanted: &[u32], online: &[u32], usable: &[u32]) -> Result<(), BadCpus> {
    let Some(cpu) = wanted.iter().copied().find(|cpu| !usable.contains(cpu)) else { return Ok(()) };
    let usable = units::cpus(usable);
    Err(if online.contains(&cpu) {
        BadCpus::NotAllowed { cpu, usable }
    } else {
        BadCpus::NoSuch { cpu, online: units::cpus(online), usable }
    })
}

/// The processors for a case on that many threads: `wanted`, otherwise the best ones.
///
/// A case on one thread has one processor, chosen once per process (or until [`choose_again`]), so that all its launches are measured on the same. A case
/// on several has all of `wanted`; with none named it is not pinned.
#[must_use]
pub fn place(wanted: &[u32], threads: u32) -> Placement {
    let granted =
        if wanted.is_empty() { allowed_threads() } else { u32::try_from(wanted.len()).unwrap_or(u32::MAX) };
    let cpus = match threads {
        0 | 1 => ranked_cpus(wanted).first().map(|cpu| vec![*cpu]).unwrap_or_default(),
        _ => wanted.to_vec(),
    };
    Placement { cpus, threads: granted }
}

/// The processors chosen so far, by those that were wanted.
static KNOWN: Mutex<Option<HashMap<Vec<u32>, Vec<u32>>>> = Mutex::new(None);

/// Makes the next case choose again: a process that lives for months must not keep the choice of its first minute. Not
/// to be called during a measurement.
pub fn choose_again() {
    *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// The processors to measure on, best first: of `wanted`, else of all that may be used. Empty on a machine with one, where
/// pinning would only keep the worker from running beside the host.
#[must_use]
pub fn ranked_cpus(wanted: &[u32]) -> Vec<u32> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_with(HashMap::new);
    known.entry(wanted.to_vec()).or_insert_with(|| choose(&Files::of_this_machine(), wanted)).clone()
}

fn choose(files: &Files, wanted: &[u32]) -> Vec<u32> {
    let mut candidates = usable_cpus(files);
    if wanted.is_empty() && candidates.len() < 2 {
        return Vec::new();
    }
    if !wanted.is_empty() {
        candidates.retain(|cpu| wanted.contains(cpu));
    }
    let busy = if candidates.len() < CHOICE {
        HashMap::new()
    } else {
        let before = Look::at_processors(files);
        std::thread::sleep(LOOK);
        before.busy_until(&Look::at_processors(files))
    };
    let is_busy = |cpu: u32| busy.get(&cpu).is_some_and(|share| *share > BUSY);
    let isolated = files.text("sys/devices/system/cpu/isolated").as_deref().map(numbers).unwrap_or_default();
    let cpus = candidates
        .iter()
        .map(|cpu| Cpu {
            number: *cpu,
            isolated: isolated.contains(cpu),
            busy: (
                is_busy(*cpu),
                siblings(files, *cpu).into_iter().any(|sibling| sibling != *cpu && is_busy(sibling)),
            ),
            capacity: capacity(files, *cpu),
        })
        .collect();
    ranked(cpus)
}

/// Best first: isolated, then idle, then with idle siblings, then fast, then late in number, since interrupts tend to go to the
/// first.
fn ranked(mut cpus: Vec<Cpu>) -> Vec<u32> {
    cpus.sort_by_key(|cpu| {
        let (itself, siblings) = cpu.busy;
        (!cpu.isolated, itself, siblings, u64::MAX - cpu.capacity, u32::MAX - cpu.number)
    });
    cpus.into_iter().map(|cpu| cpu.number).collect()
}

fn capacity(files: &Files, cpu: u32) -> u64 {
    let of = |name: &str| files.number(&format!("sys/devices/system/cpu/cpu{cpu}/{name}"));
    of("cpu_capacity").or_else(|| of("cpufreq/cpuinfo_max_freq")).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(number: u32) -> Cpu {
        Cpu { number, ..Cpu::default() }
    }

    #[test]
    fn the_quietest_and_fastest_processor_is_measured() {
        assert_eq!(ranked(vec![cpu(0), cpu(1), cpu(2)]), [2, 1, 0]);
        let busy = Cpu { busy: (true, false), ..cpu(2) };
        let shared = Cpu { busy: (false, true), ..cpu(1) };
        assert_eq!(ranked(vec![cpu(0), shared.clone(), busy.clone()]), [0, 1, 2]);
        let fast = Cpu { capacity: 1024, ..cpu(0) };
        assert_eq!(ranked(vec![fast.clone(), cpu(3)]), [0, 3]);
        let isolated = Cpu { isolated: true, busy: (true, true), ..cpu(1) };
        assert_eq!(ranked(vec![fast, isolated, cpu(3)])[0], 1);
    }

    #[test]
    fn what_cannot_be_measured_is_refused_with_what_can() {
        assert_eq!(check_against(&[0, 1], &[0, 1], &[0, 1]), Ok(()));
        let message = check_against(&[1, 9], &[0, 1, 2, 3], &[0, 1]).unwrap_err().to_string();
        assert!(
            message.contains("no processor 9") && message.contains("0-3") && message.contains("0-1"),
            "{message}"
        );
        let message = check_against(&[2], &[0, 1, 2, 3], &[0, 1]).unwrap_err().to_string();
        assert!(message.contains("processor 2 is not among") && message.contains("0-1"), "{message}");
    }

    #[test]
    fn a_case_on_several_threads_is_pinned_only_where_processors_were_named() {
        assert_eq!(place(&[], 4).cpus, Vec::<u32>::new());
        assert_eq!(place(&[0, 5], 4), Placement { cpus: vec![0, 5], threads: 2 });
        let usable = usable_cpus(&Files::of_this_machine());
        if let [first, .., last] = usable.as_slice() {
            assert_eq!(place(&[*first], 1).cpus, [*first]);
            if usable.len() < CHOICE {
                assert_eq!(place(&[], 1).first(), Some(*last));
            }
        }
    }

    #[test]
    fn siblings_are_the_threads_of_a_core() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("sys/devices/system/cpu/cpu1/topology");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("thread_siblings_list"), "1,3\n").unwrap();
        let files = Files::below(root.path());
        assert_eq!(siblings(&files, 1), [1, 3]);
        assert_eq!(siblings(&files, 2), [2]);
    }
}
