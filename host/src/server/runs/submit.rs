//! Submitting, cancelling, repeating and resuming runs.

use aide::transform::TransformOperation;
use axum::{Extension, Json, extract::State as Of, http::StatusCode};
use dyno_core::model::{IsolationLayer, RunRecord, RunStatus, Submission};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{RunRequest, Selector};
use crate::{
    access::Identity,
    app::{AppError, Queue},
    server::{
        extract::{At, Body, MOST_RUN_BYTES},
        problem::Problem,
        state::{Shared, blocking, changing},
    },
    service::GivenUp,
};

/// An accepted run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Taken {
    /// Identifier of the run.
    id: String,
    /// Status of the run: `queued`.
    status: RunStatus,
    /// Number of cases.
    cases: u32,
    /// Path of the run.
    url: String,
    /// Path of its event stream.
    events: String,
}

impl Taken {
    fn of(record: &RunRecord) -> Self {
        Self {
            id: record.id.clone(),
            status: record.status,
            cases: record.cases.len() as u32,
            url: format!("/api/runs/{}", record.id),
            events: format!("/api/runs/{}/events", record.id),
        }
    }
}

/// Puts a run in the queue for a caller, on the terms of its token.
pub(crate) async fn submit(
    state: &Shared,
    submission: Submission,
    demanded: Vec<IsolationLayer>,
) -> Result<RunRecord, Problem> {
    changing(state, move |state| state.service.submit(submission, &demanded)).await
}

/// `POST /api/runs`
pub(crate) async fn post(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    Body(request): Body<RunRequest, MOST_RUN_BYTES>,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    let body = json!(request);
    let record =
        submit(&state, request.into_submission(identity.name, body)?, identity.require_isolation).await?;
    Ok((StatusCode::CREATED, Json(Taken::of(&record))))
}

pub(crate) fn post_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Submit a run").tag("runs").response::<201, Json<Taken>>()
}

/// `POST /api/runs/{run}/cancel`
pub(crate) async fn cancel(Of(state): Of<Shared>, At(at): At<Selector>) -> Result<Json<Value>, Problem> {
    match blocking(&state, move |state| state.service.give_up(&at.run)).await? {
        GivenUp::Cancelled { run } => Ok(Json(json!({"id": run, "status": "cancelled"}))),
        GivenUp::Cancelling { run } => Ok(Json(json!({"id": run, "status": "cancelling"}))),
        GivenUp::Ended { run, status } => Err(Problem::new(
            StatusCode::CONFLICT,
            format!("run {run} has ended already: it is {}", status.word()),
        )),
    }
}

/// Submits a run that `submission` derives from a stored one.
async fn again(
    state: Shared,
    identity: Identity,
    submission: impl FnOnce(Queue<'_>, String) -> Result<Submission, AppError> + Send + 'static,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    let record = changing(&state, move |state| {
        let submission = submission(state.serving().queue(), identity.name)?;
        state.service.submit(submission, &identity.require_isolation)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(Taken::of(&record))))
}

/// `POST /api/runs/{run}/rerun`
pub(crate) async fn rerun(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    At(at): At<Selector>,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    again(state, identity, move |queue, owner| queue.repetition(&at.run, owner)).await
}

/// `POST /api/runs/{run}/resume`
pub(crate) async fn resume(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    At(at): At<Selector>,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    again(state, identity, move |queue, owner| queue.resumption(&at.run, owner)).await
}

pub(crate) fn again_docs(summary: &'static str) -> impl Fn(TransformOperation<'_>) -> TransformOperation<'_> {
    move |op| op.summary(summary).tag("runs").response::<201, Json<Taken>>()
}
