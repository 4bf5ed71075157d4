//! Submitting a run.

use aide::transform::TransformOperation;
use axum::{Extension, Json, extract::State as Of};
use dyno_core::model::{Origin, Request, Submission};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    request::{Asked, request},
    translate::translated,
};
use crate::access::Identity;
use crate::server::{
    extract::{Body, MOST_RUN_BYTES},
    problem::Problem,
    runs::submit,
    state::{Shared, blocking},
};

/// An accepted run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Accepted {
    run_id: String,
    /// `initializing`.
    status: &'static str,
    message: String,
    /// When it was accepted (RFC 3339, UTC).
    started_at: String,
}

/// `POST /api/benchmark/run`
pub(crate) async fn run(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    Body(body): Body<Value, MOST_RUN_BYTES>,
) -> Result<Json<Accepted>, Problem> {
    let Identity { name: owner, require_isolation, .. } = identity;
    let submission = match request(body.clone())? {
        Asked::Ours(ours) => ours.into_submission(owner, body)?,
        Asked::Theirs(theirs) => {
            let incremental = theirs.incremental;
            let translated =
                blocking(&state, move |state| translated(&theirs, &state.app().plugins().catalog()));
            let (priority, spec) = translated.await?;
            let origin = Origin { owner, request: Request::Posted(body) };
            Submission { spec, source: None, origin, priority, baseline: None, incremental }
        }
    };
    let record = submit(&state, submission, require_isolation).await?;
    Ok(Json(Accepted {
        run_id: record.id,
        status: "initializing",
        message: "Benchmark run started".to_owned(),
        started_at: record.created_at,
    }))
}

pub(crate) fn run_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Start a run")
        .description(
            "The body has the fields of the original suite, or dyno's (`benchmarks`, `requests` or `spec`).",
        )
        .tag("original")
        .input::<Json<Asked>>()
}
