//! The queue.

use axum::{Json, extract::State as Of};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::Queued,
    server::{
        problem::Problem,
        state::{Shared, blocking},
    },
};

/// Running and waiting runs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QueueView {
    /// Identifiers of the running runs.
    running: Vec<String>,
    /// Waiting runs, in the order of submission.
    waiting: Vec<Waiting>,
}

/// A waiting run.
#[derive(Debug, Serialize, JsonSchema)]
struct Waiting {
    #[serde(flatten)]
    queued: Queued,
    /// Estimated time until the run starts [s], from the duration of recent runs; absent if none has completed yet.
    estimated_start_s: Option<f64>,
}

/// `GET /api/queue`
pub(crate) async fn queue(Of(state): Of<Shared>) -> Result<Json<QueueView>, Problem> {
    let line = blocking(&state, |state| state.service.line()).await?;
    let waiting = line.waiting.into_iter();
    let waiting = waiting.map(|(queued, estimated_start_s)| Waiting { queued, estimated_start_s }).collect();
    Ok(Json(QueueView { running: line.running, waiting }))
}
