//! Activity of the machine between two readings: how busy each processor is, and with which processes.

use std::{collections::HashMap, time::Duration};

use dyno_core::model::{Activity, BusyProcess, CpuBusy};

use super::{environment::pressure_10s, files::Files};

/// Ticks per second in `/proc`, on every Linux that there is.
const TICKS_PER_S: f64 = 100.0;
/// Share of a processor below which a process is not listed.
const IDLE: f64 = 0.05;
/// Maximum number of processes that are listed.
const NAMED: usize = 5;

/// A reading of the counters.
#[derive(Debug)]
pub(super) struct Look {
    /// Total, busy and stolen ticks of each processor.
    cpus: HashMap<u32, [u64; 3]>,
    /// Name and ticks of each process.
    processes: HashMap<u32, (String, u64)>,
}

impl Look {
    /// The processors alone: one file instead of one per process.
    pub(super) fn at_processors(files: &Files) -> Self {
        let stat = files.text("proc/stat").unwrap_or_default();
        Self { cpus: stat.lines().filter_map(processor).collect(), processes: HashMap::new() }
    }

    /// Processors and processes.
    pub(super) fn at_all(files: &Files) -> Self {
        let pids = files.names("proc").into_iter().filter_map(|name| name.parse::<u32>().ok());
        let process = |pid| Some((pid, process(&files.text(&format!("proc/{pid}/stat"))?)?));
        Self { processes: pids.filter_map(process).collect(), ..Self::at_processors(files) }
    }

    /// How busy each processor was until a second reading, as a share of that time.
    pub(super) fn busy_until(&self, later: &Self) -> HashMap<u32, f64> {
        let change = |(cpu, after): (&u32, &[u64; 3])| {
            let before = self.cpus.get(cpu)?;
            let total = after[0].saturating_sub(before[0]);
            (total > 0).then(|| (*cpu, after[1].saturating_sub(before[1]) as f64 / total as f64))
        };
        later.cpus.iter().filter_map(change).collect()
    }

    /// The activity until a second reading.
    pub(super) fn until(&self, later: &Self, window: Duration, allowed: &[u32], files: &Files) -> Activity {
        let (mut total, mut stolen) = (0_u64, 0_u64);
        for (cpu, after) in &later.cpus {
            let before = self.cpus.get(cpu).copied().unwrap_or_default();
            total += after[0].saturating_sub(before[0]);
            stolen += after[2].saturating_sub(before[2]);
        }
        let mut busy: Vec<CpuBusy> = self
            .busy_until(later)
            .into_iter()
            .filter(|(cpu, _)| allowed.contains(cpu))
            .map(|(cpu, share)| CpuBusy { cpu, share })
            .collect();
        busy.sort_unstable_by_key(|busy| busy.cpu);
        let ticks = (window.as_secs_f64() * TICKS_PER_S).max(1.0);
        let mut processes: Vec<BusyProcess> = later
            .processes
            .iter()
            .filter(|(pid, _)| **pid != std::process::id())
            .map(|(pid, (name, after))| {
                let before = self.processes.get(pid).map_or(*after, |(_, before)| *before);
                let share = after.saturating_sub(before) as f64 / ticks;
                BusyProcess { pid: *pid, name: name.clone(), share }
            })
            .filter(|process| process.share >= IDLE)
            .collect();
        processes.sort_unstable_by(|a, b| b.share.total_cmp(&a.share).then(a.pid.cmp(&b.pid)));
        processes.truncate(NAMED);
        let pressure =
            |what: &str| files.text(&format!("proc/pressure/{what}")).as_deref().and_then(pressure_10s);
        Activity {
            window_ms: window.as_millis() as u64,
            steal: (total > 0).then(|| stolen as f64 / total as f64),
            busy,
            processes,
            load_1m: files.text("proc/loadavg").and_then(|text| text.split_whitespace().next()?.parse().ok()),
            cpu_pressure: pressure("cpu"),
            memory_pressure: pressure("memory"),
            io_pressure: pressure("io"),
        }
    }
}

/// A line `cpuN user nice system idle iowait irq softirq steal …`: total, busy and stolen ticks.
fn processor(line: &str) -> Option<(u32, [u64; 3])> {
    let (number, fields) = line.strip_prefix("cpu")?.split_once(' ')?;
    let fields: Vec<u64> = fields.split_whitespace().map_while(|field| field.parse().ok()).collect();
    let total: u64 = fields.iter().take(8).sum();
    let idle = fields.get(3)? + fields.get(4)?;
    Some((number.parse().ok()?, [total, total - idle, *fields.get(7)?]))
}

/// `pid (name) state …`, where the name may hold anything: name, and ticks in user and kernel mode.
fn process(stat: &str) -> Option<(String, u64)> {
    let (head, fields) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let name = name.chars().map(dyno_core::text::visible).collect();
    Some((name, ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(stat: &str, processes: &[(u32, &str)]) -> (tempfile::TempDir, Look) {
        let root = tempfile::tempdir().unwrap();
        let write = |path: String, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("proc/stat".to_owned(), stat);
        write("proc/loadavg".to_owned(), "1.50 0 0 1/2 3");
        for (pid, stat) in processes {
            write(format!("proc/{pid}/stat"), stat);
        }
        let look = Look::at_all(&Files::below(root.path()));
        (root, look)
    }

    #[test]
    fn two_looks_make_shares() {
        let (_one, before) = look(
            "cpu 0 0 0 0\ncpu0 100 0 0 100 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0",
            &[
                (7, "7 (a b) c) R 1 2 3 4 5 6 7 8 9 10 100 20 0"),
                (8, "8 (idle) S 1 2 3 4 5 6 7 8 9 10 5 5 0"),
            ],
        );
        let (root, after) = look(
            "cpu0 140 0 0 150 0 0 0 10 0 0\ncpu1 0 0 0 90 10 0 0 0 0 0",
            &[
                (7, "7 (a b) c) R 1 2 3 4 5 6 7 8 9 10 140 30 0"),
                (8, "8 (idle) S 1 2 3 4 5 6 7 8 9 10 5 5 0"),
            ],
        );
        let files = Files::below(root.path());
        let activity = before.until(&after, Duration::from_secs(1), &[0, 1], &files);
        assert_eq!(activity.busy, [CpuBusy { cpu: 0, share: 0.5 }, CpuBusy { cpu: 1, share: 0.0 }]);
        assert_eq!(activity.steal, Some(0.05));
        assert_eq!(activity.load_1m, Some(1.5));
        assert_eq!(activity.processes, [BusyProcess { pid: 7, name: "a b) c".to_owned(), share: 0.5 }]);
    }

    #[test]
    fn nonsense_is_nothing() {
        assert_eq!(processor("cpu0 1 2"), None);
        assert_eq!(process("7 a"), None);
        let (root, nothing) = look("", &[]);
        let files = Files::below(root.path());
        assert_eq!(nothing.until(&nothing, Duration::ZERO, &[0], &files).steal, None);
    }
}
