//! What verdicts need to remember: comparisons, baselines, noise, accepted changes; and a benchmark over many runs.

use std::collections::HashMap;

use duckdb::params;
use dyno_core::model::{
    Better, Comparison, Design, Interval, Params, Point, Series, Source, Verdict, label_of,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Store,
    error::{StoreError, doing, record},
    read::TIME,
    write::execute,
};

/// How much pairs of launches of equal builds differ, for one case on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noise {
    /// Benchmark, parameters, engine and device.
    pub label: String,
    /// A/A comparisons made.
    pub comparisons: u32,
    /// How many of them raised an alarm.
    pub alarms: u32,
    /// Pairs over all comparisons.
    pub pairs: u32,
    /// Variance of their effects.
    pub variance: f64,
}

/// A row of a history before its series is known.
type HistoryRow = ((String, String, String, String), (String, String, Better), Point);

impl Store {
    /// Stores a comparison.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_comparison(
        &mut self,
        id: &str,
        comparison: &Comparison,
        at: &str,
    ) -> Result<(), StoreError> {
        let count = |verdict| comparison.count(verdict) as u32;
        execute(
            &self.connection,
            "storing a comparison",
            "INSERT INTO comparisons VALUES (?, CAST(? AS TIMESTAMP), ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                id,
                at,
                match comparison.design {
                    Design::Paired => "paired",
                    Design::Stored => "stored",
                },
                comparison.baseline,
                comparison.candidate,
                count(Verdict::Regressed),
                count(Verdict::Improved),
                count(Verdict::Equivalent),
                count(Verdict::Inconclusive),
                serde_json::to_string(comparison).map_err(record("comparison"))?,
            ],
        )
    }

    /// Stores the noise that an A/A comparison found.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_noise(&mut self, machine: &str, found: &[Noise], at: &str) -> Result<(), StoreError> {
        self.transaction("storing noise", |transaction| {
            for noise in found {
                execute(
                    transaction,
                    "storing noise",
                    "INSERT INTO noise VALUES (CAST(? AS TIMESTAMP), ?, ?, ?, ?, ?, ?)",
                    params![
                        at,
                        machine,
                        noise.label,
                        noise.comparisons,
                        noise.alarms,
                        noise.pairs,
                        noise.variance
                    ],
                )?;
            }
            Ok(())
        })
    }

    /// The noise that is known of a machine, all A/A comparisons of a case taken together.
    ///
    /// # Errors
    /// When the database fails.
    pub fn noise(&self, machine: &str) -> Result<HashMap<String, Noise>, StoreError> {
        let rows = self.rows(
            "SELECT label, sum(comparisons)::UINTEGER, sum(alarms)::UINTEGER, sum(pairs)::UINTEGER,
                    sum(variance * pairs) / sum(pairs)
             FROM noise WHERE machine_fingerprint = ? AND pairs > 0 GROUP BY label",
            params![machine],
            |row| {
                Ok(Noise {
                    label: row.get(0)?,
                    comparisons: row.get(1)?,
                    alarms: row.get(2)?,
                    pairs: row.get(3)?,
                    variance: row.get(4)?,
                })
            },
        );
        let rows = rows.map_err(doing("reading noise"))?;
        Ok(rows.into_iter().map(|noise| (noise.label.clone(), noise)).collect())
    }

    /// Names a run as a baseline.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn save_baseline(
        &mut self,
        name: &str,
        run: &str,
        branch: Option<&str>,
        at: &str,
    ) -> Result<(), StoreError> {
        execute(
            &self.connection,
            "storing a baseline",
            "INSERT INTO baselines VALUES (?, ?, ?, CAST(? AS TIMESTAMP))",
            params![name, run, branch, at],
        )
    }

    /// The run that a baseline names.
    ///
    /// # Errors
    /// When there is no such baseline: the error lists those that there are.
    pub fn baseline(&self, name: &str) -> Result<String, StoreError> {
        let failed = doing("finding a baseline");
        let found: Vec<String> = self
            .rows(
                "SELECT run_id FROM baselines WHERE name = ? ORDER BY created_at DESC, rowid DESC LIMIT 1",
                params![name],
                |row| row.get(0),
            )
            .map_err(&failed)?;
        if let Some(run) = found.into_iter().next() {
            return Ok(run);
        }
        let known: Vec<String> = self
            .rows("SELECT DISTINCT name FROM baselines ORDER BY name", params![], |row| row.get(0))
            .map_err(&failed)?;
        let hint = if known.is_empty() {
            "none was ever saved: `dyno run … --save-baseline` does".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        Err(StoreError::NoSuchBaseline { name: name.to_owned(), hint })
    }

    /// Accepts the change that begins with a run.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn accept_change(
        &mut self,
        run: &str,
        benchmark: &str,
        note: &str,
        at: &str,
    ) -> Result<(), StoreError> {
        execute(
            &self.connection,
            "accepting a change",
            "INSERT INTO accepted_changes VALUES (?, ?, ?, CAST(? AS TIMESTAMP))",
            params![run, benchmark, note, at],
        )
    }

    /// The notes of accepted changes of a benchmark, by run.
    ///
    /// # Errors
    /// When the database fails.
    pub fn accepted_changes(&self, benchmark: &str) -> Result<HashMap<String, String>, StoreError> {
        let rows = self.rows(
            "SELECT run_id, note FROM accepted_changes WHERE benchmark = ? ORDER BY created_at",
            params![benchmark],
            |row| Ok((row.get(0)?, row.get(1)?)),
        );
        Ok(rows.map_err(doing("reading accepted changes"))?.into_iter().collect())
    }

    /// A metric of a benchmark over all runs: a series per parameters, engine, device and machine.
    ///
    /// # Errors
    /// When the database fails.
    pub fn history(&self, benchmark: &str, metric: &str) -> Result<Vec<Series>, StoreError> {
        let sql = format!(
            "SELECT r.id, strftime(r.created_at, {TIME}), r.commit_id, r.branch, coalesce(r.dirty, FALSE),
                    r.machine_fingerprint, c.params_json, c.plugin_kind, c.device,
                    m.unit, m.better, m.median, m.low, m.high
             FROM cases c
             JOIN runs r ON r.run_no = c.run_no
             JOIN metrics m ON m.run_no = c.run_no AND m.case_no = c.case_no
             WHERE c.benchmark = ? AND m.name = ? AND c.status = 'completed'
             ORDER BY r.run_no, c.case_no"
        );
        let rows: Vec<HistoryRow> = self
            .rows(&sql, params![benchmark, metric], |row| {
                let commit: Option<String> = row.get(2)?;
                let (branch, dirty) = (row.get(3)?, row.get(4)?);
                let ends: (Option<f64>, Option<f64>) = (row.get(12)?, row.get(13)?);
                let better: String = row.get(10)?;
                Ok((
                    (row.get(6)?, row.get(7)?, row.get(8)?, row.get(5)?),
                    (
                        row.get(9)?,
                        metric.to_owned(),
                        if better == "higher" { Better::Higher } else { Better::Lower },
                    ),
                    Point {
                        run: row.get(0)?,
                        created_at: row.get(1)?,
                        source: commit.map(|commit| Source { commit, branch, dirty }),
                        median: row.get(11)?,
                        interval: ends.0.zip(ends.1).map(|(low, high)| Interval {
                            low,
                            high,
                            confidence: 0.95,
                        }),
                    },
                ))
            })
            .map_err(doing("reading a history"))?;
        let mut places: HashMap<(String, String, String, String), usize> = HashMap::new();
        let mut all: Vec<Series> = Vec::new();
        for (key, (unit, metric, better), point) in rows {
            let place = match places.get(&key) {
                Some(place) => *place,
                None => {
                    let (params, kind, device, machine) = key.clone();
                    let params: Params = serde_json::from_str(&params).map_err(record("params"))?;
                    all.push(Series {
                        label: label_of(benchmark, &params, &kind, &device),
                        machine,
                        metric,
                        unit,
                        better,
                        points: Vec::new(),
                        changes: Vec::new(),
                    });
                    places.insert(key, all.len() - 1);
                    all.len() - 1
                }
            };
            if let Some(series) = all.get_mut(place) {
                series.points.push(point);
            }
        }
        Ok(all)
    }

    /// Names of the benchmarks that have results.
    ///
    /// # Errors
    /// When the database fails.
    pub fn benchmarks(&self) -> Result<Vec<String>, StoreError> {
        self.rows("SELECT DISTINCT benchmark FROM cases ORDER BY benchmark", params![], |row| row.get(0))
            .map_err(doing("listing benchmarks"))
    }
}
