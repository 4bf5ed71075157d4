//! The conditions of a launch: read before and after, and compared.

use std::time::Instant;

use dyno_core::{
    model::{Environment, LaunchRecord, Load},
    stats,
};

use super::{
    files::Files,
    heat,
    machine::{meminfo_bytes, text},
};

/// Share of the processors' time above which the hypervisor disturbed a launch.
const STEAL_LIMIT: f64 = 0.01;
/// Load of the other processors above which their work disturbed a launch, by sharing caches and memory.
const OTHERS_LIMIT: f64 = 0.5;
/// Memory pressure above which the launch waited for pages.
const MEMORY_PRESSURE_LIMIT: f64 = 0.05;
/// Relative change of the clock above which it disturbed a launch.
const CLOCK_CHANGE_LIMIT: f64 = 0.05;

/// Share of retaken samples above which a launch counts as disturbed.
const RETAKEN_LIMIT: f64 = 0.1;

/// The worker's own count of disturbances.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sampling {
    preemptions: Option<u64>,
    retaken_share: Option<f64>,
}

impl Sampling {
    /// The count of a launch that has all its samples.
    #[must_use]
    pub fn of(launch: &LaunchRecord) -> Self {
        let taken = launch.samples.len() as f64 + f64::from(launch.retaken);
        Self {
            preemptions: launch.environment.preemptions,
            retaken_share: (taken > 0.0).then(|| f64::from(launch.retaken) / taken),
        }
    }
}

/// Readings from the start of a launch in progress.
#[derive(Debug)]
pub struct Probe {
    cpus: Vec<u32>,
    begin: Instant,
    before: Load,
    ticks: Option<Ticks>,
}

/// Processor time by the kernel's count [ticks]: of the measured processor, and of all others together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Ticks {
    others_total: u64,
    others_busy: u64,
    total: u64,
    steal: u64,
}

impl Probe {
    /// Reads the machine before a launch on these processors; none: on any.
    #[must_use]
    pub fn start(cpus: &[u32]) -> Self {
        Self { cpus: cpus.to_vec(), begin: Instant::now(), before: load(cpus), ticks: ticks(cpus) }
    }

    /// Reads it again after the launch, and reports the disturbances.
    #[must_use]
    pub fn finish(self, sampling: Sampling) -> Environment {
        let after = load(&self.cpus);
        let change = self.ticks.zip(ticks(&self.cpus)).map(|(before, after)| Ticks {
            others_total: after.others_total.saturating_sub(before.others_total),
            others_busy: after.others_busy.saturating_sub(before.others_busy),
            total: after.total.saturating_sub(before.total),
            steal: after.steal.saturating_sub(before.steal),
        });
        // The kernel counts in hundredths of a second: shares of a shorter launch would be luck.
        let long_enough = self.begin.elapsed().as_millis() >= 50;
        let share = |part: u64, of: u64| (of > 0 && long_enough).then(|| part as f64 / of as f64);
        let steal = change.and_then(|change| share(change.steal, change.total));
        let others_busy = change.and_then(|change| share(change.others_busy, change.others_total));
        let Sampling { preemptions, retaken_share } = sampling;
        let mut environment = Environment {
            before: self.before,
            after,
            steal,
            others_busy,
            preemptions,
            retaken_share,
            disturbance: None,
            disturbances: Vec::new(),
        };
        environment.disturbance = Some(stats::disturbance(&environment));
        environment.disturbances = disturbances(&environment);
        environment
    }
}

/// What disturbed a launch, a sentence each, the worst first.
fn disturbances(environment: &Environment) -> Vec<String> {
    let mut found: Vec<(f64, String)> = Vec::new();
    // How much a cause would disturb alone.
    let alone = |take: fn(&Environment, &mut Environment)| {
        let mut only = Environment::default();
        take(environment, &mut only);
        stats::disturbance(&only)
    };
    if let Some(steal) = environment.steal.filter(|steal| *steal > STEAL_LIMIT) {
        let sentence = format!("the hypervisor took {:.1} % of the processors' time", steal * 100.0);
        found.push((alone(|all, only| only.steal = all.steal), sentence));
    }
    if let Some(busy) = environment.others_busy.filter(|busy| *busy > OTHERS_LIMIT) {
        let sentence =
            format!("the other processors were {:.0} % busy: caches and memory were shared", busy * 100.0);
        found.push((alone(|all, only| only.others_busy = all.others_busy), sentence));
    }
    if let Some(pressure) =
        environment.after.memory_pressure.filter(|pressure| *pressure > MEMORY_PRESSURE_LIMIT)
    {
        let sentence = format!("tasks waited for memory {:.0} % of the time", pressure * 100.0);
        found.push((alone(|all, only| only.after.memory_pressure = all.after.memory_pressure), sentence));
    }
    if let (Some(before), Some(after)) = (environment.before.clock_hz, environment.after.clock_hz) {
        let change = (after as f64 - before as f64) / before.max(1) as f64;
        if change.abs() > CLOCK_CHANGE_LIMIT {
            let score = alone(|all, only| {
                (only.before.clock_hz, only.after.clock_hz) = (all.before.clock_hz, all.after.clock_hz);
            });
            found.push((score, format!("the clock changed by {:+.0} %", change * 100.0)));
        }
    }
    let throttled = environment.before.throttles.zip(environment.after.throttles);
    if let Some((before, after)) = throttled.filter(|(before, after)| after > before) {
        let score = alone(|all, only| {
            (only.before.throttles, only.after.throttles) = (all.before.throttles, all.after.throttles);
        });
        let times = dyno_core::units::count(after - before, "time");
        found.push((score, format!("the processor was slowed down by heat {times}")));
    }
    if let Some(share) = environment.retaken_share.filter(|share| *share > RETAKEN_LIMIT) {
        let sentence =
            format!("{:.0} % of the samples were interrupted by other work and retaken", share * 100.0);
        found.push((alone(|all, only| only.retaken_share = all.retaken_share), sentence));
    }
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    found.into_iter().map(|(_, sentence)| sentence).collect()
}

fn load(cpus: &[u32]) -> Load {
    let files = Files::of_this_machine();
    let first = cpus.first().copied().unwrap_or(0);
    let pressure = |what: &str| text(&format!("/proc/pressure/{what}")).as_deref().and_then(pressure_10s);
    Load {
        load_1m: text("/proc/loadavg").and_then(|text| text.split_whitespace().next()?.parse().ok()),
        cpu_pressure: pressure("cpu"),
        memory_pressure: pressure("memory"),
        io_pressure: pressure("io"),
        clock_hz: text(&format!("/sys/devices/system/cpu/cpu{first}/cpufreq/scaling_cur_freq"))
            .and_then(|khz| khz.parse::<u64>().ok())
            .map(|khz| khz * 1000),
        available_bytes: text("/proc/meminfo").and_then(|meminfo| meminfo_bytes(&meminfo, "MemAvailable")),
        temperature_c: heat::temperature_c(&files),
        throttles: heat::throttles(&files, if cpus.is_empty() { &[0] } else { cpus }),
    }
}

/// The share of the last ten seconds in which some task waited. // eg: `some avg10=1.53 avg60=…` is 0.0153
pub(super) fn pressure_10s(text: &str) -> Option<f64> {
    let some = text.lines().find(|line| line.starts_with("some"))?;
    let field = some.split_whitespace().find_map(|field| field.strip_prefix("avg10="))?;
    field.parse::<f64>().ok().map(|percent| percent / 100.0)
}

fn ticks(measured: &[u32]) -> Option<Ticks> {
    parse_ticks(&text("/proc/stat")?, measured)
}

/// Sums the lines `cpuN user nice system idle iowait irq softirq steal …`.
fn parse_ticks(stat: &str, measured: &[u32]) -> Option<Ticks> {
    let mut sum = Ticks::default();
    for line in stat.lines() {
        let Some((number, fields)) = line.strip_prefix("cpu").and_then(|rest| rest.split_once(' ')) else {
            continue;
        };
        let Ok(number) = number.parse::<u32>() else { continue };
        let fields: Vec<u64> = fields.split_whitespace().map_while(|field| field.parse().ok()).collect();
        let &[user, nice, system, idle, iowait, irq, softirq, steal, ..] = fields.as_slice() else {
            return None;
        };
        let total = user + nice + system + idle + iowait + irq + softirq + steal;
        sum.total += total;
        sum.steal += steal;
        // A case that may use all processors cannot be told apart from what else runs there.
        if !measured.is_empty() && !measured.contains(&number) {
            sum.others_total += total;
            sum.others_busy += total - idle - iowait;
        }
    }
    (sum.total > 0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str =
        "cpu  30 0 10 150 0 0 0 10 0 0\ncpu0 10 0 10 70 0 0 0 10 0 0\ncpu1 20 0 0 80 0 0 0 0 0 0\nintr 5 1";

    #[test]
    fn processor_time_is_split_into_measured_and_others() {
        let ticks = parse_ticks(STAT, &[1]).unwrap();
        assert_eq!(ticks, Ticks { others_total: 100, others_busy: 30, total: 200, steal: 10 });
        assert_eq!(
            parse_ticks(STAT, &[]).unwrap(),
            Ticks { others_total: 0, others_busy: 0, total: 200, steal: 10 }
        );
        assert_eq!(parse_ticks("cpu0 1 2", &[0]), None);
        assert_eq!(parse_ticks("", &[]), None);
    }

    #[test]
    fn pressure_is_a_share() {
        assert_eq!(
            pressure_10s("some avg10=1.50 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00"),
            Some(0.015)
        );
        assert_eq!(pressure_10s("nonsense"), None);
    }

    #[test]
    fn disturbances_are_sentences_and_a_quiet_launch_has_none() {
        let mut environment = Environment::default();
        assert!(disturbances(&environment).is_empty());
        environment.steal = Some(0.05);
        environment.others_busy = Some(0.9);
        environment.before.clock_hz = Some(3_000_000_000);
        environment.after.clock_hz = Some(2_000_000_000);
        environment.before.throttles = Some(4);
        environment.after.throttles = Some(6);
        environment.retaken_share = Some(0.25);
        let found = disturbances(&environment);
        assert_eq!(found.len(), 5);
        let worst_first = ["-33 %", "heat 2 times", "5.0 %", "90 %", "25 %"];
        for (sentence, expected) in found.iter().zip(worst_first) {
            assert!(sentence.contains(expected), "`{expected}` has another place in {found:?}");
        }
    }

    #[test]
    fn this_machine_can_be_read() {
        let environment = Probe::start(&[]).finish(Sampling::default());
        assert!(environment.before.load_1m.is_some() && environment.disturbance.is_some());
    }
}
