//! The status and the results of a run.

use axum::{Json, extract::State as Of, http::StatusCode};
use dyno_core::model::{CaseRecord, CaseStatus, RunRecord};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    app::AppError,
    server::{
        extract::At,
        problem::Problem,
        state::{Shared, State, blocking},
    },
    service::{Status, word},
};

/// Path of a run.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RunId {
    /// Identifier of the run.
    pub(super) run_id: String,
}

fn unknown(run: &str) -> Problem {
    Problem::not_found(format!("Benchmark run {run} not found"))
}

fn not_completed(run: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("Benchmark run {run} is not completed"))
}

/// The status of a run, live or stored.
pub(super) async fn standing(state: &Shared, run: &str) -> Result<Status, Problem> {
    if let Some(status) = state.service.table().status(run) {
        return Ok(status);
    }
    let run = run.to_owned();
    blocking(state, move |state| stored(state, &run)).await
}

fn stored(state: &State, run: &str) -> Result<Status, Problem> {
    Ok(state.service.status_of(&exactly(state, run)?)?)
}

/// The run with exactly this identifier: the original suite knows no prefixes.
fn exactly(state: &State, run: &str) -> Result<RunRecord, Problem> {
    match state.app().results().run(run, false) {
        Ok(record) if record.id == run => Ok(record),
        Ok(_) => Err(unknown(run)),
        Err(AppError::Store(error)) if error.is_usage() => Err(unknown(run)),
        Err(error) => Err(error.into()),
    }
}

/// `GET /api/benchmark/status/{run_id}`
pub(crate) async fn status(Of(state): Of<Shared>, At(at): At<RunId>) -> Result<Json<Status>, Problem> {
    Ok(Json(standing(&state, &at.run_id).await?))
}

/// The results of a run, in the fields of the original suite.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Results {
    run_id: String,
    status: &'static str,
    /// The body of the request as it was posted.
    config: Value,
    /// One result per case.
    results: Vec<CaseResult>,
    start_time: String,
    completion_time: Option<String>,
}

/// The result of a case.
#[derive(Debug, Serialize, JsonSchema)]
struct CaseResult {
    model: String,
    benchmark: String,
    hardware: String,
    /// Values of all parameters.
    params: Value,
    /// Status of the case: `completed`, `failed`, `skipped`, `timed_out` or `cancelled`.
    status: &'static str,
    success: bool,
    /// Why the case did not complete; absent if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    average_latency_ms: Option<f64>,
    throughput_items_per_second: Option<f64>,
    memory_peak_mb: Option<f64>,
    /// Medians of all metrics, by name.
    metrics: IndexMap<String, f64>,
}

/// `GET /api/benchmark/results/{run_id}`
pub(crate) async fn results(Of(state): Of<Shared>, At(at): At<RunId>) -> Result<Json<Results>, Problem> {
    let run = at.run_id.clone();
    if state.service.table().knows(&run) {
        return Err(not_completed(&run));
    }
    let results = blocking(&state, move |state| {
        let record = exactly(state, &run)?;
        if !record.status.has_ended() {
            return Err(not_completed(&run));
        }
        let submission = state.serving().queue().submission(&run)?;
        let begun = submission.as_ref().and_then(|it| it.begun_at.clone());
        let config = submission.and_then(|it| serde_json::from_str(&it.request).ok());
        Ok(Results {
            status: word(record.status, record.cases.iter().any(|case| case.status.has_result())),
            config: config.unwrap_or_else(|| json!(record.spec)),
            results: record.cases.iter().map(case_result).collect(),
            start_time: begun.unwrap_or_else(|| record.created_at.clone()),
            completion_time: record.finished_at,
            run_id: record.id,
        })
    })
    .await?;
    Ok(Json(results))
}

fn case_result(case: &CaseRecord) -> CaseResult {
    let median = |name: &str| case.metric(name).map(|metric| metric.median);
    CaseResult {
        model: case.model(),
        benchmark: case.benchmark.clone(),
        hardware: case.device.clone(),
        params: json!(case.params),
        status: case.status.word(),
        success: case.status == CaseStatus::Completed,
        error: match &case.status {
            CaseStatus::Failed { stage, reason } => Some(format!("failed in {stage}: {reason}")),
            CaseStatus::TimedOut { stage, limit_s, .. } => {
                Some(format!("timed out in {stage} after {limit_s} s"))
            }
            CaseStatus::Skipped { reason, .. } => Some(reason.clone()),
            _ => None,
        },
        average_latency_ms: case.metric("time").map(|metric| metric.mean / 1e6),
        throughput_items_per_second: median("items_per_second"),
        memory_peak_mb: median("peak_memory").map(|bytes| bytes / 1e6),
        metrics: case.metrics.iter().map(|metric| (metric.name.clone(), metric.median)).collect(),
    }
}
