//! The queue of a server: runs that were submitted, begun, given up.

use duckdb::{OptionalExt, params};
use dyno_core::{
    model::{CaseRecord, CaseStatus, Priority, RunRecord, RunStatus},
    text::hex,
};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    Store,
    error::{StoreError, doing, record},
    read::{TIME, json},
    revision::Touched,
    statement::execute,
    write::{insert_cases, insert_run, to_json},
};

/// A submission, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Its priority.
    pub priority: Priority,
    /// Name of the token, or `local`.
    pub owner: String,
    /// When (RFC 3339, UTC).
    pub submitted_at: String,
    /// When it was begun; absent while it is queued.
    pub begun_at: Option<String>,
    /// The request in its original words, JSON. Only ever shown.
    pub request: String,
    /// Baseline to compare the completed run with.
    pub baseline: Option<String>,
    /// Whether cases with a known result are skipped.
    pub incremental: bool,
}

/// A run that waits in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Queued {
    /// Identifier of the run.
    pub run: String,
    /// Runs of a higher priority begin first.
    pub priority: Priority,
    /// Name of the token that submitted the run, or `local`.
    pub owner: String,
    /// Time of submission (RFC 3339, UTC).
    pub submitted_at: String,
    /// Number of cases.
    pub cases: u32,
    /// Names of the devices that its cases need, like `cuda:0`.
    pub devices: Vec<String>,
}

/// What is kept in memory of a queued run, so that its progress can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Identifier of the run.
    pub run: String,
    /// Time at which the run was accepted (RFC 3339, UTC).
    pub created_at: String,
    /// The model of each case: see [`CaseRecord::model`].
    pub models: Vec<String>,
}

impl From<&RunRecord> for Outline {
    fn from(record: &RunRecord) -> Self {
        Self {
            run: record.id.clone(),
            created_at: record.created_at.clone(),
            models: record.cases.iter().map(CaseRecord::model).collect(),
        }
    }
}

impl Store {
    /// Puts a run in the queue: stores it and its cases as `queued`, with the submission.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn submit(&mut self, run: &RunRecord, submission: &Submitted) -> Result<(), StoreError> {
        let cases_sha256 = sha256(&run.cases)?;
        self.transaction("queueing a run", Touched::NewRun, |transaction| {
            let run_no = insert_run(transaction, run)?;
            insert_cases(transaction, run_no, &run.cases)?;
            execute(
                transaction,
                "queueing a run",
                "INSERT INTO submissions VALUES (?, ?, ?, CAST(? AS TIMESTAMP), NULL, ?, ?, ?, ?)",
                params![
                    run.id,
                    submission.priority.word(),
                    submission.owner,
                    submission.submitted_at,
                    submission.request,
                    submission.baseline,
                    submission.incremental,
                    cases_sha256,
                ],
            )
        })
    }

    /// Begins a queued run. Its cases are replaced by those of `run`, unless they are the same: plugins may have changed while
    /// it waited.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn begin_queued(&mut self, run: &RunRecord, now: &str) -> Result<(), StoreError> {
        let run_no = self.run_no(&run.id)?;
        let are_stored = self.cases_sha256(&run.id)? == Some(sha256(&run.cases)?);
        self.transaction("beginning a run", Touched::Run(run_no), |transaction| {
            execute(
                transaction,
                "beginning a run",
                "UPDATE runs SET status = ?, machine_json = ? WHERE run_no = ?",
                params![RunStatus::Running.word(), to_json(&run.machine, "machine")?, run_no],
            )?;
            if !are_stored {
                execute(
                    transaction,
                    "beginning a run",
                    "DELETE FROM cases WHERE run_no = ?",
                    params![run_no],
                )?;
                insert_cases(transaction, run_no, &run.cases)?;
            }
            execute(
                transaction,
                "beginning a run",
                "UPDATE submissions SET begun_at = CAST(? AS TIMESTAMP) WHERE run_id = ?",
                params![now, run.id],
            )
        })
    }

    /// The hash of the cases with which a run was submitted; `None` if it was not, or before version 7 of the database.
    fn cases_sha256(&self, run: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT cases_sha256 FROM submissions WHERE run_id = ?";
        let found = self.row(sql, [run], |row| row.get(0)).optional();
        Ok(found.map_err(doing("reading a submission"))?.flatten())
    }

    /// Cancels a queued run; `false` if it is not queued any more.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn give_up_queued(&mut self, run: &str, now: &str) -> Result<bool, StoreError> {
        const DOING: &str = "giving up a run";
        let run_no = self.run_no(run)?;
        let cancelled = CaseStatus::Cancelled;
        self.transaction(DOING, Touched::Run(run_no), |transaction| {
            let given_up = transaction
                .execute(
                    "UPDATE runs SET status = ?, finished_at = CAST(? AS TIMESTAMP)
                     WHERE run_no = ? AND status = 'queued'",
                    params![RunStatus::Cancelled.word(), now, run_no],
                )
                .map_err(doing(DOING))?;
            if given_up == 0 {
                return Ok(false);
            }
            execute(
                transaction,
                DOING,
                "UPDATE cases SET status = ?, status_json = ? WHERE run_no = ?",
                params![cancelled.word(), to_json(&cancelled, "status")?, run_no],
            )?;
            execute(
                transaction,
                DOING,
                "UPDATE submissions SET begun_at = CAST(? AS TIMESTAMP) WHERE run_id = ?",
                params![now, run],
            )?;
            Ok(true)
        })
    }

    /// The queued runs, in the order of submission.
    ///
    /// # Errors
    /// When the database fails.
    pub fn queued(&self) -> Result<Vec<Queued>, StoreError> {
        let sql = format!(
            "SELECT s.run_id, s.priority, s.owner, strftime(s.submitted_at, {TIME}),
                    (SELECT count(*) FROM cases c WHERE c.run_no = r.run_no),
                    (SELECT coalesce(string_agg(DISTINCT c.device, ' '), '') FROM cases c WHERE c.run_no = r.run_no)
             FROM submissions s JOIN runs r ON r.id = s.run_id
             WHERE r.status = 'queued' AND s.begun_at IS NULL
             ORDER BY r.run_no"
        );
        self.rows(&sql, [], |row| {
            Ok(Queued {
                run: row.get(0)?,
                priority: Priority::from_word(&row.get::<_, String>(1)?),
                owner: row.get(2)?,
                submitted_at: row.get(3)?,
                cases: row.get(4)?,
                devices: row.get::<_, String>(5)?.split_whitespace().map(str::to_owned).collect(),
            })
        })
        .map_err(doing("reading the queue"))
    }

    /// The outlines of the queued runs, in the order of submission. One query, since there may be a thousand runs.
    ///
    /// # Errors
    /// When the database fails.
    pub fn outlines(&self) -> Result<Vec<Outline>, StoreError> {
        let sql = format!(
            "SELECT r.id, strftime(any_value(r.created_at), {TIME}),
                    CAST(to_json(coalesce(list(c.model_name ORDER BY c.case_no) FILTER (c.case_no IS NOT NULL), [])) AS VARCHAR)
             FROM submissions s JOIN runs r ON r.id = s.run_id LEFT JOIN cases c ON c.run_no = r.run_no
             WHERE r.status = 'queued' AND s.begun_at IS NULL
             GROUP BY r.run_no, r.id ORDER BY r.run_no"
        );
        let rows: Vec<(String, String, String)> = self
            .rows(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .map_err(doing("reading the queue"))?;
        let outline = |(run, created_at, models): (_, _, String)| {
            Ok(Outline { run, created_at, models: json(&models, "models")? })
        };
        rows.into_iter().map(outline).collect()
    }

    /// The latest run with a result of this case: the same plugin file, parameters and device.
    ///
    /// # Errors
    /// When the database fails.
    pub fn result_of(&self, case: &CaseRecord) -> Result<Option<String>, StoreError> {
        self.row(
            "SELECT r.id FROM cases c JOIN runs r ON r.run_no = c.run_no
                 WHERE c.status = 'completed' AND c.plugin_sha256 = ? AND c.benchmark = ? AND c.device = ?
                   AND c.params_json = ?
                 ORDER BY c.run_no DESC LIMIT 1",
            params![case.plugin.sha256, case.benchmark, case.device, to_json(&case.params, "params")?],
            |row| row.get(0),
        )
        .optional()
        .map_err(doing("looking for a result"))
    }

    /// The submission of a run; `None` if the run was not submitted to a server.
    ///
    /// # Errors
    /// When the database fails.
    pub fn submission(&self, run: &str) -> Result<Option<Submitted>, StoreError> {
        let sql = format!(
            "SELECT priority, owner, strftime(submitted_at, {TIME}), strftime(begun_at, {TIME}), request_json,
                    baseline, coalesce(incremental, FALSE)
             FROM submissions WHERE run_id = ?"
        );
        self.row(&sql, [run], |row| {
            Ok(Submitted {
                priority: Priority::from_word(&row.get::<_, String>(0)?),
                owner: row.get(1)?,
                submitted_at: row.get(2)?,
                begun_at: row.get(3)?,
                request: row.get(4)?,
                baseline: row.get(5)?,
                incremental: row.get(6)?,
            })
        })
        .optional()
        .map_err(doing("reading a submission"))
    }

    /// Average time per case of the latest 20 completed runs [s]; `None` if no run has completed.
    ///
    /// # Errors
    /// When the database fails.
    pub fn seconds_per_case(&self) -> Result<Option<f64>, StoreError> {
        self
            .row(
                "SELECT sum(e.elapsed_s) / nullif(sum((SELECT count(*) FROM cases c WHERE c.run_no = r.run_no)), 0)
                 FROM (SELECT * FROM runs WHERE status = 'completed' ORDER BY run_no DESC LIMIT 20) r
                 JOIN (SELECT run_id, max(elapsed_s) AS elapsed_s FROM run_ends GROUP BY run_id) e ON e.run_id = r.id",
                [],
                |row| row.get(0),
            )
            .map_err(doing("reading how long runs take"))
    }
}

/// A hash of all that is stored of cases, by which those of a run of 100,000 are compared without reading them.
fn sha256(cases: &[CaseRecord]) -> Result<String, StoreError> {
    let mut hash = Sha256::new();
    let mut json = Vec::new();
    for case in cases {
        json.clear();
        serde_json::to_writer(&mut json, case).map_err(record("case"))?;
        hash.update(&json);
    }
    Ok(hex(&hash.finalize()))
}
