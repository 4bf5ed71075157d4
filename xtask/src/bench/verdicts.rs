//! How often dyno, criterion and tango say that something changed, where nothing did and where something did.
//!
//! One randomised loop in which the tools take turns on copies of the same builds, with about the same wall time each.
//! Changes are injected by the amount of work. Trials are appended to a file as they end, so that an interrupted bench goes
//! on where it was; `DYNO_BENCH_MINUTES` (default 4) bounds one call, `DYNO_BENCH_NEIGHBOUR=1` keeps the other processors busy.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Bench,
    host::Host,
    measure::median,
    table::{row, table, time},
};
use crate::{
    failure::{Failure, Outcome},
    process,
    project::{hex, make_folder, read},
};

pub(super) const BENCH: Bench =
    Bench { name: "verdicts", title: "Verdicts, beside criterion and tango", run };

/// Amounts of work: the baseline has 1000, so that these are tenths of a per cent.
const WORK: [u64; 5] = [1000, 1010, 1020, 1050, 1100];
/// Which change a round tries: most of all none, since rare alarms need many trials to be seen.
const ROUND: [u64; 8] = [1000, 1000, 1000, 1010, 1000, 1020, 1050, 1100];
const CLASSES: [&str; 3] = ["arithmetic", "strings", "memory"];
const TOOLS: [&str; 3] = ["dyno", "criterion", "tango"];

fn run(host: &Host) -> Outcome<String> {
    let minutes = number("DYNO_BENCH_MINUTES").unwrap_or(4);
    let noisy = number("DYNO_BENCH_NEIGHBOUR").is_some_and(|on| on > 0);
    let peers = Peers::build(host)?;
    let log = peers.log(host)?;
    let begin = Instant::now();
    let mut random = Random(u64::from(std::process::id()) << 20 | begin_seed());
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(|error| Failure::file("write", &log, &error))?;
    let neighbour = noisy.then(Neighbour::start);
    'bounded: loop {
        let mut trials: Vec<(u64, &str, &str)> = Vec::new();
        for work in ROUND {
            for class in CLASSES {
                trials.extend(TOOLS.map(|tool| (work, class, tool)));
            }
        }
        random.shuffle(&mut trials);
        for (work, class, tool) in trials {
            if begin.elapsed() >= Duration::from_secs(60 * minutes) {
                break 'bounded;
            }
            let started = Instant::now();
            let (verdict, effect) = peers.compare(host, tool, class, work, random.next())?;
            let trial = json!({"tool": tool, "class": class, "work": work, "noisy": noisy, "verdict": verdict,
                               "effect": effect, "seconds": started.elapsed().as_secs_f64()});
            writeln!(file, "{trial}").map_err(|error| Failure::file("write", &log, &error))?;
        }
    }
    drop(neighbour);
    report(&log)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn begin_seed() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| u64::from(since.subsec_nanos()))
}

/// The builds of all amounts of work.
struct Peers {
    folder: PathBuf,
}

impl Peers {
    fn build(host: &Host) -> Outcome<Self> {
        let folder = host.scratch().join("verdicts");
        let target = folder.join("target");
        make_folder(&target)?;
        for work in WORK {
            let mut command = host.project.cargo("build");
            command
                .args(["--release", "--manifest-path", "xtask/peers/verdicts/Cargo.toml", "--target-dir"])
                .arg(&target)
                .env("DYNO_PEER_WORK", work.to_string());
            process::run(&mut command)?;
            for (built, name) in
                [("libverdicts.so", "dyno.so"), ("criterion", "criterion"), ("tango", "tango")]
            {
                copy(&target.join("release").join(built), &folder.join(format!("{work}-{name}")))?;
                // An own copy of the baseline stands for the candidate without a change.
                if work == 1000 {
                    copy(&target.join("release").join(built), &folder.join(format!("base-{name}")))?;
                }
            }
        }
        Ok(Self { folder })
    }

    /// Trials of these very programs: others begin another file.
    fn log(&self, host: &Host) -> Outcome<PathBuf> {
        let dyno = host.bare_dyno(&[]).get_program().to_owned();
        let worker = Path::new(&dyno).with_file_name("dyno-worker");
        let mut hash = Sha256::new();
        for path in [Path::new(&dyno), &worker, &self.folder.join("1000-dyno.so")] {
            hash.update(read(path)?);
        }
        let name = hex(&hash.finalize());
        Ok(self.folder.join(format!("trials-{}.jsonl", &name[..12])))
    }

    /// One comparison by one tool: what it said, and the change that it saw.
    fn compare(
        &self,
        host: &Host,
        tool: &str,
        class: &str,
        work: u64,
        seed: u64,
    ) -> Outcome<(&'static str, Option<f64>)> {
        let base = self.folder.join(format!("base-{tool}"));
        let other = self.folder.join(format!("{work}-{tool}"));
        match tool {
            "dyno" => {
                let mut command = host.bare_dyno(&["ab"]);
                command
                    .args([base.with_extension("so"), other.with_extension("so")])
                    .args(["-b", class, "--json", "--seed", &seed.to_string()])
                    .arg("--db-path")
                    .arg(self.folder.join("dyno.duckdb"));
                let said = stdout(&mut command)?;
                let value: Value = serde_json::from_str(&said)
                    .map_err(|error| Failure::new(format!("`dyno ab` printed no comparison: {error}")))?;
                let metric = &value["cases"][0]["metrics"][0];
                let verdict = match metric["verdict"].as_str() {
                    Some("regressed") => "slower",
                    Some("improved") => "faster",
                    Some("equivalent") => "equal",
                    _ => "unknown",
                };
                Ok((verdict, metric["effect"].as_f64()))
            }
            "criterion" => {
                let home = self.folder.join("criterion-home");
                let filter = format!("^{class}$");
                let mut said = String::new();
                for (program, flag) in [(&base, "--save-baseline"), (&other, "--baseline")] {
                    let mut command = Command::new(program);
                    command
                        .args(["--bench", "--noplot", "--warm-up-time", "0.2", "--measurement-time", "0.8"])
                        .args([flag, "base", &filter])
                        .env("CRITERION_HOME", &home)
                        .current_dir(&self.folder);
                    said = stdout(&mut command)?;
                }
                let path = home.join(class).join("change/estimates.json");
                let estimates: Option<Value> = serde_json::from_slice(&read(&path)?).ok();
                let verdict = if said.contains("Performance has regressed") {
                    "slower"
                } else if said.contains("Performance has improved") {
                    "faster"
                } else {
                    "equal"
                };
                Ok((verdict, estimates.and_then(|it| it["mean"]["point_estimate"].as_f64())))
            }
            _ => {
                let mut command = Command::new(&other);
                command
                    .args(["--color", "never", "compare"])
                    .arg(&base)
                    .args(["-t", "1", "-f", class])
                    .current_dir(&self.folder);
                tango(&stdout(&mut command)?)
            }
        }
    }
}

/// The last column of tango's line. // eg: `strings  [ 84.1 us ... 85.0 us ]  +1.05%*`, where the star says that it means it
fn tango(said: &str) -> Outcome<(&'static str, Option<f64>)> {
    let cell = said.split_whitespace().rev().find(|word| word.contains('%')).unwrap_or_default();
    let number = cell.trim_end_matches('*').trim_end_matches('%').parse::<f64>().ok();
    let Some(percent) = number else {
        return Err(Failure::new(format!("tango printed no change:\n{said}")));
    };
    let verdict = match (cell.ends_with('*'), percent > 0.0) {
        (true, true) => "slower",
        (true, false) => "faster",
        (false, _) => "equal",
    };
    Ok((verdict, Some(percent / 100.0)))
}

/// What a program prints, whatever it exits with: a regression is an exit code too.
fn stdout(command: &mut Command) -> Outcome<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| Failure::new(format!("`{command:?}` cannot be started: {error}")))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::copy(from, to).map(|_| ()).map_err(|error| Failure::file("write", to, &error))
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

/// What the trials of one tool on one class with one change came to.
#[derive(Default)]
struct Cell {
    trials: u64,
    slower: u64,
    faster: u64,
    sizes: Vec<f64>,
    seconds: Vec<f64>,
}

/// The tables, from all trials in the file.
fn report(log: &Path) -> Outcome<String> {
    let text = String::from_utf8_lossy(&read(log)?).into_owned();
    let mut cells: BTreeMap<(bool, String, String, u64), Cell> = BTreeMap::new();
    for trial in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let word = |name: &str| trial[name].as_str().unwrap_or_default().to_owned();
        let key = (
            trial["noisy"].as_bool().unwrap_or_default(),
            word("class"),
            word("tool"),
            trial["work"].as_u64().unwrap_or_default(),
        );
        let cell = cells.entry(key).or_default();
        cell.trials += 1;
        cell.slower += u64::from(word("verdict") == "slower");
        cell.faster += u64::from(word("verdict") == "faster");
        cell.sizes.extend(trial["effect"].as_f64().map(f64::abs));
        cell.seconds.extend(trial["seconds"].as_f64());
    }
    let mut out = String::from(
        "Each tool compares two builds: `dyno ab` with its defaults, criterion with 0.2 s + 0.8 s on either side, tango with \
         1 s. An alarm is any verdict of a change between equal builds; found is a verdict in the right direction.\n",
    );
    for (noisy, title) in [(false, "Quiet"), (true, "With a busy neighbour on the other processor")] {
        let mut rows = vec![row([
            "workload",
            "tool",
            "alarms, equal builds",
            "at most (95 %)",
            "\\|effect\\| p99, max",
            "1 % found",
            "2 %",
            "5 %",
            "10 %",
            "time each, equal",
            "2 %",
        ])];
        for class in CLASSES {
            for tool in TOOLS {
                let cell = |work: u64| cells.get(&(noisy, class.to_owned(), tool.to_owned(), work));
                let Some(equal) = cell(1000) else { continue };
                let alarms = equal.slower + equal.faster;
                let mut sizes = equal.sizes.clone();
                sizes.sort_by(f64::total_cmp);
                let p99 = sizes.get((sizes.len().saturating_sub(1)) * 99 / 100).copied().unwrap_or_default();
                let found = |work: u64| {
                    cell(work).map_or_else(String::new, |cell| format!("{} of {}", cell.slower, cell.trials))
                };
                let took = |work: u64| {
                    cell(work).map_or_else(String::new, |cell| time(1e9 * median(&mut cell.seconds.clone())))
                };
                rows.push(row([
                    class,
                    tool,
                    &format!("{alarms} of {}", equal.trials),
                    &format!("{:.2} %", 100.0 * upper_bound(alarms, equal.trials)),
                    &format!(
                        "{:.2} %, {:.2} %",
                        100.0 * p99,
                        100.0 * sizes.last().copied().unwrap_or_default()
                    ),
                    &found(1010),
                    &found(1020),
                    &found(1050),
                    &found(1100),
                    &took(1000),
                    &took(1020),
                ]));
            }
        }
        if rows.len() > 1 {
            out.push_str(&format!("\n**{title}**\n\n{}", table(&rows)));
        }
    }
    Ok(out)
}

/// The upper bound of Clopper and Pearson at 95 %, by bisection of the binomial sum.
fn upper_bound(hits: u64, trials: u64) -> f64 {
    let at_most = |share: f64| {
        let (mut term, mut sum) = ((1.0 - share).powf(trials as f64), 0.0);
        for k in 0..=hits {
            sum += term;
            term *= (trials - k) as f64 / (k + 1) as f64 * share / (1.0 - share);
        }
        sum
    };
    if hits >= trials {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0 - 1e-12);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_most(middle) > 0.05 { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tango_says_is_read() {
        let said = "arithmetic   [  54.1 us ...  55.2 us ]      +2.05%*\n";
        let (verdict, effect) = tango(said).unwrap();
        assert_eq!(verdict, "slower");
        assert!(effect.is_some_and(|effect| (effect - 0.0205).abs() < 1e-12));
        assert_eq!(tango("a [ 1 ns ... 1 ns ]  -0.10%").unwrap().0, "equal");
        assert!(tango("nothing").is_err());
    }

    #[test]
    fn the_bound_is_that_of_the_tables() {
        assert!((upper_bound(0, 300) - 0.009_936).abs() < 1e-5);
        assert!((upper_bound(1, 436) - 0.010_834).abs() < 1e-5);
        assert_eq!(upper_bound(3, 3), 1.0);
    }
}
