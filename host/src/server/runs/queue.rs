//! What waits and what runs.

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

/// What waits and what runs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QueueView {
    /// Runs that go on.
    running: Vec<String>,
    /// Runs that wait, in the order in which they were asked for.
    waiting: Vec<Waiting>,
}

/// A run that waits.
#[derive(Debug, Serialize, JsonSchema)]
struct Waiting {
    #[serde(flatten)]
    queued: Queued,
    /// How long it may take until it is begun [s], by how long runs took lately; absent before the first.
    estimated_start_s: Option<f64>,
}

/// `GET /api/queue`
pub(crate) async fn queue(Of(state): Of<Shared>) -> Result<Json<QueueView>, Problem> {
    let line = blocking(&state, |state| state.service.line()).await?;
    let waiting = line.waiting.into_iter();
    let waiting = waiting.map(|(queued, estimated_start_s)| Waiting { queued, estimated_start_s }).collect();
    Ok(Json(QueueView { running: line.running, waiting }))
}
