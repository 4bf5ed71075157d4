//! How often dyno, criterion and tango say that something changed, where nothing did and where something did.
//!
//! One randomised loop in which the tools take turns on copies of the same builds, with the same wall time at most.
//! Changes are injected by the amount of work, in builds whose code is the same. Trials are appended to a file as they end, so that an interrupted bench goes
//! on where it was; `DYNO_BENCH_MINUTES` (default 4) bounds one call, `DYNO_BENCH_NEIGHBOUR=1` keeps the other processors
//! busy, `DYNO_BENCH_PATIENT=1` tries only dyno with twice the time, `DYNO_BENCH_CLASSES=branches,costly` only those workloads.
//! The full table takes an hour on a quiet machine, and a quarter of one more with the neighbour.

mod design;
mod report;
mod tools;

use std::{
    fs,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use self::{
    design::{BRANCHES, CLASSES, COSTLY, PATIENT, TOOLS, WORK},
    tools::Peers,
};
use super::{Bench, Needs, host::Host};
use crate::failure::{Failure, Outcome};

pub(super) const BENCH: Bench =
    Bench { name: "verdicts", title: "Verdicts, beside criterion and tango", needs: Needs::Nothing, run };

/// How often a round tries each of them: most of all no change, and with dyno, since rare alarms need many trials to be
/// seen; those of the others show soon, and so does what they find.
const OF_DYNO: [usize; 5] = [30, 3, 3, 1, 1];
const OF_OTHERS: [usize; 5] = [2, 1, 1, 0, 0];
/// With twice the time, which only matters where the shorter one does not suffice.
const OF_PATIENT: [usize; 5] = [1, 2, 1, 0, 0];
/// How often dyno tries these; the others have no fresh inputs and no set-up that could be repeated.
const OF_BRANCHES: [usize; 5] = [5, 10, 0, 0, 0];
const OF_COSTLY: [usize; 5] = [2, 0, 0, 2, 1];

fn run(host: &Host) -> Outcome<String> {
    let minutes = number("DYNO_BENCH_MINUTES").unwrap_or(4);
    let noisy = number("DYNO_BENCH_NEIGHBOUR").is_some_and(|on| on > 0);
    let patient = number("DYNO_BENCH_PATIENT").is_some_and(|on| on > 0);
    let peers = Peers::build(host)?;
    let log = peers.log(host)?;
    let begin = Instant::now();
    let mut random = Random(u64::from(std::process::id()) << 20 | begin_seed());
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(|error| Failure::file("write", &log, &error))?;
    let only = std::env::var("DYNO_BENCH_CLASSES").ok();
    let is_wanted =
        |class: &str| only.as_deref().is_none_or(|only| only.split(',').any(|name| name == class));
    let neighbour = noisy.then(Neighbour::start);
    'bounded: loop {
        let mut trials: Vec<(u64, &str, &str)> = Vec::new();
        for class in CLASSES.into_iter().filter(|class| is_wanted(class)) {
            for tool in TOOLS {
                let often = match tool {
                    "dyno" if class == BRANCHES => OF_BRANCHES,
                    "dyno" if class == COSTLY => OF_COSTLY,
                    _ if class == BRANCHES || class == COSTLY => continue,
                    "dyno" => OF_DYNO,
                    PATIENT if class == "arithmetic" => continue,
                    PATIENT => OF_PATIENT,
                    _ => OF_OTHERS,
                };
                if patient && tool != PATIENT {
                    continue;
                }
                for (work, times) in WORK.into_iter().zip(often) {
                    trials.extend(std::iter::repeat_n((work, class, tool), times));
                }
            }
        }
        random.shuffle(&mut trials);
        for (work, class, tool) in trials {
            if begin.elapsed() >= Duration::from_secs(60 * minutes) {
                break 'bounded;
            }
            let started = Instant::now();
            let said = peers.compare(host, tool, class, work)?;
            let trial = json!({"tool": tool, "class": class, "work": work, "noisy": noisy, "verdict": said.verdict,
                               "effect": said.effect, "measuring": said.measuring, "detectable": said.detectable,
                               "pairs": said.pairs, "seconds": started.elapsed().as_secs_f64()});
            writeln!(file, "{trial}").map_err(|error| Failure::file("write", &log, &error))?;
        }
    }
    drop(neighbour);
    report::report(&log)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn begin_seed() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| u64::from(since.subsec_nanos()))
}

/// Work on the other processors, for as long as it lives: arithmetic and a walk through memory in turn.
struct Neighbour {
    stop: Arc<AtomicBool>,
}

impl Neighbour {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        std::thread::spawn(move || {
            let block = vec![1u64; 4 << 20];
            let mut sum = 0u64;
            while !stopped.load(Ordering::Relaxed) {
                sum = block.iter().fold(sum, |sum, value| sum.rotate_left(7) ^ value);
                std::hint::black_box(sum);
            }
        });
        Self { stop }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A generator for the order of trials (xorshift64*): no result depends on its quality.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn shuffle<T>(&mut self, values: &mut [T]) {
        for end in (1..values.len()).rev() {
            values.swap(end, (self.next() % (end as u64 + 1)) as usize);
        }
    }
}
