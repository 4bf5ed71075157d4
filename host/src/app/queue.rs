//! The use cases of a server's queue: runs are asked for, begun, given up, asked for again; and what an operator does to
//! what is stored.

use dyno_core::{
    model::{
        CaseRecord, CaseRequest, CaseStatus, Comparison, EngineChoice, Event, PluginKind, RunRecord, RunSpec,
        RunStatus, Sample, SkipCause, Source,
    },
    stats::CompareOptions,
};
use indexmap::IndexMap;

use super::{
    Annotation, App, AppError, Audited, Cancel, ModelRow, Obstacle, PerformanceFilter, PerformanceRow,
    Priority, Queued, RunEnd, SqlAnswer, SqlBrake, SqlLimits, Submission,
};
use crate::store::Store;

/// A run that somebody asks for.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// What to run, and how.
    pub spec: RunSpec,
    /// Which commit it measures, where whoever asks says.
    pub source: Option<Source>,
    /// How urgent it is.
    pub priority: Priority,
    /// Name of the token, or `local`.
    pub owner: String,
    /// The body of the request, JSON.
    pub request: String,
}

impl App {
    /// Puts a run in the queue, after checking that it can be met.
    ///
    /// # Errors
    /// When a benchmark, parameter or device is not known, a plugin is switched off, or the database refuses.
    pub fn submit(&self, mut new: NewRun) -> Result<RunRecord, AppError> {
        // Whoever asks may only be stricter than the operator.
        let settings = &mut new.spec.settings;
        settings.memory_limit_bytes = settings.memory_limit_bytes.min(self.settings.memory_bytes.value);
        settings.timeout_ms = settings.timeout_ms.min((self.settings.timeout_ns.value / 1_000_000).max(1));
        let mut record = self.prepare(new.spec, new.source)?.record;
        self.check_enabled(&record)?;
        record.status = RunStatus::Queued;
        let submission = Submission {
            priority: new.priority,
            owner: new.owner,
            submitted_at: record.created_at.clone(),
            begun_at: None,
            request: new.request,
        };
        match &self.database {
            Some(database) => database.numbering().submit(&record, &submission)?,
            None => self.writing()?.submit(&record, &submission)?,
        }
        Ok(record)
    }

    fn check_enabled(&self, record: &RunRecord) -> Result<(), AppError> {
        let off = self.read_store()?.disabled_plugins()?;
        match record.cases.iter().find(|case| off.contains(&case.plugin.id)) {
            Some(case) => Err(AppError::PluginOff(case.plugin.id.clone())),
            None => Ok(()),
        }
    }

    /// Runs what was queued. Where it can no longer be met, since plugins have changed, its cases say so.
    ///
    /// # Errors
    /// When there is no such run, or the host itself fails.
    pub fn run_queued(
        &self,
        id: &str,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<RunRecord, AppError> {
        let mut store = self.writing()?;
        let queued = store.run(id, false)?;
        if queued.status != RunStatus::Queued {
            // Given up a moment ago.
            return Ok(queued);
        }
        let again = self.prepare(queued.spec.clone(), queued.source.clone()).and_then(|prepared| {
            self.check_enabled(&prepared.record)?;
            Ok(prepared)
        });
        match again {
            Ok(mut prepared) => {
                if self.is_incremental(&store, id)? {
                    for case in prepared.planned.iter_mut().filter(|case| case.obstacle.is_none()) {
                        let known = store.result_of(&case.record(0))?;
                        case.obstacle = known.map(|run| Obstacle {
                            cause: SkipCause::KnownResult,
                            reason: format!("incremental: run {run} has this result already"),
                        });
                    }
                }
                prepared.record.id = queued.id;
                prepared.record.created_at = queued.created_at;
                prepared.record.status = RunStatus::Queued;
                self.carry_out(&mut prepared, &mut store, cancel, announce)?;
                Ok(prepared.record)
            }
            // The host's faults say nothing about the cases: the run is resumed when they are mended.
            Err(error) if !error.is_of_the_request() => Err(error),
            Err(error) => {
                let mut record = queued;
                for case in &mut record.cases {
                    case.status = CaseStatus::skipped(SkipCause::Request, error.to_string());
                }
                store.begin_queued(&record, &crate::timestamp::now())?;
                announce(&Event::RunStarted { run: record.id.clone(), cases: record.cases.len() as u32 });
                end(&mut store, &mut record, RunStatus::Completed)?;
                announce(&Event::RunFinished { run: record.id.clone(), status: record.status });
                Ok(record)
            }
        }
    }

    /// Whether a run was asked for with `incremental`, which only the original interface has.
    fn is_incremental(&self, store: &Store, id: &str) -> Result<bool, AppError> {
        let request = store.submission(id)?.map(|it| it.request).unwrap_or_default();
        let request: serde_json::Value = serde_json::from_str(&request).unwrap_or_default();
        let is_original = ["benchmarks", "requests", "spec", "resumes", "repeats"]
            .iter()
            .all(|word| request.get(word).is_none());
        Ok(is_original && request.get("incremental").and_then(serde_json::Value::as_bool).unwrap_or(true))
    }

    /// Two stored runs beside one another, or a baseline and a run: nothing outside the database.
    ///
    /// # Errors
    /// When there is no such run or baseline.
    pub fn compare_runs(
        &self,
        baseline: &str,
        candidate: &str,
        options: &CompareOptions,
    ) -> Result<Comparison, AppError> {
        Ok(self.judge(&self.stored_side(baseline)?, &self.stored_side(candidate)?, options))
    }

    /// Gives up a run that is still queued; `false` where it is not.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn cancel_queued(&self, id: &str) -> Result<bool, AppError> {
        Ok(self.writing()?.give_up_queued(id, &crate::timestamp::now())?)
    }

    /// Marks a run that cannot go on, since the host itself failed; one that has ended stays as it is.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn interrupt(&self, id: &str) -> Result<RunRecord, AppError> {
        let mut store = self.writing()?;
        let mut record = store.run(id, false)?;
        let now = crate::timestamp::now();
        match record.status {
            RunStatus::Queued => store.begin_queued(&record, &now)?,
            RunStatus::Running => {}
            // It has ended meanwhile, in another way.
            _ => return Ok(record),
        }
        store.finish_run(id, RunStatus::Interrupted, &now)?;
        record.status = RunStatus::Interrupted;
        record.finished_at = Some(now);
        Ok(record)
    }

    /// What waits, in the order in which it was asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub fn queued(&self) -> Result<Vec<Queued>, AppError> {
        Ok(self.read_store()?.queued()?)
    }

    /// How long runs took for each case lately [s].
    ///
    /// # Errors
    /// When the database fails.
    pub fn seconds_per_case(&self) -> Result<Option<f64>, AppError> {
        Ok(self.read_store()?.seconds_per_case()?)
    }

    /// Who asked for a run; `None` where it was started by hand.
    ///
    /// # Errors
    /// When the database fails.
    pub fn submission(&self, run: &str) -> Result<Option<Submission>, AppError> {
        Ok(self.read_store()?.submission(run)?)
    }

    /// Stores how a run ended.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_end(&self, run: &str, end: RunEnd) -> Result<(), AppError> {
        Ok(self.writing()?.record_end(run, end)?)
    }

    /// How a run ended; `None` where its host died before it could say so.
    ///
    /// # Errors
    /// When the database fails.
    pub fn run_end(&self, run: &str) -> Result<Option<RunEnd>, AppError> {
        Ok(self.read_store()?.run_end(run)?)
    }

    /// The identifier of the run that a selector names.
    ///
    /// # Errors
    /// When there is no such run, or the database fails.
    pub fn run_id(&self, selector: &str) -> Result<String, AppError> {
        Ok(self.read_store()?.run_id(selector)?)
    }

    /// The samples of one case, launch by launch. Nothing else of the run is read.
    ///
    /// # Errors
    /// When there is no such run or case, or the database fails.
    pub fn case_samples(&self, selector: &str, case: u32) -> Result<Vec<(u32, Vec<Sample>)>, AppError> {
        Ok(self.read_store()?.case_samples(selector, case)?)
    }

    /// The request of a stored run once more, whole or only what is missing of it.
    ///
    /// # Errors
    /// When there is no such run, or nothing of it is missing.
    pub fn again(&self, id: &str, only_missing: bool) -> Result<(RunSpec, Option<Source>), AppError> {
        let record = self.read_store()?.run(id, false)?;
        if !only_missing {
            return Ok((record.spec, record.source));
        }
        if matches!(record.status, RunStatus::Queued | RunStatus::Running) {
            return Err(AppError::State {
                run: record.id,
                status: record.status.word(),
                hint: "wait for its end, or cancel it first".to_owned(),
            });
        }
        let missing: Vec<CaseRequest> = record
            .cases
            .iter()
            .filter(|case| {
                matches!(case.status, CaseStatus::Queued | CaseStatus::Running | CaseStatus::Cancelled)
            })
            .map(exactly)
            .collect();
        if missing.is_empty() {
            return Err(AppError::State {
                run: record.id,
                status: record.status.word(),
                hint: "all its cases have ended: run it again as a whole".to_owned(),
            });
        }
        let mut spec = record.spec;
        spec.requests = missing;
        spec.tags.push(format!("resumes:{}", record.id));
        Ok((spec, record.source))
    }

    /// Results in the columns of the original suite.
    ///
    /// # Errors
    /// When the database fails.
    pub fn performance(&self, filter: &PerformanceFilter) -> Result<Vec<PerformanceRow>, AppError> {
        Ok(self.read_store()?.performance(filter)?)
    }

    /// Which model ran to its end on which hardware.
    ///
    /// # Errors
    /// When the database fails.
    pub fn compatibility(&self) -> Result<Vec<(String, String, bool)>, AppError> {
        Ok(self.read_store()?.compatibility()?)
    }

    /// Models and benchmarks that there are results of.
    ///
    /// # Errors
    /// When the database fails.
    pub fn models(&self) -> Result<Vec<ModelRow>, AppError> {
        Ok(self.read_store()?.models()?)
    }

    /// Deletes a run that has ended.
    ///
    /// # Errors
    /// When there is no such run, it has not ended, or the database refuses.
    pub fn delete_run(&self, selector: &str) -> Result<String, AppError> {
        let mut store = self.writing()?;
        let record = store.run(selector, false)?;
        if matches!(record.status, RunStatus::Queued | RunStatus::Running) {
            return Err(AppError::State {
                run: record.id,
                status: record.status.word(),
                hint: "cancel it first".to_owned(),
            });
        }
        store.delete_run(&record.id)?;
        Ok(record.id)
    }

    /// Puts an annotated tag on a run.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn annotate(&self, run: &str, annotation: &Annotation) -> Result<(), AppError> {
        Ok(self.writing()?.annotate(run, annotation)?)
    }

    /// Takes a tag from a run.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn remove_tag(&self, run: &str, tag: &str) -> Result<(), AppError> {
        Ok(self.writing()?.remove_tag(run, tag)?)
    }

    /// The tags of a run.
    ///
    /// # Errors
    /// When there is no such run, or the database fails.
    pub fn annotations(&self, run: &str) -> Result<Vec<Annotation>, AppError> {
        Ok(self.read_store()?.annotations(run)?)
    }

    /// All baselines: name, run, when.
    ///
    /// # Errors
    /// When the database fails.
    pub fn baselines(&self) -> Result<Vec<(String, String, String)>, AppError> {
        Ok(self.read_store()?.baselines()?)
    }

    /// Writes down calls, in the order in which they came.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn audit(&self, calls: &[Audited]) -> Result<(), AppError> {
        Ok(self.writing()?.audit(calls)?)
    }

    /// The latest calls that were written down, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn audited(&self, limit: u32) -> Result<Vec<Audited>, AppError> {
        Ok(self.read_store()?.audited(limit)?)
    }

    /// Switches a plugin off, or on again.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn set_plugin_enabled(&self, plugin: &str, enabled: bool, who: &str) -> Result<(), AppError> {
        Ok(self.writing()?.set_plugin_enabled(plugin, enabled, who, &crate::timestamp::now())?)
    }

    /// Identifiers of the plugins that are switched off.
    ///
    /// # Errors
    /// When the database fails.
    pub fn disabled_plugins(&self) -> Result<Vec<String>, AppError> {
        Ok(self.read_store()?.disabled_plugins()?)
    }

    /// Answers one SELECT within limits, or until `brake` is pulled.
    ///
    /// # Errors
    /// When it is not a single SELECT, reaches for more than the caller may have, or goes beyond a limit.
    pub fn select(&self, sql: &str, limits: SqlLimits, brake: &SqlBrake) -> Result<SqlAnswer, AppError> {
        Ok(self.read_store()?.select(sql, limits, brake)?)
    }

    fn writing(&self) -> Result<Store, AppError> {
        self.open_store(&self.cancel, &mut |_| {})
    }
}

/// Ends a run of which nothing was measured.
fn end(store: &mut Store, record: &mut RunRecord, status: RunStatus) -> Result<(), AppError> {
    store.end_unbegun(&record.id, &record.cases)?;
    let now = crate::timestamp::now();
    store.finish_run(&record.id, status, &now)?;
    record.status = status;
    record.finished_at = Some(now);
    Ok(())
}

/// A request that means this case and no other, measured with the same bytes.
fn exactly(case: &CaseRecord) -> CaseRequest {
    let params: IndexMap<_, _> = case
        .params
        .iter()
        .map(|(name, value)| (name.clone(), vec![serde_json::to_value(value).unwrap_or_default()]))
        .collect();
    CaseRequest {
        benchmark: format!("{}@{}/{}", case.plugin.id, case.plugin.version, case.benchmark),
        params,
        hardware: vec![case.device.clone()],
        engine: match case.plugin.kind {
            PluginKind::Native => EngineChoice::Native,
            PluginKind::Wasm => EngineChoice::Wasm,
        },
        sha256: Some(case.plugin.sha256.clone()).filter(|hash| !hash.is_empty()),
    }
}
