//! The newest results of each case: what a page shows that is opened many times a day. Reads only the newest runs of a case,
//! however many there are.

use std::collections::HashSet;

use duckdb::params;
use dyno_core::{
    model::{Better, CaseKey, Change, Point, Series},
    stats::ChangeOptions,
};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Store,
    columns::{better_of, interval},
    error::{StoreError, doing},
    read::TIME,
    verdicts::with_params,
};

/// Maximum number of results to read, the newest first: 5,000 cases with 40 results each, or fewer with more.
const MOST_ROWS: u32 = 200_000;

/// Selects cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestFilter {
    /// Name of the metric.
    pub metric: String,
    /// Only this benchmark.
    pub benchmark: Option<String>,
    /// Maximum number of cases, those with the newest results first.
    pub limit: u32,
    /// Maximum number of results of each case.
    pub recent: u32,
}

/// The newest results of many cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatestList {
    /// Name of the metric.
    pub metric: String,
    /// One entry per case and machine, those with the newest results first.
    pub series: Vec<Latest>,
    /// Whether there are more cases than the limit allows.
    pub truncated: bool,
    /// The metrics that results have, the most frequent first.
    pub metrics: Vec<MetricCount>,
}

/// A metric and how many results have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricCount {
    /// Name of the metric.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
    /// Number of results in all runs.
    pub results: u64,
}

/// The newest results of one case on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latest {
    /// Identifies the case, without the version of its plugin.
    pub key: CaseKey,
    /// Version of the plugin in the newest result.
    pub version: String,
    /// Category of the benchmark. // eg: "dense"
    pub category: String,
    /// Fingerprint of the machine.
    pub machine: String,
    /// Unit of all values.
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
    /// The newest result: its run, its case in that run, its median and its interval.
    pub newest: Point,
    /// Medians of the newest runs, oldest first; the last one is that of `newest`.
    pub recent: Vec<f64>,
    /// The newest change of the level among `recent` that nobody has accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

struct Row {
    key: CaseKey,
    params: String,
    version: String,
    category: String,
    machine: String,
    unit: String,
    better: Better,
    point: Point,
}

impl Store {
    /// The newest results of each case.
    ///
    /// # Errors
    /// When the database fails.
    pub fn latest(&self, filter: &LatestFilter) -> Result<LatestList, StoreError> {
        let rows = self.newest_rows(filter)?;
        let accepted = self.all_accepted_changes()?;
        let mut all: IndexMap<(CaseKey, String), Vec<Row>> = IndexMap::new();
        let mut truncated = rows.len() as u32 == MOST_ROWS;
        for row in rows {
            let key = with_params(row.key.clone(), &row.params)?;
            let place = (key, row.machine.clone());
            if !all.contains_key(&place) && all.len() >= filter.limit as usize {
                truncated = true;
                continue;
            }
            all.entry(place).or_default().push(row);
        }
        let series =
            all.into_iter().filter_map(|((key, _), rows)| latest(key, rows, &filter.metric, &accepted));
        Ok(LatestList {
            metric: filter.metric.clone(),
            series: series.collect(),
            truncated,
            metrics: self.metric_counts()?,
        })
    }

    /// Newest first.
    fn newest_rows(&self, filter: &LatestFilter) -> Result<Vec<Row>, StoreError> {
        let sql = format!(
            // Only what the window needs goes through it: wider rows would take ten times as long.
            "WITH placed AS (
               SELECT c.plugin_id, c.plugin_kind, c.benchmark, c.params_json, c.device, r.machine_fingerprint AS machine,
                      c.run_no, c.case_no
               FROM cases c JOIN runs r ON r.run_no = c.run_no
               WHERE c.status = 'completed' AND (? IS NULL OR c.benchmark = ?)
               QUALIFY row_number() OVER (
                 PARTITION BY c.plugin_id, c.plugin_kind, c.benchmark, c.params_json, c.device, machine
                 ORDER BY c.run_no DESC) <= ?
             ), first AS (SELECT min(run_no) AS run_no FROM placed)
             SELECT p.plugin_id, p.plugin_kind, p.benchmark, p.params_json, p.device, p.machine, c.plugin_version,
                    c.category, r.id, p.case_no, strftime(r.created_at, {TIME}), m.unit, m.better, m.median, m.low, m.high
             FROM placed p
             JOIN (SELECT * FROM metrics WHERE name = ? AND run_no >= (SELECT run_no FROM first)) m
               ON m.run_no = p.run_no AND m.case_no = p.case_no
             JOIN (SELECT * FROM cases WHERE run_no >= (SELECT run_no FROM first)) c
               ON c.run_no = p.run_no AND c.case_no = p.case_no
             JOIN runs r ON r.run_no = p.run_no
             ORDER BY p.run_no DESC, p.case_no LIMIT {MOST_ROWS}"
        );
        let values = params![filter.benchmark, filter.benchmark, filter.recent, filter.metric];
        self.rows(&sql, values, |row| {
            let better: String = row.get(12)?;
            Ok(Row {
                key: CaseKey {
                    plugin: row.get(0)?,
                    engine: row.get(1)?,
                    benchmark: row.get(2)?,
                    device: row.get(4)?,
                    ..CaseKey::default()
                },
                params: row.get(3)?,
                version: row.get(6)?,
                category: row.get(7)?,
                machine: row.get(5)?,
                unit: row.get(11)?,
                better: better_of(&better),
                point: Point {
                    run: row.get(8)?,
                    case: row.get(9)?,
                    created_at: row.get(10)?,
                    source: None,
                    median: row.get(13)?,
                    interval: interval(row.get(14)?, row.get(15)?),
                },
            })
        })
        .map_err(doing("reading the newest results"))
    }

    fn metric_counts(&self) -> Result<Vec<MetricCount>, StoreError> {
        let sql = "SELECT name, min(unit), min(better), count(*)::UBIGINT AS results FROM metrics
                   GROUP BY name ORDER BY results DESC, name LIMIT 200";
        self.rows(sql, params![], |row| {
            let better: String = row.get(2)?;
            Ok(MetricCount {
                name: row.get(0)?,
                unit: row.get(1)?,
                better: better_of(&better),
                results: row.get(3)?,
            })
        })
        .map_err(doing("counting metrics"))
    }

    /// Benchmark and run of all accepted changes.
    fn all_accepted_changes(&self) -> Result<HashSet<(String, String)>, StoreError> {
        let sql = "SELECT benchmark, run_id FROM accepted_changes";
        let rows = self.rows(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(rows.map_err(doing("reading accepted changes"))?.into_iter().collect())
    }
}

/// One entry, of rows that are the newest first.
fn latest(
    key: CaseKey,
    mut rows: Vec<Row>,
    metric: &str,
    accepted: &HashSet<(String, String)>,
) -> Option<Latest> {
    rows.reverse();
    let Row { version, category, machine, unit, better, point: newest, .. } = rows.pop()?;
    let before = rows.into_iter().map(|row| row.point);
    let mut series = Series {
        label: String::new(),
        key: None,
        machine,
        metric: metric.to_owned(),
        unit,
        better,
        points: before.chain([newest.clone()]).collect(),
        changes: Vec::new(),
        marks: Vec::new(),
        points_total: 0,
    };
    let is_accepted = |run: &str| accepted.contains(&(key.benchmark.clone(), run.to_owned()));
    series.find_changes(&ChangeOptions::default(), &|run| is_accepted(run).then(String::new));
    let change = series.changes.pop().filter(|change| change.accepted.is_none());
    Some(Latest {
        key,
        version,
        category,
        machine: series.machine,
        unit: series.unit,
        better,
        newest,
        recent: series.points.iter().map(|point| point.median).collect(),
        change,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{record, store_all};

    #[test]
    fn a_case_has_its_newest_result_and_the_ones_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        let mut last = record();
        for number in 0..5 {
            last.id = format!("0195d3c1-7f2a-7000-8000-00000000000{number}");
            for metric in last.cases.iter_mut().flat_map(|case| &mut case.metrics) {
                metric.median += f64::from(number);
            }
            store_all(&mut store, &last);
        }
        let filter = LatestFilter { metric: "time".to_owned(), benchmark: None, limit: 100, recent: 3 };
        let list = store.latest(&filter).unwrap();
        let timed =
            |case: &&dyno_core::model::CaseRecord| case.status.is_finished() && case.metric("time").is_some();
        let expected: Vec<_> =
            last.cases.iter().filter(timed).filter(|case| case.status.has_result()).collect();
        assert!(!expected.is_empty() && list.series.len() == expected.len(), "{list:?}");
        for case in expected {
            let found = list.series.iter().find(|it| it.newest.case == case.index).unwrap();
            let median = case.metric("time").unwrap().median;
            assert_eq!(found.newest.run, last.id);
            assert_eq!(found.recent, [median - 7.0, median - 4.0, median], "oldest first, the newest three");
            assert_eq!(found.key, case.key().without_version());
        }
        assert!(list.metrics.iter().any(|metric| metric.name == "time"));
        let one = store.latest(&LatestFilter { limit: 1, ..filter.clone() }).unwrap();
        assert_eq!((one.series.len(), one.truncated), (1, list.series.len() > 1));
        let none = LatestFilter { benchmark: Some("no such".to_owned()), ..filter };
        assert!(store.latest(&none).unwrap().series.is_empty());
    }
}
