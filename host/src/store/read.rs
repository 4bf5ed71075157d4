//! Reading one run as a record, or the samples of a case.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use duckdb::{Row, ToSql, params};
use dyno_core::model::{
    CaseRecord, LaunchRecord, MetricSummary, PluginBuild, PluginKind, PluginRef, RESULT_SCHEMA,
    RESULT_VERSION, RunRecord, RunStatus, Sample, Source, Work,
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Store,
    error::{StoreError, doing, is_out_of_memory, record},
};

/// Format of the times that are read: RFC 3339, UTC, with milliseconds.
pub(super) const TIME: &str = "'%Y-%m-%dT%H:%M:%S.%gZ'";

/// Samples of a launch.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LaunchSamples {
    /// Index of the launch in the case, from 0.
    pub launch: u32,
    /// Samples in the order of measurement.
    pub samples: Vec<Sample>,
    /// Number of samples that were taken, if they were thinned since and `samples` has fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples_taken: Option<u32>,
}

impl Store {
    /// Reads one run. It is named by its identifier, the beginning of one, `last`, `last~N` for the Nth before the last, or as
    /// the newest one that measured `commit:HASH` or `branch:NAME`.
    ///
    /// # Errors
    /// When no run or several runs match, or the database fails.
    pub fn run(&self, selector: &str, with_samples: bool) -> Result<RunRecord, StoreError> {
        let run_no = self.find(selector)?;
        let mut run = self.head(run_no)?;
        run.cases = self.cases(run_no)?;
        self.add_metrics(run_no, &mut run.cases)?;
        self.add_launches(run_no, &mut run.cases, with_samples)?;
        if with_samples {
            self.add_samples(run_no, &mut run.cases)?;
        }
        Ok(run)
    }

    /// The same with an empty list of cases, which may be long.
    ///
    /// # Errors
    /// When there is no such run, or the database fails.
    pub fn run_without_cases(&self, selector: &str) -> Result<RunRecord, StoreError> {
        self.head(self.find(selector)?)
    }

    fn head(&self, run_no: i32) -> Result<RunRecord, StoreError> {
        let sql = format!(
            "SELECT id, strftime(created_at, {TIME}), strftime(finished_at, {TIME}), {status}, dyno_version, spec_json, machine_json,
                    commit_id, branch, coalesce(dirty, FALSE)
             FROM runs r WHERE run_no = ?",
            status = self.status_column(),
        );
        let (head, spec, machine, source) = self
            .row(&sql, [run_no], |row| {
                let head =
                    (row.get(0)?, row.get(1)?, row.get(2)?, status(&row.get::<_, String>(3)?), row.get(4)?);
                let (commit, branch, dirty): (Option<String>, _, _) = (row.get(7)?, row.get(8)?, row.get(9)?);
                let source = commit.map(|commit| Source { commit, branch, dirty });
                Ok((head, row.get::<_, String>(5)?, row.get::<_, String>(6)?, source))
            })
            .map_err(doing("reading a run"))?;
        let (id, created_at, finished_at, status, dyno_version) = head;
        Ok(RunRecord {
            schema: RESULT_SCHEMA.to_owned(),
            version: RESULT_VERSION,
            id,
            created_at,
            finished_at,
            status,
            spec: json(&spec, "spec")?,
            dyno_version,
            source,
            machine: json(&machine, "machine")?,
            cases: Vec::new(),
        })
    }

    /// SQL for the status of a run. Opening for writing marks unfinished runs `interrupted`. Opening for reading cannot
    /// write, but no process writes at that time, so it reads them as `interrupted`.
    pub(super) fn status_column(&self) -> &'static str {
        if self.read_only {
            "CASE WHEN r.status = 'running' THEN 'interrupted' ELSE r.status END"
        } else {
            "r.status"
        }
    }

    /// The samples of one case, with the index of their launch. Nothing else of the run is read.
    ///
    /// # Errors
    /// When there is no such run or case, or the database fails.
    pub fn case_samples(&self, selector: &str, case: u32) -> Result<Vec<LaunchSamples>, StoreError> {
        let failed = doing("reading samples");
        let run_no = self.find_case(selector, case)?;
        let mut launches = self
            .rows(
                "SELECT launch_no, samples_taken FROM launches WHERE run_no = ? AND case_no = ? ORDER BY launch_no",
                params![run_no, case],
                |row| Ok(LaunchSamples { launch: row.get(0)?, samples: Vec::new(), samples_taken: row.get(1)? }),
            )
            .map_err(&failed)?;
        let sql = format!(
            "SELECT {SAMPLE}, launch_no FROM samples WHERE run_no = ? AND case_no = ? ORDER BY launch_no, sample_no"
        );
        let mut by_launch =
            self.samples(&sql, params![run_no, case], |row| row.get::<_, u32>(9)).map_err(&failed)?;
        for launch in &mut launches {
            launch.samples = by_launch.remove(&launch.launch).unwrap_or_default();
        }
        Ok(launches)
    }

    /// The run that a selector names, if it has this case.
    pub(super) fn find_case(&self, selector: &str, case: u32) -> Result<i32, StoreError> {
        let (run_no, run) = self.locate(selector)?;
        let cases: u32 = self
            .row("SELECT count(*) FROM cases WHERE run_no = ?", [run_no], |row| row.get(0))
            .map_err(doing("finding a case"))?;
        if case >= cases {
            return Err(StoreError::NoSuchCase { run, case, cases });
        }
        Ok(run_no)
    }

    fn cases(&self, run_no: i32) -> Result<Vec<CaseRecord>, StoreError> {
        // Cases of one plugin are neighbours.
        let mut last: Option<Arc<PluginRef>> = None;
        let rows = self
            .rows(
                "SELECT case_no, plugin_id, plugin_version, plugin_kind, plugin_sha256, plugin_path, benchmark, category,
                        device, params_json, status_json, plugin_build
                 FROM cases WHERE run_no = ? ORDER BY case_no",
                params![run_no],
                |row| {
                    let kind: String = row.get(3)?;
                    let build: Option<String> = row.get(11)?;
                    let plugin = PluginRef {
                        id: row.get(1)?,
                        version: row.get(2)?,
                        kind: if kind == "wasm" { PluginKind::Wasm } else { PluginKind::Native },
                        sha256: row.get(4)?,
                        path: row.get(5)?,
                        build: build.as_deref().and_then(PluginBuild::from_word),
                    };
                    let plugin = last.take().filter(|last| **last == plugin).unwrap_or_else(|| Arc::new(plugin));
                    last = Some(Arc::clone(&plugin));
                    let texts: (String, String) = (row.get(9)?, row.get(10)?);
                    Ok((row.get(0)?, plugin, row.get(6)?, row.get(7)?, row.get(8)?, texts))
                },
            )
            .map_err(doing("reading cases"))?;
        rows.into_iter()
            .map(|(index, plugin, benchmark, category, device, (params, status))| {
                Ok(CaseRecord {
                    index,
                    plugin,
                    benchmark,
                    category,
                    params: Arc::new(json(&params, "params")?),
                    device,
                    status: json(&status, "status")?,
                    metrics: Vec::new(),
                    launches: Vec::new(),
                })
            })
            .collect()
    }

    fn add_metrics(&self, run_no: i32, cases: &mut [CaseRecord]) -> Result<(), StoreError> {
        let rows: Vec<(u32, String)> = self
            .rows(
                "SELECT case_no, summary_json FROM metrics WHERE run_no = ? ORDER BY case_no, metric_no",
                params![run_no],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(doing("reading metrics"))?;
        for (case, text) in rows {
            if let Some(case) = cases.get_mut(case as usize) {
                case.metrics.push(json::<MetricSummary>(&text, "metric")?);
            }
        }
        Ok(())
    }

    fn add_launches(
        &self,
        run_no: i32,
        cases: &mut [CaseRecord],
        with_samples: bool,
    ) -> Result<(), StoreError> {
        let rows: Vec<(u32, String, String, Option<u32>)> = self
            .rows(
                "SELECT l.case_no, l.record_json, e.environment_json, l.samples_taken FROM launches l
                 JOIN environments e ON e.run_no = l.run_no AND e.case_no = l.case_no AND e.launch_no = l.launch_no
                 WHERE l.run_no = ? ORDER BY l.case_no, l.launch_no",
                params![run_no],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .map_err(doing("reading launches"))?;
        for (case, launch, environment, samples_taken) in rows {
            if let Some(case) = cases.get_mut(case as usize) {
                let mut launch: LaunchRecord = json(&launch, "launch")?;
                if !with_samples {
                    launch.counters.clear();
                }
                launch.environment = json(&environment, "environment")?;
                launch.samples_taken = samples_taken;
                case.launches.push(launch);
            }
        }
        Ok(())
    }

    fn add_samples(&self, run_no: i32, cases: &mut [CaseRecord]) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {SAMPLE}, case_no, launch_no FROM samples WHERE run_no = ? ORDER BY case_no, launch_no, sample_no"
        );
        let mut by_launch = self
            .samples(&sql, params![run_no], |row| Ok((row.get::<_, u32>(9)?, row.get::<_, u32>(10)?)))
            .map_err(doing("reading samples"))?;
        for case in cases {
            for launch in &mut case.launches {
                launch.samples = by_launch.remove(&(case.index, launch.index)).unwrap_or_default();
            }
        }
        Ok(())
    }

    /// The samples that a query finds, by their place. A run may have millions: they are never in memory twice.
    fn samples<Place: Eq + Hash>(
        &self,
        sql: &str,
        params: &[&dyn ToSql],
        place: impl Fn(&Row<'_>) -> duckdb::Result<Place>,
    ) -> duckdb::Result<HashMap<Place, Vec<Sample>>> {
        self.first(|| {
            let mut found: HashMap<Place, Vec<Sample>> = HashMap::new();
            self.rows_once(sql, params, |row| {
                found.entry(place(row)?).or_default().push(sample(row)?);
                Ok(())
            })?;
            Ok(found)
        })
    }

    /// The rows of a query, which comes before those of callers.
    #[expect(clippy::needless_pass_by_value, reason = "callers write the values in place")]
    pub(super) fn rows<T>(
        &self,
        sql: &str,
        params: impl duckdb::Params + Clone,
        mut read: impl FnMut(&Row<'_>) -> duckdb::Result<T>,
    ) -> duckdb::Result<Vec<T>> {
        self.first(|| self.rows_once(sql, params.clone(), &mut read))
    }

    /// The one row of a query, which comes before those of callers.
    #[expect(clippy::needless_pass_by_value, reason = "callers write the values in place")]
    pub(super) fn row<T>(
        &self,
        sql: &str,
        params: impl duckdb::Params + Clone,
        mut read: impl FnMut(&Row<'_>) -> duckdb::Result<T>,
    ) -> duckdb::Result<T> {
        self.first(|| self.connection.query_row(sql, params.clone(), &mut read))
    }

    /// Asks, and once more without the queries of callers if these took the memory.
    fn first<T>(&self, mut ask: impl FnMut() -> duckdb::Result<T>) -> duckdb::Result<T> {
        match ask() {
            Err(error) if is_out_of_memory(&error) => {
                let _quiet = self.strangers.make_way();
                ask()
            }
            answer => answer,
        }
    }

    /// The rows of a query of a caller.
    pub(super) fn rows_once<T>(
        &self,
        sql: &str,
        params: impl duckdb::Params,
        read: impl FnMut(&Row<'_>) -> duckdb::Result<T>,
    ) -> duckdb::Result<Vec<T>> {
        self.connection.prepare(sql)?.query_map(params, read)?.collect()
    }
}

/// The columns that [`sample`] reads, in its order.
const SAMPLE: &str = "iterations, wall_ns, cpu_ns, device_ns, items, bytes, flop, checksum, preemptions";

fn sample(row: &Row<'_>) -> duckdb::Result<Sample> {
    Ok(Sample {
        iterations: row.get(0)?,
        wall_ns: row.get(1)?,
        cpu_ns: row.get(2)?,
        device_ns: row.get(3)?,
        work: Work { items: row.get(4)?, bytes: row.get(5)?, flop: row.get(6)? },
        checksum: row.get(7)?,
        preemptions: row.get(8)?,
    })
}

pub(super) fn status(word: &str) -> RunStatus {
    // Only words of ours are ever written.
    RunStatus::from_word(word).unwrap_or(RunStatus::Interrupted)
}

pub(super) fn json<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(record(what))
}
