//! Writing: a run when it begins, each launch, each case and the run when they end. Every method is one transaction: once
//! it returns, what it wrote survives a power failure.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use duckdb::{OptionalExt, ToSql, Transaction, params};
use dyno_core::model::{
    CaseRecord, CaseStatus, Environment, LaunchRecord, MetricSummary, PluginBuild, RunRecord, RunStatus,
    TAG_SEPARATOR,
};
use serde_json::to_string;

use super::{
    Store, columns,
    error::{StoreError, doing, finite, record},
    plugins,
    revision::Touched,
    samples::{self, Place},
    statement::{Rows, execute},
};

/// Maximum number of tries of a transaction that fails for a reason that may pass: twenty seconds, which is longer than any
/// query of a stranger.
const TRIES: u32 = 11;
/// Ranges of cases in one statement: DuckDB limits the depth of an expression.
const RANGES: usize = 500;

impl Store {
    /// Stores a run and its cases before anything is measured.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn begin_run(&mut self, run: &RunRecord) -> Result<(), StoreError> {
        finite(run.not_finite())?;
        let run_no = self.transaction("storing a run", Touched::NewRun, |transaction| {
            let run_no = insert_run(transaction, run)?;
            plugins::note_all(
                transaction,
                run.cases.iter().map(|case| (case.plugin.as_ref(), None)),
                &run.created_at,
            )?;
            insert_cases(transaction, run_no, &run.cases)?;
            Ok(run_no)
        })?;
        self.current = Some((run.id.clone(), run_no));
        Ok(())
    }

    /// Stores a launch with its samples, its environment and the plugin's output.
    ///
    /// # Errors
    /// When there is no such run, a number is not finite, or the database refuses.
    pub fn commit_launch(&mut self, run: &str, case: u32, launch: &LaunchRecord) -> Result<(), StoreError> {
        finite(launch.not_finite())?;
        let run_no = self.run_no(run)?;
        // Lists tell neither of launches nor of cases that run.
        self.transaction("storing a launch", Touched::NoList, |transaction| {
            if launch.index == 0 {
                set_running(transaction, run_no, case)?;
            }
            insert_launch(transaction, run_no, case, launch)?;
            insert_environment(transaction, run_no, case, launch.index, &launch.environment)?;
            samples::insert(transaction, Place { run_no, case, launch: launch.index }, &launch.samples)
        })
    }

    /// Stores how a case ended, with its summaries. Its launches were committed before.
    ///
    /// # Errors
    /// When there is no such run, a number is not finite, or the database refuses.
    pub fn finish_case(&mut self, run: &str, case: &CaseRecord) -> Result<(), StoreError> {
        finite(case.not_finite())?;
        let run_no = self.run_no(run)?;
        self.transaction("storing a case", Touched::Case(run_no, case.index), |transaction| {
            end_case(transaction, run_no, case)?;
            insert_metrics(transaction, run_no, case.index, &case.metrics)
        })
    }

    /// Stores the end of cases that never began, in one transaction. They have neither launches nor summaries.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn end_unbegun(&mut self, run: &str, cases: &[CaseRecord]) -> Result<(), StoreError> {
        let run_no = self.run_no(run)?;
        // Most of them ended the same way, and neighbours of them: a statement with a number for each would be long.
        let mut ends: BTreeMap<String, (&CaseStatus, Vec<RangeInclusive<u32>>)> = BTreeMap::new();
        for case in cases {
            let json = to_string(&case.status).map_err(record("status"))?;
            let (_, ranges) = ends.entry(json).or_insert((&case.status, Vec::new()));
            match ranges.last_mut() {
                Some(last) if last.end() + 1 == case.index => *last = *last.start()..=case.index,
                _ => ranges.push(case.index..=case.index),
            }
        }
        self.transaction("storing cases", Touched::Run(run_no), |transaction| {
            for (json, (status, ranges)) in &ends {
                let (stage, reason) = columns::outcome(status);
                for ranges in ranges.chunks(RANGES) {
                    let which: Vec<String> = ranges
                        .iter()
                        .map(|range| format!("case_no BETWEEN {} AND {}", range.start(), range.end()))
                        .collect();
                    transaction
                        .execute(
                            &format!(
                                "UPDATE cases SET status = ?, stage = ?, reason = ?, status_json = ?, metrics_json = ?
                                 WHERE run_no = ? AND ({})",
                                which.join(" OR ")
                            ),
                            params![status.word(), stage, reason, json, columns::medians(&[]), run_no],
                        )
                        .map_err(doing("storing cases"))?;
                }
            }
            Ok(())
        })
    }

    /// Stores the final status of a run and its end (RFC 3339, UTC).
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn finish_run(&mut self, run: &str, status: RunStatus, finished_at: &str) -> Result<(), StoreError> {
        let run_no = self.run_no(run)?;
        self.statement(
            "ending a run",
            Touched::Run(run_no),
            "UPDATE runs SET status = ?, finished_at = CAST(? AS TIMESTAMP) WHERE run_no = ?",
            params![status.word(), finished_at, run_no],
        )
    }

    /// The key of a run in the tables; the last one is remembered, because a run is written to many times in a row.
    pub(super) fn run_no(&mut self, run: &str) -> Result<i32, StoreError> {
        if let Some((_, run_no)) = self.current.as_ref().filter(|(id, _)| id == run) {
            return Ok(*run_no);
        }
        let run_no = self
            .row("SELECT run_no FROM runs WHERE id = ?", [run], |row| row.get(0))
            .optional()
            .map_err(doing("finding a run"))?
            .ok_or_else(|| StoreError::NoSuchRun {
                selector: run.to_owned(),
                hint: "a run is stored when it begins".to_owned(),
            })?;
        self.current = Some((run.to_owned(), run_no));
        Ok(run_no)
    }

    /// A transaction, tried again if it fails for a reason that may pass.
    pub(super) fn transaction<T>(
        &mut self,
        what: &'static str,
        touched: Touched,
        work: impl FnMut(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = self.committed(what, work)?;
        // Before the log is folded: kept answers are outdated from now on.
        self.revision.raise(touched);
        self.note_in_log(touched);
        Ok(done)
    }

    /// A transaction that leaves the revision as it is: no kept answer tells of what it writes.
    pub(super) fn uncounted<T>(
        &mut self,
        what: &'static str,
        work: impl FnMut(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = self.committed(what, work)?;
        self.note_in_log(Touched::NoList);
        Ok(done)
    }

    fn note_in_log(&self, touched: Touched) {
        if let Some(log) = &self.log {
            let _passing = self.gate.pass();
            log.grew(touched, &self.connection);
        }
    }

    fn committed<T>(
        &mut self,
        what: &'static str,
        mut work: impl FnMut(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tries = 0;
        let strangers = self.strangers.clone();
        let mut quiet = None;
        loop {
            let passing = self.gate.pass();
            let done = self.connection.transaction().map_err(doing(what)).and_then(|transaction| {
                let value = work(&transaction)?;
                transaction.commit().map_err(doing(what))?;
                Ok(value)
            });
            match done {
                Err(error) if error.passes() && tries < TRIES => {
                    tries += 1;
                    // Without memory, its end may have failed as well. Usually there is none any more.
                    let _ = self.connection.execute_batch("ROLLBACK");
                    if error.is_out_of_memory() && quiet.is_none() {
                        quiet = Some(strangers.make_way());
                        continue;
                    }
                }
                done => return done,
            }
            drop(passing);
            std::thread::sleep(Duration::from_millis(5 << tries));
        }
    }

    /// A transaction of one statement.
    pub(super) fn statement(
        &mut self,
        what: &'static str,
        touched: Touched,
        sql: &str,
        params: &[&dyn ToSql],
    ) -> Result<(), StoreError> {
        self.transaction(what, touched, |transaction| execute(transaction, what, sql, params))
    }
}

pub(super) fn insert_run(transaction: &Transaction<'_>, run: &RunRecord) -> Result<i32, StoreError> {
    let failed = doing("storing a run");
    // A list cannot be bound.
    let tags = run.spec.tags.join(TAG_SEPARATOR.encode_utf8(&mut [0; 4]));
    let run_no: i32 = transaction
        .query_row("SELECT coalesce(max(run_no), 0) + 1 FROM runs", [], |row| row.get(0))
        .map_err(&failed)?;
    transaction
        .execute(
            "INSERT INTO runs VALUES (?, ?, CAST(? AS TIMESTAMP), NULL, ?, ?, ?,
                                      CASE WHEN ? = '' THEN [] ELSE string_split(?, chr(31)) END,
                                      ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                run_no,
                run.id,
                run.created_at,
                run.status.word(),
                run.dyno_version,
                run.spec.suite.as_ref().map(|suite| suite.name.as_str()),
                tags,
                tags,
                run.machine.hostname,
                run.machine.cpu.model,
                run.machine.fingerprint,
                to_string(&run.spec).map_err(record("spec"))?,
                to_string(&run.machine).map_err(record("machine"))?,
                run.source.as_ref().map(|source| source.commit.as_str()),
                run.source.as_ref().and_then(|source| source.branch.as_deref()),
                run.source.as_ref().map(|source| source.dirty),
            ],
        )
        .map_err(&failed)?;
    Ok(run_no)
}

/// Stores the cases of a run in bulk, since there may be 100,000.
pub(super) fn insert_cases(
    transaction: &Transaction<'_>,
    run_no: i32,
    cases: &[CaseRecord],
) -> Result<(), StoreError> {
    let mut rows = Rows::of(transaction, "storing cases", "cases")?;
    for case in cases {
        let plugin = &case.plugin;
        let (stage, reason) = columns::outcome(&case.status);
        rows.add(params![
            run_no,
            case.index,
            plugin.id,
            plugin.version,
            plugin.kind.to_string(),
            plugin.sha256,
            plugin.path,
            case.benchmark,
            case.category,
            case.device,
            case.model(),
            columns::batch_size(&case.params),
            columns::precision(&case.params),
            to_string(&case.params).map_err(record("params"))?,
            case.status.word(),
            stage,
            reason,
            to_string(&case.status).map_err(record("status"))?,
            columns::medians(&case.metrics),
            plugin.build.map(PluginBuild::word),
        ])?;
    }
    rows.end()
}

/// Marks a case as begun, so that this is known if the host is killed. One that has ended stays as it ended.
fn set_running(transaction: &Transaction<'_>, run_no: i32, case: u32) -> Result<(), StoreError> {
    let status = CaseStatus::Running;
    execute(
        transaction,
        "storing a case",
        "UPDATE cases SET status = ?, status_json = ? WHERE run_no = ? AND case_no = ? AND status = ?",
        params![
            status.word(),
            to_string(&status).map_err(record("status"))?,
            run_no,
            case,
            CaseStatus::Queued.word()
        ],
    )
}

fn end_case(transaction: &Transaction<'_>, run_no: i32, case: &CaseRecord) -> Result<(), StoreError> {
    let (stage, reason) = columns::outcome(&case.status);
    execute(
        transaction,
        "storing a case",
        "UPDATE cases SET status = ?, stage = ?, reason = ?, status_json = ?, metrics_json = ?
         WHERE run_no = ? AND case_no = ?",
        params![
            case.status.word(),
            stage,
            reason,
            to_string(&case.status).map_err(record("status"))?,
            columns::medians(&case.metrics),
            run_no,
            case.index,
        ],
    )
}

fn insert_launch(
    transaction: &Transaction<'_>,
    run_no: i32,
    case: u32,
    launch: &LaunchRecord,
) -> Result<(), StoreError> {
    let mut rows = Rows::of(transaction, "storing a launch", "launches")?;
    rows.add(params![
        run_no,
        case,
        launch.index,
        launch.started_at,
        launch.status.word(),
        launch.retaken,
        launch.peak_memory_bytes,
        launch.pinned_cpu,
        to_string(&columns::bare(launch)).map_err(record("launch"))?,
        launch.samples_taken,
    ])?;
    rows.end()
}

fn insert_environment(
    transaction: &Transaction<'_>,
    run_no: i32,
    case: u32,
    launch: u32,
    environment: &Environment,
) -> Result<(), StoreError> {
    let mut rows = Rows::of(transaction, "storing a launch", "environments")?;
    rows.add(params![
        run_no,
        case,
        launch,
        environment.before.load_1m,
        environment.after.load_1m,
        environment.steal,
        environment.others_busy,
        !environment.disturbances.is_empty(),
        to_string(environment).map_err(record("environment"))?,
    ])?;
    rows.end()
}

fn insert_metrics(
    transaction: &Transaction<'_>,
    run_no: i32,
    case: u32,
    metrics: &[MetricSummary],
) -> Result<(), StoreError> {
    let mut rows = Rows::of(transaction, "storing a metric", "metrics")?;
    for (number, metric) in (0_u32..).zip(metrics) {
        rows.add(params![
            run_no,
            case,
            number,
            metric.name,
            metric.unit,
            columns::better(metric.better),
            metric.median,
            metric.interval.map(|interval| interval.low),
            metric.interval.map(|interval| interval.high),
            metric.mean,
            metric.std_dev,
            metric.launches,
            metric.samples,
            to_string(metric).map_err(record("metric"))?,
        ])?;
    }
    rows.end()
}

/// A record as JSON text.
pub(super) fn to_json(value: &impl serde::Serialize, what: &'static str) -> Result<String, StoreError> {
    to_string(value).map_err(record(what))
}
