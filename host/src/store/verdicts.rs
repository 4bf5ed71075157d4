//! What judging needs from the past: comparisons, baselines, noise, accepted changes, and the history of a benchmark.

use std::collections::HashMap;

use duckdb::params;
use dyno_core::model::{CaseKey, Comparison, Design, KnownDrift, Params, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Store,
    error::{StoreError, doing, record},
    revision::Touched,
    statement::execute,
};

/// Noise of one case on one machine: how much pairs of launches of equal builds differ, as `dyno aa` measured it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noise {
    /// Identifier of the plugin; empty if an older dyno measured this and no run tells which plugin it was.
    #[serde(default)]
    pub plugin: String,
    /// Benchmark, parameters, engine and device, as people read them.
    pub label: String,
    /// Number of comparisons of equal builds.
    pub comparisons: u32,
    /// Number of these comparisons that raised an alarm, which is false by definition.
    pub alarms: u32,
    /// Number of pairs of launches in all comparisons.
    pub pairs: u32,
    /// Variance of the relative differences of the pairs: its square root is their spread, as a share.
    pub variance: f64,
}

impl Noise {
    /// The key by which noise is stored: plugin and label.
    #[must_use]
    pub fn place(&self) -> (String, String) {
        (self.plugin.clone(), self.label.clone())
    }

    /// Plugin and label in one text, for people.
    #[must_use]
    pub fn name(&self) -> String {
        if self.plugin.is_empty() { self.label.clone() } else { format!("{}/{}", self.plugin, self.label) }
    }

    /// The key by which the noise of a case is stored.
    #[must_use]
    pub fn place_of(key: &CaseKey) -> (String, String) {
        (key.plugin.clone(), key.label())
    }
}

/// Maximum number of runs per build of a case from which drift is computed: older runs say little about the machine now.
const DRIFT_RUNS: u32 = 20;

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
        self.statement(
            "storing a comparison",
            Touched::NoList,
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
        self.transaction("storing noise", Touched::NoList, |transaction| {
            for noise in found {
                execute(
                    transaction,
                    "storing noise",
                    "INSERT INTO noise VALUES (CAST(? AS TIMESTAMP), ?, ?, ?, ?, ?, ?, nullif(?, ''))",
                    params![
                        at,
                        machine,
                        noise.label,
                        noise.comparisons,
                        noise.alarms,
                        noise.pairs,
                        noise.variance,
                        noise.plugin
                    ],
                )?;
            }
            Ok(())
        })
    }

    /// The noise of each case on a machine, over all its comparisons of equal builds.
    ///
    /// # Errors
    /// When the database fails.
    pub fn noise(&self, machine: &str) -> Result<Vec<Noise>, StoreError> {
        let rows = self.rows(
            "SELECT coalesce(plugin_id, ''), label, sum(comparisons)::UINTEGER, sum(alarms)::UINTEGER,
                    sum(pairs)::UINTEGER, sum(variance * pairs) / sum(pairs)
             FROM noise WHERE machine_fingerprint = ? AND pairs > 0 GROUP BY ALL ORDER BY ALL",
            params![machine],
            |row| {
                Ok(Noise {
                    plugin: row.get(0)?,
                    label: row.get(1)?,
                    comparisons: row.get(2)?,
                    alarms: row.get(3)?,
                    pairs: row.get(4)?,
                    variance: row.get(5)?,
                })
            },
        );
        rows.map_err(doing("reading noise"))
    }

    /// How much runs of equal builds differ on a machine: for each metric of a case, the largest relative difference
    /// between the medians of two runs of one build, among its latest runs.
    ///
    /// # Errors
    /// When the database fails.
    pub fn drift(&self, machine: &str) -> Result<Vec<KnownDrift>, StoreError> {
        let sql = format!(
            "WITH latest AS (
               SELECT c.plugin_id, c.plugin_kind, c.benchmark, c.params_json, c.device, c.plugin_sha256,
                      m.name, m.median, c.run_no
               FROM runs r
               JOIN cases c ON c.run_no = r.run_no
               JOIN metrics m ON m.run_no = c.run_no AND m.case_no = c.case_no
               WHERE r.machine_fingerprint = ? AND c.status = 'completed' AND c.plugin_sha256 <> ''
                 AND m.median > 0 AND isfinite(m.median)
               QUALIFY row_number() OVER (
                 PARTITION BY c.plugin_id, c.plugin_kind, c.benchmark, c.params_json, c.device, c.plugin_sha256, m.name
                 ORDER BY c.run_no DESC, c.case_no) <= {DRIFT_RUNS}
             ), builds AS (
               SELECT plugin_id, plugin_kind, benchmark, params_json, device, name,
                      max(median) / min(median) - 1 AS share, count(DISTINCT run_no) AS runs
               FROM latest
               GROUP BY plugin_id, plugin_kind, benchmark, params_json, device, name, plugin_sha256
               HAVING count(DISTINCT run_no) > 1
             )
             SELECT plugin_id, plugin_kind, benchmark, params_json, device, name, max(share), sum(runs)::UINTEGER
             FROM builds WHERE isfinite(share)
             GROUP BY plugin_id, plugin_kind, benchmark, params_json, device, name"
        );
        let failed = doing("reading how much equal builds differ");
        let rows = self
            .rows(&sql, params![machine], |row| {
                let key = CaseKey {
                    plugin: row.get(0)?,
                    engine: row.get(1)?,
                    benchmark: row.get(2)?,
                    device: row.get(4)?,
                    ..CaseKey::default()
                };
                let params: String = row.get(3)?;
                Ok((params, KnownDrift { key, metric: row.get(5)?, share: row.get(6)?, runs: row.get(7)? }))
            })
            .map_err(failed)?;
        rows.into_iter()
            .map(|(params, known)| {
                let key = with_params(known.key, &params)?;
                Ok(KnownDrift { key, ..known })
            })
            .collect()
    }

    /// Saves a run as the baseline of this name, which replaces an earlier one.
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
        self.statement(
            "storing a baseline",
            Touched::NoList,
            "INSERT INTO baselines VALUES (?, ?, ?, CAST(? AS TIMESTAMP))",
            params![name, run, branch, at],
        )
    }

    /// The identifier of the run that was saved under this name.
    ///
    /// # Errors
    /// When there is no such baseline; the error lists the names that exist.
    pub fn baseline(&self, name: &str) -> Result<String, StoreError> {
        let failed = doing("finding a baseline");
        let found: Vec<String> = self
            .rows(
                "SELECT run_id FROM baselines WHERE name = ? ORDER BY rowid DESC LIMIT 1",
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

    /// Accepts the change that begins with this run, so that later runs are compared with the new level.
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
        self.statement(
            "accepting a change",
            Touched::NoList,
            "INSERT INTO accepted_changes VALUES (?, ?, ?, CAST(? AS TIMESTAMP))",
            params![run, benchmark, note, at],
        )
    }

    /// The accepted changes of a benchmark: the run with which each begins, and its note.
    ///
    /// # Errors
    /// When the database fails.
    pub fn accepted_changes(&self, benchmark: &str) -> Result<HashMap<String, String>, StoreError> {
        let rows = self.rows(
            "SELECT run_id, note FROM accepted_changes WHERE benchmark = ? ORDER BY rowid",
            params![benchmark],
            |row| Ok((row.get(0)?, row.get(1)?)),
        );
        Ok(rows.map_err(doing("reading accepted changes"))?.into_iter().collect())
    }

    /// Names of the benchmarks of all stored cases.
    ///
    /// # Errors
    /// When the database fails.
    pub fn benchmarks(&self) -> Result<Vec<String>, StoreError> {
        self.rows("SELECT DISTINCT benchmark FROM cases ORDER BY benchmark", params![], |row| row.get(0))
            .map_err(doing("listing benchmarks"))
    }
}

/// The key with these parameters, which the database has as JSON.
pub(super) fn with_params(key: CaseKey, json: &str) -> Result<CaseKey, StoreError> {
    let params: Params = serde_json::from_str(json).map_err(record("params"))?;
    Ok(CaseKey { params: params.into_iter().map(|(name, value)| (name, value.to_string())).collect(), ..key })
}
