//! Baselines: names for runs that others are compared with.

use axum::{Json, extract::State as Of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    extract::{At, Body},
    problem::Problem,
    state::{Shared, blocking, changing},
};

/// A named baseline.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Baseline {
    /// Its name.
    name: String,
    /// The run that it names.
    run_id: String,
    /// Since when (RFC 3339, UTC).
    created_at: String,
}

/// `GET /api/baselines`
pub(super) async fn baselines(Of(state): Of<Shared>) -> Result<Json<Vec<Baseline>>, Problem> {
    let all = blocking(&state, |state| state.serving().records().baselines()).await?;
    let all = all.into_iter().map(|(name, run_id, created_at)| Baseline { name, run_id, created_at });
    Ok(Json(all.collect()))
}

/// A baseline, by its name.
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

/// The run that a baseline is to name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBaseline {
    /// Identifier of the run, the beginning of it, or `last`.
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
