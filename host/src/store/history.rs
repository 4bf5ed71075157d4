//! Reading the history of a benchmark: its results over all runs, as series.

use std::collections::{HashMap, HashSet};

use duckdb::params;
use dyno_core::model::{Better, CaseKey, Interval, Machine, Mark, MarkKind, Point, Series, Source, labels};
use indexmap::{IndexMap, IndexSet};

use super::{
    Store,
    columns::{better_of, interval},
    error::{StoreError, doing},
    read::TIME,
    verdicts::with_params,
};

/// What all results of a run have in common.
struct RunFacts {
    id: String,
    created_at: String,
    source: Option<Source>,
    fingerprint: String,
    dyno: String,
    system: String,
}

/// A result, before it is assigned to a series. Names that many results share are numbers: a history may have 100,000 points.
struct Row {
    run_no: i64,
    case: u32,
    /// Place in [`Read::keys`].
    key: usize,
    /// Version of the plugin and place among equal cases of the run. They separate series only if one run has several.
    version: usize,
    number: u32,
    build: usize,
    unit: usize,
    better: Better,
    median: f64,
    interval: Option<Interval>,
}

/// The results of a history, in the order of their runs.
#[derive(Default)]
struct Read {
    rows: Vec<Row>,
    keys: IndexSet<CaseKey>,
    names: IndexSet<String>,
    runs: HashMap<i64, RunFacts>,
    /// Equal machines have one number, whatever their settings are; and the governor. By fingerprint.
    machines: HashMap<String, (usize, String)>,
}

/// Case, version (absent if the series continues across versions), place among equal cases, and machine.
type SeriesKey = (usize, Option<usize>, u32, usize);

impl Store {
    /// A metric of a benchmark over all runs: one series per plugin, parameters, engine, device and machine. A series
    /// continues across versions of its plugin, unless a run has several versions.
    ///
    /// # Errors
    /// When the database fails.
    pub fn history(&self, benchmark: &str, metric: &str) -> Result<Vec<Series>, StoreError> {
        let failed = doing("reading a history");
        let mut read = Read::default();
        // What belongs to a run is read once per run, and not once per result.
        let runs = format!(
            "SELECT run_no, id, strftime(created_at, {TIME}), commit_id, branch, coalesce(dirty, FALSE),
                    machine_fingerprint, dyno_version, coalesce(json_extract_string(machine_json, '$.os'), '')
             FROM runs WHERE run_no IN (SELECT run_no FROM cases WHERE benchmark = ? AND status = 'completed')"
        );
        self.rows(&runs, params![benchmark], |row| {
            let commit: Option<String> = row.get(3)?;
            let (branch, dirty) = (row.get(4)?, row.get(5)?);
            let facts = RunFacts {
                id: row.get(1)?,
                created_at: row.get(2)?,
                source: commit.map(|commit| Source { commit, branch, dirty }),
                fingerprint: row.get(6)?,
                dyno: row.get(7)?,
                system: row.get(8)?,
            };
            read.runs.insert(row.get(0)?, facts);
            Ok(())
        })
        .map_err(&failed)?;
        read.machines = self.machines(benchmark).map_err(&failed)?;
        let results = "SELECT c.run_no, c.case_no, c.plugin_id, c.plugin_version, c.plugin_kind, c.device, c.params_json,
                    c.plugin_sha256[:12], m.unit, m.better, m.median, m.low, m.high
             FROM cases c
             JOIN metrics m ON m.run_no = c.run_no AND m.case_no = c.case_no
             WHERE c.benchmark = ? AND m.name = ? AND c.status = 'completed'
             ORDER BY c.run_no, c.case_no";
        // Parameters are JSON: each text is read once.
        let mut known: HashMap<[String; 4], usize> = HashMap::new();
        let mut unreadable = None;
        // Equal cases of the run that is being read.
        let mut equals: HashMap<(usize, usize), u32> = HashMap::new();
        let mut current = None;
        self.rows(results, params![benchmark, metric], |row| {
            let text: [String; 4] = [row.get(2)?, row.get(4)?, row.get(5)?, row.get(6)?];
            let key = match known.get(&text) {
                Some(key) => *key,
                None => {
                    let [plugin, engine, device, params] = text.clone();
                    let key = CaseKey {
                        plugin,
                        benchmark: benchmark.to_owned(),
                        engine,
                        device,
                        ..CaseKey::default()
                    };
                    match with_params(key, &params) {
                        Ok(key) => *known.entry(text).or_insert(read.keys.insert_full(key).0),
                        Err(error) => {
                            unreadable.get_or_insert(error);
                            return Ok(());
                        }
                    }
                }
            };
            let mut name = |place| Ok::<_, duckdb::Error>(read.names.insert_full(row.get(place)?).0);
            let (version, build, unit) = (name(3)?, name(7)?, name(8)?);
            let run_no = row.get(0)?;
            if current.replace(run_no) != Some(run_no) {
                equals.clear();
            }
            let number = equals.entry((key, version)).or_insert(0);
            *number += 1;
            let better: String = row.get(9)?;
            read.rows.push(Row {
                run_no,
                case: row.get(1)?,
                key,
                version,
                number: *number,
                build,
                unit,
                better: better_of(&better),
                median: row.get(10)?,
                interval: interval(row.get(11)?, row.get(12)?),
            });
            Ok(())
        })
        .map_err(failed)?;
        unreadable.map_or_else(|| Ok(series_of(&read, metric)), Err)
    }

    /// The machines that ran a benchmark, by their fingerprints: which of them are equal but for their settings, and their
    /// governors.
    fn machines(&self, benchmark: &str) -> duckdb::Result<HashMap<String, (usize, String)>> {
        let sql = "SELECT machine_fingerprint, any_value(machine_json) FROM runs
             WHERE run_no IN (SELECT run_no FROM cases WHERE benchmark = ? AND status = 'completed') GROUP BY 1";
        let found: Vec<(String, String)> =
            self.rows(sql, params![benchmark], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // A machine that cannot be read is like no other.
        let mut kinds: Vec<Option<Machine>> = Vec::new();
        let number_of = |(fingerprint, json): (String, String)| {
            let machine: Option<Machine> = serde_json::from_str(&json).ok();
            let is_like = |kind: &Option<Machine>| {
                kind.as_ref().zip(machine.as_ref()).is_some_and(|(kind, machine)| kind.is_like(machine))
            };
            let known = kinds.iter().position(is_like);
            let governor =
                machine.as_ref().and_then(|machine| machine.cpu.governor.clone()).unwrap_or_default();
            let number = known.unwrap_or_else(|| {
                kinds.push(machine);
                kinds.len() - 1
            });
            (fingerprint, (number, governor))
        };
        Ok(found.into_iter().map(number_of).collect())
    }
}

/// Sorts the results into series, in the order of their first points.
fn series_of(read: &Read, metric: &str) -> Vec<Series> {
    // Cases of which a run has several versions.
    let mut seen: HashMap<(i64, usize), usize> = HashMap::new();
    let split: HashSet<usize> = read
        .rows
        .iter()
        .filter(|row| *seen.entry((row.run_no, row.key)).or_insert(row.version) != row.version)
        .map(|row| row.key)
        .collect();
    let name = |place: usize| read.names.get_index(place).map_or("", String::as_str);
    let mut all: IndexMap<SeriesKey, Series> = IndexMap::new();
    // The newest result of each series so far, and its run.
    let mut last: HashMap<SeriesKey, (&RunFacts, &Row, &String)> = HashMap::new();
    for row in &read.rows {
        // A run that was deleted between the two queries.
        let Some(run) = read.runs.get(&row.run_no) else { continue };
        let version = split.contains(&row.key).then_some(row.version);
        let Some((machine, governor)) = read.machines.get(&run.fingerprint) else { continue };
        let place = (row.key, version, row.number, *machine);
        let before = last.insert(place, (run, row, governor));
        let series = all.entry(place).or_insert_with(|| Series {
            label: String::new(),
            key: read
                .keys
                .get_index(row.key)
                .map(|key| CaseKey { version: version.map_or("", name).to_owned(), ..key.clone() }),
            machine: String::new(),
            metric: metric.to_owned(),
            unit: name(row.unit).to_owned(),
            better: row.better,
            points: Vec::new(),
            changes: Vec::new(),
            marks: Vec::new(),
            points_total: 0,
        });
        let index = series.points.len();
        series.machine.clone_from(&run.fingerprint);
        if let Some((run_before, row_before, governor_before)) = before {
            let surroundings = [
                (MarkKind::Dyno, run_before.dyno.as_str(), run.dyno.as_str()),
                (MarkKind::Kernel, &run_before.system, &run.system),
                (MarkKind::Governor, governor_before, governor),
                (MarkKind::PluginVersion, name(row_before.version), name(row.version)),
                (MarkKind::PluginBuild, name(row_before.build), name(row.build)),
            ];
            let changed = surroundings.into_iter().filter(|(_, before, after)| before != after);
            let mark = |(what, before, after): (_, &str, &str)| Mark {
                index,
                run: run.id.clone(),
                what,
                before: before.to_owned(),
                after: after.to_owned(),
            };
            series.marks.extend(changed.map(mark));
        }
        series.points.push(Point {
            run: run.id.clone(),
            case: row.case,
            created_at: run.created_at.clone(),
            source: run.source.clone(),
            median: row.median,
            interval: row.interval,
        });
        series.points_total += 1;
    }
    // Series of one case on several machines have one label: the machine is beside it.
    let keys: Vec<(CaseKey, u32)> = all
        .iter()
        .map(|((.., number, _), series)| (series.key.clone().unwrap_or_default(), *number))
        .collect();
    let distinct: IndexSet<&(CaseKey, u32)> = keys.iter().collect();
    let names = labels(distinct.iter().map(|(key, _)| key));
    let names: HashMap<&(CaseKey, u32), String> = distinct.into_iter().zip(names).collect();
    let label = |key| names.get(key).cloned().unwrap_or_default();
    keys.iter().zip(all.into_values()).map(|(key, series)| Series { label: label(key), ..series }).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::tests::{record, store_all};

    #[test]
    fn a_series_goes_on_where_settings_change_and_says_what_changed() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        let first = record();
        let benchmark = first.cases[0].benchmark.clone();
        let mut number = 0;
        let mut add = |change: &dyn Fn(&mut dyno_core::model::RunRecord)| {
            let mut run = first.clone();
            run.cases.truncate(1);
            change(&mut run);
            run.id = format!("run{number}");
            number += 1;
            store_all(&mut store, &run);
        };
        add(&|_| {});
        add(&|run| {
            run.machine.cpu.governor = Some("schedutil".to_owned());
            run.machine.fingerprint = "f1".to_owned();
        });
        add(&|run| {
            run.machine.cpu.governor = Some("schedutil".to_owned());
            run.machine.fingerprint = "f1".to_owned();
            run.machine.os = "Linux 99".to_owned();
            run.dyno_version = "9.9.9".to_owned();
            let plugin = Arc::make_mut(&mut run.cases[0].plugin);
            plugin.version = "7.0.0".to_owned();
            plugin.sha256 = "cd".repeat(32);
        });
        add(&|run| {
            run.machine.cpu.cores += 1;
            run.machine.fingerprint = "f2".to_owned();
        });
        let all = store.history(&benchmark, "time").unwrap();
        let machines: Vec<(&str, usize)> =
            all.iter().map(|series| (series.machine.as_str(), series.points.len())).collect();
        assert_eq!(machines, [("f1", 3), ("f2", 1)]);
        let marks: Vec<(usize, MarkKind, &str)> =
            all[0].marks.iter().map(|mark| (mark.index, mark.what, mark.after.as_str())).collect();
        assert_eq!(
            marks,
            [
                (1, MarkKind::Governor, "schedutil"),
                (2, MarkKind::Dyno, "9.9.9"),
                (2, MarkKind::Kernel, "Linux 99"),
                (2, MarkKind::PluginVersion, "7.0.0"),
                (2, MarkKind::PluginBuild, "cdcdcdcdcdcd"),
            ]
        );
        assert_eq!(all[0].label, all[1].label, "the machine is beside the label");
    }
}
