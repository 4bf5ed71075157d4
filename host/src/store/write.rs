//! Writing: a run when it begins, each launch when it ends, each case when it ends, the run when it ends. Every method
//! is one transaction; when it returns, what it wrote survives the power cord.

use duckdb::{Transaction, params};
use dyno_core::model::{CaseRecord, LaunchRecord, ParamValue, Params, RunRecord, RunStatus, Sample};
use serde_json::to_string;

use super::{
    Store,
    error::{StoreError, doing, record},
};

impl Store {
    /// Stores a run and its cases before anything is measured.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn begin_run(&mut self, run: &RunRecord) -> Result<(), StoreError> {
        self.transaction("storing a run", |transaction| {
            let failed = doing("storing a run");
            let run_no: i32 = transaction
                .query_row("SELECT coalesce(max(run_no), 0) + 1 FROM runs", [], |row| row.get(0))
                .map_err(&failed)?;
            let tags = to_string(&run.spec.tags).map_err(record("tags"))?;
            transaction
                .execute(
                    "INSERT INTO runs VALUES (?, ?, CAST(? AS TIMESTAMP), NULL, ?, ?, ?, CAST(? AS VARCHAR[]), ?, ?, ?, ?)",
                    params![
                        run_no,
                        run.id,
                        run.created_at,
                        run.status.word(),
                        run.dyno_version,
                        run.spec.suite.as_ref().map(|suite| suite.name.as_str()),
                        tags,
                        run.machine.hostname,
                        run.machine.fingerprint,
                        to_string(&run.spec).map_err(record("spec"))?,
                        to_string(&run.machine).map_err(record("machine"))?,
                    ],
                )
                .map_err(&failed)?;
            for case in &run.cases {
                insert_case(transaction, run_no, case, &run.created_at)?;
            }
            Ok(())
        })
    }

    /// Stores a launch with its samples.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn commit_launch(&mut self, run: &str, case: u32, launch: &LaunchRecord) -> Result<(), StoreError> {
        self.transaction("storing a launch", |transaction| {
            let failed = doing("storing a launch");
            let run_no = run_no(transaction, run)?;
            let environment = &launch.environment;
            let bare =
                LaunchRecord { samples: Vec::new(), environment: Default::default(), ..launch.clone() };
            transaction
                .execute(
                    "INSERT INTO launches VALUES (?, ?, ?, CAST(? AS TIMESTAMP), ?, ?, ?, ?, ?)",
                    params![
                        run_no,
                        case,
                        launch.index,
                        launch.started_at,
                        launch.status.word(),
                        launch.retaken,
                        launch.peak_memory_bytes,
                        launch.pinned_cpu,
                        to_string(&bare).map_err(record("launch"))?,
                    ],
                )
                .map_err(&failed)?;
            transaction
                .execute(
                    "INSERT INTO environments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    params![
                        run_no,
                        case,
                        launch.index,
                        environment.before.load_1m,
                        environment.after.load_1m,
                        environment.steal,
                        environment.others_busy,
                        !environment.disturbances.is_empty(),
                        to_string(environment).map_err(record("environment"))?,
                    ],
                )
                .map_err(&failed)?;
            append_samples(transaction, run_no, case, launch.index, &launch.samples)
        })
    }

    /// Stores how a case ended, with its summaries.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn finish_case(&mut self, run: &str, case: &CaseRecord) -> Result<(), StoreError> {
        self.transaction("storing a case", |transaction| {
            let failed = doing("storing a case");
            let run_no = run_no(transaction, run)?;
            transaction
                .execute(
                    "UPDATE cases SET status = ?, status_json = ? WHERE run_no = ? AND case_no = ?",
                    params![
                        case.status.word(),
                        to_string(&case.status).map_err(record("status"))?,
                        run_no,
                        case.index
                    ],
                )
                .map_err(&failed)?;
            for (number, metric) in (0_i32..).zip(&case.metrics) {
                let better = serde_json::to_value(metric.better).map_err(record("metric"))?;
                transaction
                    .execute(
                        "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        params![
                            run_no,
                            case.index,
                            number,
                            metric.name,
                            metric.unit,
                            better.as_str().unwrap_or_default(),
                            metric.median,
                            metric.interval.map(|interval| interval.low),
                            metric.interval.map(|interval| interval.high),
                            metric.mean,
                            metric.std_dev,
                            metric.launches,
                            metric.samples,
                            to_string(metric).map_err(record("metric"))?,
                        ],
                    )
                    .map_err(&failed)?;
            }
            Ok(())
        })
    }

    /// Stores how a run ended.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn finish_run(&mut self, run: &str, status: RunStatus, finished_at: &str) -> Result<(), StoreError> {
        self.connection
            .execute(
                "UPDATE runs SET status = ?, finished_at = CAST(? AS TIMESTAMP) WHERE id = ?",
                params![status.word(), finished_at, run],
            )
            .map(drop)
            .map_err(doing("ending a run"))
    }

    fn transaction<T>(
        &mut self,
        what: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self.connection.transaction().map_err(doing(what))?;
        let value = work(&transaction)?;
        transaction.commit().map_err(doing(what))?;
        Ok(value)
    }
}

fn run_no(transaction: &Transaction<'_>, run: &str) -> Result<i32, StoreError> {
    transaction
        .query_row("SELECT run_no FROM runs WHERE id = ?", [run], |row| row.get(0))
        .map_err(doing("finding a run"))
}

fn insert_case(
    transaction: &Transaction<'_>,
    run_no: i32,
    case: &CaseRecord,
    at: &str,
) -> Result<(), StoreError> {
    let failed = doing("storing a case");
    let plugin = &case.plugin;
    transaction
        .execute(
            "INSERT INTO plugins SELECT ?, ?, ?, ?, ?, CAST(? AS TIMESTAMP)
             WHERE NOT EXISTS (SELECT 1 FROM plugins WHERE sha256 = ?)",
            params![
                plugin.sha256,
                plugin.id,
                plugin.version,
                plugin.kind.to_string(),
                plugin.path,
                at,
                plugin.sha256
            ],
        )
        .map_err(&failed)?;
    transaction
        .execute(
            "INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
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
                text(&case.params, &["model"]).unwrap_or_else(|| case.benchmark.clone()),
                integer(&case.params, "batch_size").unwrap_or(1),
                text(&case.params, &["precision", "dtype"]).unwrap_or_else(|| "fp32".to_owned()),
                to_string(&case.params).map_err(record("params"))?,
                case.status.word(),
                to_string(&case.status).map_err(record("status"))?,
            ],
        )
        .map(drop)
        .map_err(failed)
}

fn text(params: &Params, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| params.get(*name)).map(ToString::to_string)
}

fn integer(params: &Params, name: &str) -> Option<i64> {
    match params.get(name)? {
        ParamValue::Integer(value) => Some(*value),
        _ => None,
    }
}

/// The bulk path: rows go to DuckDB in columns, without SQL.
fn append_samples(
    transaction: &Transaction<'_>,
    run_no: i32,
    case: u32,
    launch: u32,
    samples: &[Sample],
) -> Result<(), StoreError> {
    let failed = doing("storing samples");
    let mut appender = transaction.appender("samples").map_err(&failed)?;
    for (number, sample) in (0_i32..).zip(samples) {
        appender
            .append_row(params![
                run_no,
                case as i32,
                launch as i32,
                number,
                sample.iterations,
                sample.wall_ns,
                sample.cpu_ns,
                sample.device_ns,
                sample.work.items,
                sample.work.bytes,
                sample.work.flop,
                sample.checksum,
                sample.preemptions,
            ])
            .map_err(&failed)?;
    }
    appender.flush().map_err(failed)
}
