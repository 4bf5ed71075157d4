//! Use cases: the queue of a server.

use dyno_core::model::{
    CaseRecord, CaseRequest, CaseStatus, EngineChoice, Event, Origin, PluginKind, Priority, Request,
    RunRecord, RunSpec, RunStatus, SkipCause, Source, Submission,
};
use indexmap::IndexMap;

use super::{error::AppError, runs::Prepared, serving::Serving};
use crate::{
    runner::{Cancel, Obstacle},
    store::{Outline, Queued, RunEnd, Store, Submitted},
    timestamp::now,
};

/// The queue of a server.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a>(&'a Serving);

impl Serving {
    /// The use cases of the queue.
    #[must_use]
    pub fn queue(&self) -> Queue<'_> {
        Queue(self)
    }
}

impl Queue<'_> {
    /// Puts a run in the queue, after checking that it can be met.
    ///
    /// # Errors
    /// When a benchmark, parameter or device is not known, a plugin is switched off, or the database refuses.
    pub fn submit(&self, submission: Submission) -> Result<RunRecord, AppError> {
        let Submission { mut spec, source, origin, priority, baseline, incremental } = submission;
        if let Some(name) = &baseline {
            // Said at once, not when everything has been measured.
            self.0.app().results().baseline(name)?;
        }
        // A request can only lower the limits of the operator.
        let (asked, ours) = (&mut spec.settings, self.0.app().settings());
        asked.memory_limit_bytes = asked.memory_limit_bytes.min(ours.memory_bytes.value);
        asked.timeout_ms = asked.timeout_ms.min(ours.timeout_ms());
        let mut record = self.prepare(spec, source)?.record;
        record.status = RunStatus::Queued;
        let submitted = Submitted {
            priority,
            owner: origin.owner,
            submitted_at: record.created_at.clone(),
            begun_at: None,
            request: origin.request.document().to_string(),
            baseline,
            incremental,
        };
        self.0.database.numbering().submit(&record, &submitted)?;
        Ok(record)
    }

    /// Record and cases of a request, if it can be met now.
    fn prepare(&self, spec: RunSpec, source: Option<Source>) -> Result<Prepared, AppError> {
        let prepared = self.0.app().runs().prepare(spec, source)?;
        let off = self.0.store()?.disabled_plugins()?;
        match prepared.record.cases.iter().find(|case| off.contains(&case.plugin.id)) {
            Some(case) => Err(AppError::PluginOff(case.plugin.id.clone())),
            None => Ok(prepared),
        }
    }

    /// Carries out a queued run. If plugins have changed so that it can no longer be met, its cases are skipped with that reason.
    ///
    /// # Errors
    /// When there is no such run, or the host fails.
    pub fn carry_out(
        &self,
        id: &str,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<RunRecord, AppError> {
        let mut store = self.0.store()?;
        let queued = store.run_without_cases(id)?;
        if queued.status != RunStatus::Queued {
            // Given up a moment ago.
            return Ok(store.run(id, false)?);
        }
        match self.prepare(queued.spec.clone(), queued.source.clone()) {
            Ok(mut prepared) => {
                if store.submission(id)?.is_some_and(|it| it.incremental) {
                    skip_known(&mut prepared, &store)?;
                }
                prepared.record.id = queued.id;
                prepared.record.created_at = queued.created_at;
                prepared.record.status = RunStatus::Queued;
                self.0.app().runs().carry_out(&mut prepared, &mut store, cancel, announce)?;
                Ok(prepared.record)
            }
            // The host's faults say nothing about the cases: the run is resumed when they are mended.
            Err(error) if !error.is_of_the_request() => Err(error),
            Err(error) => {
                let record = store.run(id, false)?;
                cannot_be_met(&mut store, record, &error, announce)
            }
        }
    }

    /// Cancels a queued run; `false` if it is no longer queued.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn give_up(&self, id: &str) -> Result<bool, AppError> {
        Ok(self.0.store()?.give_up_queued(id, &now())?)
    }

    /// Marks a run `interrupted` because the host failed. An ended run stays as it is.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn interrupt(&self, id: &str) -> Result<RunRecord, AppError> {
        let mut store = self.0.store()?;
        let mut record = store.run(id, false)?;
        let now = now();
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

    /// Waiting runs, in the order of submission.
    ///
    /// # Errors
    /// When the database fails.
    pub fn waiting(&self) -> Result<Vec<Queued>, AppError> {
        Ok(self.0.store()?.queued()?)
    }

    /// The outlines of the waiting runs, in the order of submission.
    ///
    /// # Errors
    /// When the database fails.
    pub fn outlines(&self) -> Result<Vec<Outline>, AppError> {
        Ok(self.0.store()?.outlines()?)
    }

    /// The status of a run.
    ///
    /// # Errors
    /// When there is no such run, or the database fails.
    pub fn status(&self, id: &str) -> Result<RunStatus, AppError> {
        Ok(self.0.store()?.run_without_cases(id)?.status)
    }

    /// Mean duration of recent runs per case [s]; `None` before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn seconds_per_case(&self) -> Result<Option<f64>, AppError> {
        Ok(self.0.store()?.seconds_per_case()?)
    }

    /// The submission of a run; `None` if the command line started it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn submission(&self, run: &str) -> Result<Option<Submitted>, AppError> {
        Ok(self.0.store()?.submission(run)?)
    }

    /// Stores the duration and progress of an ended run.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_end(&self, run: &str, end: RunEnd) -> Result<(), AppError> {
        Ok(self.0.store()?.record_end(run, end)?)
    }

    /// A submission that repeats a stored run.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn repetition(&self, selector: &str, owner: String) -> Result<Submission, AppError> {
        let record = self.0.store()?.run(selector, false)?;
        Ok(again(record.spec, record.source, Origin { owner, request: Request::Repeats(record.id) }))
    }

    /// A submission of a stored run's unfinished cases, with the same plugin bytes.
    ///
    /// # Errors
    /// When there is no such run, it has not ended, or all its cases are finished.
    pub fn resumption(&self, selector: &str, owner: String) -> Result<Submission, AppError> {
        let record = self.0.store()?.run(selector, false)?;
        let refused = |record: &RunRecord, hint: &str| AppError::State {
            run: record.id.clone(),
            status: record.status.word(),
            hint: hint.to_owned(),
        };
        if !record.status.has_ended() {
            return Err(refused(&record, "wait for its end, or cancel it first"));
        }
        let missing: Vec<CaseRequest> =
            record.cases.iter().filter(|case| !case.status.is_finished()).map(exactly).collect();
        if missing.is_empty() {
            return Err(refused(&record, "all its cases have ended: run it again as a whole"));
        }
        let mut spec = record.spec;
        spec.requests = missing;
        spec.tags.push(format!("resumes:{}", record.id));
        Ok(again(spec, record.source, Origin { owner, request: Request::Resumes(record.id) }))
    }
}

fn again(spec: RunSpec, source: Option<Source>, origin: Origin) -> Submission {
    Submission { spec, source, origin, priority: Priority::default(), baseline: None, incremental: false }
}

/// Marks the cases that have a result already as skipped.
fn skip_known(prepared: &mut Prepared, store: &Store) -> Result<(), AppError> {
    for case in prepared.planned.iter_mut().filter(|case| case.obstacle.is_none()) {
        let known = store.result_of(&case.record(0))?;
        case.obstacle = known.map(|run| Obstacle {
            cause: SkipCause::KnownResult,
            reason: format!("incremental: run {run} has this result already"),
        });
    }
    Ok(())
}

/// Ends a run whose request can no longer be met. Each case is skipped with the reason.
fn cannot_be_met(
    store: &mut Store,
    mut record: RunRecord,
    why: &AppError,
    announce: &mut dyn FnMut(&Event),
) -> Result<RunRecord, AppError> {
    for case in &mut record.cases {
        case.status = CaseStatus::skipped(SkipCause::Request, why.to_string());
    }
    store.begin_queued(&record, &now())?;
    announce(&Event::run_started(&record));
    store.end_unbegun(&record.id, &record.cases)?;
    let now = now();
    record.status = RunStatus::Completed;
    store.finish_run(&record.id, record.status, &now)?;
    record.finished_at = Some(now);
    announce(&Event::RunFinished { run: record.id.clone(), status: record.status });
    Ok(record)
}

/// A request for exactly this case, with the same plugin bytes.
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
