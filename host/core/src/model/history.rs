//! One case over many runs: where its level changed, and which changes were accepted.

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Better, CaseKey, Interval, Source, Verdict};
use crate::stats::{ChangeOptions, change_points, median};

/// A metric of a case over the runs of one machine, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// Benchmark, parameters, engine and device; with the plugin if series would otherwise have equal names.
    pub label: String,
    /// Identifies the cases of this series: without a version if it continues across versions of the plugin. Absent in
    /// answers of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<CaseKey>,
    /// Fingerprint of the machine, with the settings of the newest run.
    pub machine: String,
    /// Name of the metric.
    pub metric: String,
    /// Unit of all values.
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
    /// A point per run.
    pub points: Vec<Point>,
    /// The points where the level changed.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Where something besides the source code changed, which may explain a change of the level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Number of runs, of which `points` may have fewer: see [`Series::thin`].
    #[serde(default)]
    pub points_total: usize,
}

/// A property that changed from one point to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// Place of the first point with the new value.
    pub index: usize,
    /// The run of that point.
    pub run: String,
    /// The property.
    pub what: MarkKind,
    /// Its value before.
    pub before: String,
    /// Its value since.
    pub after: String,
}

/// A property of the surroundings of a result. A series has one machine, but the machine's settings may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// Version of dyno, which contains the WASM engine.
    Dyno,
    /// Operating system and kernel release.
    Kernel,
    /// Frequency governor of the processor.
    Governor,
    /// Version of the plugin.
    PluginVersion,
    /// SHA-256 of the plugin file, its first 12 digits.
    PluginBuild,
}

/// One run of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The run.
    pub run: String,
    /// Index of the case in the run, from 0. Absent in answers of earlier versions, which give 0.
    #[serde(default)]
    pub case: u32,
    /// When it was accepted (RFC 3339, UTC).
    pub created_at: String,
    /// The commit that it measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Median over launches.
    pub median: f64,
    /// Confidence interval of the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// A change of the level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Place of the first point of the new level.
    pub index: usize,
    /// The run of that point.
    pub run: String,
    /// Median of the level before.
    pub before: f64,
    /// Median of the level after.
    pub after: f64,
    /// Relative change; absent if the level was zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
    /// Welch's p of the two levels.
    pub p_value: f64,
    /// `regressed` or `improved`.
    pub verdict: Verdict,
    /// Reason for accepting the change; absent if it was not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

impl Series {
    /// Finds the changes. `accepted` gives the note for a run whose change was accepted.
    pub fn find_changes(&mut self, options: &ChangeOptions, accepted: &dyn Fn(&str) -> Option<String>) {
        let values: Vec<f64> = self.points.iter().map(|point| point.median).collect();
        self.changes = change_points(&values, options)
            .into_iter()
            .filter_map(|found| {
                let run = self.points.get(found.index)?.run.clone();
                let worse = (found.after > found.before) == (self.better == Better::Lower);
                Some(Change {
                    index: found.index,
                    before: found.before,
                    after: found.after,
                    effect: found.effect(),
                    p_value: found.p_value,
                    verdict: if worse { Verdict::Regressed } else { Verdict::Improved },
                    accepted: accepted(&run),
                    run,
                })
            })
            .collect();
    }

    /// Keeps about `most` points: the first and the last, those where the level or the surroundings change, and the lowest and
    /// the highest of each stretch between, so that a chart of the series looks the same.
    pub fn thin(&mut self, most: usize) {
        let count = self.points.len();
        if count <= most.max(2) {
            return;
        }
        let fixed = self.changes.iter().map(|it| it.index).chain(self.marks.iter().map(|it| it.index));
        let around = fixed.flat_map(|index| [index.saturating_sub(1), index]);
        let mut kept: BTreeSet<usize> = around.chain([0, count - 1]).filter(|index| *index < count).collect();
        let stretch = count.div_ceil((most / 2).max(1));
        for start in (0..count).step_by(stretch) {
            let stretch = start..(start + stretch).min(count);
            let by = |a: &usize, b: &usize| self.points[*a].median.total_cmp(&self.points[*b].median);
            kept.extend(stretch.clone().min_by(by).into_iter().chain(stretch.max_by(by)));
        }
        let place: HashMap<usize, usize> = kept.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        for index in self
            .changes
            .iter_mut()
            .map(|it| &mut it.index)
            .chain(self.marks.iter_mut().map(|it| &mut it.index))
        {
            *index = place.get(index).copied().unwrap_or(*index);
        }
        let mut index = 0;
        self.points.retain(|_| {
            index += 1;
            kept.contains(&(index - 1))
        });
    }

    /// The level that later points are compared with: that after the last accepted change, otherwise the first; and the
    /// level now.
    #[must_use]
    pub fn levels(&self) -> Option<(f64, f64)> {
        let level = |start: usize| {
            let end = self.changes.iter().map(|change| change.index).find(|index| *index > start);
            let points = self.points.get(start..end.unwrap_or(self.points.len()))?;
            median(&points.iter().map(|point| point.median).collect::<Vec<_>>())
        };
        let accepted = self.changes.iter().rev().find(|change| change.accepted.is_some());
        let now = self.changes.last().map_or(0, |change| change.index);
        Some((level(accepted.map_or(0, |change| change.index))?, level(now)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        let points = values.iter().enumerate().map(|(number, median)| Point {
            run: number.to_string(),
            case: 0,
            created_at: String::new(),
            source: None,
            median: *median,
            interval: None,
        });
        Series {
            label: "a".into(),
            key: None,
            machine: "m".into(),
            metric: "time".into(),
            unit: "ns".into(),
            better: Better::Lower,
            points: points.collect(),
            changes: Vec::new(),
            marks: Vec::new(),
            points_total: values.len(),
        }
    }

    #[test]
    fn an_accepted_change_resets_the_baseline() {
        let values: Vec<f64> =
            (0..20).map(|i| if i < 10 { 100.0 } else { 120.0 } + f64::from(i % 3) * 0.1).collect();
        let mut series = series(&values);
        series.find_changes(&ChangeOptions::default(), &|_| None);
        assert_eq!(series.changes.len(), 1);
        assert_eq!((series.changes[0].run.as_str(), series.changes[0].verdict), ("10", Verdict::Regressed));
        let (baseline, now) = series.levels().unwrap();
        assert!((now / baseline - 1.2).abs() < 0.01);
        series.find_changes(&ChangeOptions::default(), &|run| (run == "10").then(|| "on purpose".into()));
        let (baseline, now) = series.levels().unwrap();
        assert_eq!(baseline, now);
    }

    #[test]
    fn a_thinned_series_keeps_its_shape_and_what_is_marked() {
        let level = |i: usize| if i < 600 { 100.0 } else { 120.0 };
        let values: Vec<f64> = (0..1_000).map(|i| level(i) + (i % 7) as f64 * 0.01).collect();
        let mut series = series(&values);
        series.points[321].median = 500.0;
        series.find_changes(&ChangeOptions::default(), &|_| None);
        let (before, after) = (String::new(), String::new());
        series.marks.push(Mark { index: 77, run: "77".into(), what: MarkKind::Kernel, before, after });
        let whole = series.clone();
        series.thin(50);
        assert!((50..70).contains(&series.points.len()), "{}", series.points.len());
        assert_eq!(series.points_total, 1_000);
        assert_eq!(series.points[series.changes[0].index].run, whole.points[whole.changes[0].index].run);
        assert_eq!(series.points[series.marks[0].index].run, "77");
        assert!(series.points.iter().any(|point| point.run == "321"), "the outlier is gone");
        assert_eq!(
            (series.points.first(), series.points.last()),
            (whole.points.first(), whole.points.last())
        );
        let mut short = whole.clone();
        short.thin(1_000);
        assert_eq!(short, whole);
    }
}
