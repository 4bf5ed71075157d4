//! The tables, from all trials in the file.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::design::{BUDGET_S, CLASSES, TOOLS, WORK};
use crate::{
    bench::{
        measure::median,
        table::{row, table, time},
    },
    failure::Outcome,
    project::read,
};

/// The work of a build that is not changed.
const EQUAL: u64 = 1000;

/// What the trials of one tool on one class with one change came to.
#[derive(Default)]
struct Cell {
    trials: u64,
    slower: u64,
    faster: u64,
    sizes: Vec<f64>,
    seconds: Vec<f64>,
    measuring: Vec<f64>,
    detectable: Vec<f64>,
}

/// What all tools came to, with and without a neighbour.
struct Cells(BTreeMap<(bool, String, String, u64), Cell>);

/// The tables, from all trials in the file.
pub(super) fn report(log: &Path) -> Outcome<String> {
    let cells = Cells::of(&String::from_utf8_lossy(&read(log)?));
    let mut out = format!(
        "Each tool compares two builds of one file: `dyno ab --budget {BUDGET_S}s`, criterion with 0.2 s + 1 s on either side \
         and its analysis, tango with {BUDGET_S} s; all in one randomised loop. An alarm is any verdict of a change between \
         equal builds; found is a verdict in the right direction. Measuring is time inside the timed calls of both sides, \
         as the median and the longest of the trials; only dyno tells. Detectable is what dyno says it could have found.\n"
    );
    for (noisy, title) in [(false, "Quiet"), (true, "With a busy neighbour on the other processor")] {
        let mut alarms = vec![row([
            "workload",
            "tool",
            "alarms, equal builds",
            "at most (95 %)",
            "\\|effect\\| p99, max",
            "wall time",
        ])];
        let mut power = vec![row([
            "workload",
            "tool",
            "1 % found",
            "2 %",
            "5 %",
            "10 %",
            "wrong way",
            "wall time at 1 %",
            "at 2 %",
            "measuring at 1 %",
            "at 2 %",
            "detectable",
        ])];
        for class in CLASSES {
            for tool in TOOLS {
                let of = |work: u64| cells.of_trials(noisy, class, tool, work);
                let Some(equal) = of(EQUAL) else { continue };
                alarms.push(alarms_of(class, tool, equal));
                power.push(power_of(class, tool, equal, of));
            }
        }
        if alarms.len() > 1 {
            out.push_str(&format!("\n**{title}**\n\n{}\n{}", table(&alarms), table(&power)));
        }
    }
    Ok(out)
}

/// False alarms: what a tool says of equal builds.
fn alarms_of(class: &str, tool: &str, equal: &Cell) -> Vec<String> {
    row([
        class,
        tool,
        &format!("{} of {}", equal.alarms(), equal.trials),
        &format!("{:.2} %", 100.0 * upper_bound(equal.alarms(), equal.trials)),
        &equal.sizes(),
        &time(1e9 * median(&mut equal.seconds.clone())),
    ])
}

/// Power: which changes a tool finds, and how long it takes.
fn power_of<'a>(class: &str, tool: &str, equal: &Cell, of: impl Fn(u64) -> Option<&'a Cell>) -> Vec<String> {
    let shown = |work: u64, said: &dyn Fn(&Cell) -> String| of(work).map_or_else(String::new, said);
    let found = |work: u64| shown(work, &|cell| format!("{} of {}", cell.slower, cell.trials));
    let wall = |work: u64| shown(work, &|cell| time(1e9 * median(&mut cell.seconds.clone())));
    let measuring = |work: u64| shown(work, &|cell| spread(&cell.measuring));
    let changed = WORK.into_iter().filter(|work| *work > EQUAL).filter_map(&of);
    let (faster, trials) =
        changed.fold((0, 0), |(faster, trials), cell| (faster + cell.faster, trials + cell.trials));
    let detectable = if equal.detectable.is_empty() {
        String::new()
    } else {
        format!("{:.2} %", 100.0 * median(&mut equal.detectable.clone()))
    };
    row([
        class,
        tool,
        &found(1010),
        &found(1020),
        &found(1050),
        &found(1100),
        &format!("{faster} of {trials}"),
        &wall(1010),
        &wall(1020),
        &measuring(1010),
        &measuring(1020),
        &detectable,
    ])
}

impl Cells {
    fn of(trials: &str) -> Self {
        let mut cells: BTreeMap<_, Cell> = BTreeMap::new();
        for trial in trials.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
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
            cell.measuring.extend(trial["measuring"].as_f64());
            cell.detectable.extend(trial["detectable"].as_f64());
        }
        Self(cells)
    }

    fn of_trials(&self, noisy: bool, class: &str, tool: &str, work: u64) -> Option<&Cell> {
        self.0.get(&(noisy, class.to_owned(), tool.to_owned(), work))
    }
}

impl Cell {
    fn alarms(&self) -> u64 {
        self.slower + self.faster
    }

    /// The 99th percentile and the largest of the effects' sizes.
    fn sizes(&self) -> String {
        let mut sizes = self.sizes.clone();
        sizes.sort_by(f64::total_cmp);
        let p99 = sizes.get((sizes.len().saturating_sub(1)) * 99 / 100).copied().unwrap_or_default();
        format!("{:.2} %, {:.2} %", 100.0 * p99, 100.0 * sizes.last().copied().unwrap_or_default())
    }
}

/// Median and largest [s].
fn spread(seconds: &[f64]) -> String {
    if seconds.is_empty() {
        return String::new();
    }
    let most = seconds.iter().copied().fold(0.0, f64::max);
    format!("{}, {}", time(1e9 * median(&mut seconds.to_vec())), time(1e9 * most))
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
    fn the_bound_is_that_of_the_tables() {
        assert!((upper_bound(0, 300) - 0.009_936).abs() < 1e-5);
        assert!((upper_bound(1, 436) - 0.010_834).abs() < 1e-5);
        assert_eq!(upper_bound(3, 3), 1.0);
    }
}
