//! Reading the history of a benchmark: its results over all runs, as series.

use std::collections::{HashMap, HashSet};

use duckdb::params;
use dyno_core::model::{Better, CaseKey, Mark, MarkKind, Point, Series, Source, labels};
use indexmap::{IndexMap, IndexSet};

use super::{
    Store,
    columns::{better_of, interval},
    error::{StoreError, doing},
    read::TIME,
    verdicts::with_params,
};

/// A row of a history, before it is assigned to a series.
struct HistoryRow {
    /// Version of the plugin and place among equal cases of the run. They separate series only if one run has several.
    version: String,
    number: u32,
    key: CaseKey,
    machine: String,
    unit: String,
    better: Better,
    point: Point,
    surroundings: Surroundings,
}

/// What a result depends on besides the source code of its plugin, in the order of [`MarkKind::ALL`], as people read it.
type Surroundings = [String; MarkKind::ALL.len()];

/// The columns of [`Surroundings`].
const SURROUNDINGS: &str =
    "r.dyno_version, coalesce(json_extract_string(r.machine_json, '$.os'), ''), c.plugin_version,
                    c.plugin_sha256[:12]";

/// Case, place among equal cases, and version.
type SeriesKey = (CaseKey, u32, String);

impl Store {
    /// A metric of a benchmark over all runs: one series per plugin, parameters, engine, device and machine. A series
    /// continues across versions of its plugin, unless a run has several versions.
    ///
    /// # Errors
    /// When the database fails.
    pub fn history(&self, benchmark: &str, metric: &str) -> Result<Vec<Series>, StoreError> {
        let sql = format!(
            "SELECT r.id, strftime(r.created_at, {TIME}), r.commit_id, r.branch, coalesce(r.dirty, FALSE),
                    r.machine_fingerprint, c.params_json, c.plugin_kind, c.device,
                    m.unit, m.better, m.median, m.low, m.high, c.plugin_id, c.plugin_version,
                    row_number() OVER (
                      PARTITION BY c.run_no, c.plugin_id, c.plugin_version, c.plugin_kind, c.params_json, c.device
                      ORDER BY c.case_no)::UINTEGER,
                    c.case_no, {SURROUNDINGS}
             FROM cases c
             JOIN runs r ON r.run_no = c.run_no
             JOIN metrics m ON m.run_no = c.run_no AND m.case_no = c.case_no
             WHERE c.benchmark = ? AND m.name = ? AND c.status = 'completed'
             ORDER BY r.run_no, c.case_no"
        );
        let rows: Vec<(String, HistoryRow)> = self
            .rows(&sql, params![benchmark, metric], |row| {
                let commit: Option<String> = row.get(2)?;
                let (branch, dirty) = (row.get(3)?, row.get(4)?);
                let better: String = row.get(10)?;
                let key = CaseKey {
                    plugin: row.get(14)?,
                    benchmark: benchmark.to_owned(),
                    engine: row.get(7)?,
                    device: row.get(8)?,
                    ..CaseKey::default()
                };
                let found = HistoryRow {
                    version: row.get(15)?,
                    number: row.get(16)?,
                    key,
                    machine: row.get(5)?,
                    unit: row.get(9)?,
                    better: better_of(&better),
                    point: Point {
                        run: row.get(0)?,
                        case: row.get(17)?,
                        created_at: row.get(1)?,
                        source: commit.map(|commit| Source { commit, branch, dirty }),
                        median: row.get(11)?,
                        interval: interval(row.get(12)?, row.get(13)?),
                    },
                    surroundings: [row.get(18)?, row.get(19)?, row.get(20)?, row.get(21)?],
                };
                Ok((row.get(6)?, found))
            })
            .map_err(doing("reading a history"))?;
        let rows = rows
            .into_iter()
            .map(|(params, row)| Ok(HistoryRow { key: with_params(row.key, &params)?, ..row }))
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(series_of(rows, metric))
    }
}

/// Sorts the rows into series, in the order of their first points.
fn series_of(rows: Vec<HistoryRow>, metric: &str) -> Vec<Series> {
    // Cases of which a run has several versions.
    let mut seen: HashMap<(&str, &CaseKey), &str> = HashMap::new();
    let mut split: HashSet<CaseKey> = HashSet::new();
    for row in &rows {
        let first = *seen.entry((&row.point.run, &row.key)).or_insert(&row.version);
        if first != row.version {
            split.insert(row.key.clone());
        }
    }
    let mut all: IndexMap<SeriesKey, Series> = IndexMap::new();
    // The surroundings of the newest point of each series so far.
    let mut last: HashMap<SeriesKey, Surroundings> = HashMap::new();
    for row in rows {
        let version = if split.contains(&row.key) { row.version } else { String::new() };
        let HistoryRow { number, key, machine, unit, better, point, surroundings, .. } = row;
        let place = (CaseKey { version, ..key }, number, machine.clone());
        let before = last.insert(place.clone(), surroundings.clone());
        let series = all.entry(place).or_insert_with_key(|(key, ..)| Series {
            label: String::new(),
            key: Some(key.clone()),
            machine,
            metric: metric.to_owned(),
            unit,
            better,
            points: Vec::new(),
            changes: Vec::new(),
            marks: Vec::new(),
            points_total: 0,
        });
        let index = series.points.len();
        series
            .marks
            .extend(before.iter().flat_map(|before| marks(index, &point.run, [before, &surroundings])));
        series.points.push(point);
        series.points_total += 1;
    }
    // Series of one case on several machines have one label: the machine is beside it.
    let distinct: IndexSet<(&CaseKey, u32)> = all.keys().map(|(key, number, _)| (key, *number)).collect();
    let names = labels(distinct.iter().map(|(key, _)| *key));
    let names: HashMap<(CaseKey, u32), String> =
        distinct.iter().map(|(key, number)| ((*key).clone(), *number)).zip(names).collect();
    all.into_iter()
        .map(|((key, number, _), series)| {
            let label = names.get(&(key, number)).cloned().unwrap_or_default();
            Series { label, ..series }
        })
        .collect()
}

/// What changed from the point before to this one.
fn marks(index: usize, run: &str, [before, after]: [&Surroundings; 2]) -> Vec<Mark> {
    let pairs = MarkKind::ALL.into_iter().zip(before.iter().zip(after));
    pairs
        .filter(|(_, (before, after))| before != after)
        .map(|(what, (before, after))| Mark {
            index,
            run: run.to_owned(),
            what,
            before: before.clone(),
            after: after.clone(),
        })
        .collect()
}
