//! Baselines: names of runs that later runs are compared with.

use axum::{Json, extract::State as Of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    extract::{At, Body},
    problem::Problem,
    state::{Shared, blocking, changing},
};

/// A name for a run.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Baseline {
    /// Name of the baseline.
    name: String,
    /// Identifier of the run.
    run_id: String,
    /// When the name was given to this run (RFC 3339, UTC).
    created_at: String,
}

/// `GET /api/baselines`
pub(super) async fn baselines(Of(state): Of<Shared>) -> Result<Json<Vec<Baseline>>, Problem> {
    let all = blocking(&state, |state| state.serving().records().baselines()).await?;
    let all = all.into_iter().map(|(name, run_id, created_at)| Baseline { name, run_id, created_at });
    Ok(Json(all.collect()))
}

/// Path of a baseline.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct BaselineName {
    name: String,
}

/// `GET /api/baselines/{name}`
pub(super) async fn baseline(
    Of(state): Of<Shared>,
    At(at): At<BaselineName>,
) -> Result<Json<Value>, Problem> {
    let name = at.name.clone();
    let run = blocking(&state, move |state| state.app().results().baseline(&at.name)).await?;
    Ok(Json(json!({"name": name, "run_id": run})))
}

/// The new run of a baseline.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBaseline {
    /// Identifier of the run, an unambiguous prefix of it, or `last`.
    run_id: String,
}

/// `PUT /api/baselines/{name}`
pub(super) async fn save_baseline(
    Of(state): Of<Shared>,
    At(at): At<BaselineName>,
    Body(new): Body<NewBaseline>,
) -> Result<Json<Value>, Problem> {
    let name = at.name.clone();
    let run = changing(&state, move |state| {
        let run = state.app().results().run(&new.run_id, false)?;
        state.app().results().save_baseline(&at.name, &run)?;
        Ok::<_, Problem>(run.id)
    })
    .await?;
    Ok(Json(json!({"name": name, "run_id": run})))
}
