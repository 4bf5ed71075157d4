//! How much equal builds differ: pairs of them, and runs of them.

use axum::{Json, extract::State as Of};
use dyno_core::model::KnownDrift;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    extract::{Ask, Body},
    problem::Problem,
    state::{Shared, blocking, changing},
};
use crate::app::Noise;

/// Of which machine.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoiseQuery {
    /// Fingerprint of the machine; the server's own where none is given.
    machine: Option<String>,
}

/// `GET /api/noise`
pub(super) async fn noise(
    Of(state): Of<Shared>,
    Ask(ask): Ask<NoiseQuery>,
) -> Result<Json<Vec<Noise>>, Problem> {
    let known = blocking(&state, move |state| {
        let machine = ask.machine.unwrap_or_else(|| state.app().hardware().machine().fingerprint);
        state.app().verdicts().noise(&machine)
    })
    .await?;
    Ok(Json(known))
}

/// `GET /api/drift`
pub(super) async fn drift(
    Of(state): Of<Shared>,
    Ask(ask): Ask<NoiseQuery>,
) -> Result<Json<Vec<KnownDrift>>, Problem> {
    let known = blocking(&state, move |state| {
        let machine = ask.machine.unwrap_or_else(|| state.app().hardware().machine().fingerprint);
        state.app().verdicts().drift(&machine)
    })
    .await?;
    Ok(Json(known))
}

/// What an A/A comparison found.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNoise {
    /// Fingerprint of the machine.
    machine: String,
    /// Case by case.
    cases: Vec<Noise>,
}

/// `POST /api/noise`
pub(super) async fn record_noise(
    Of(state): Of<Shared>,
    Body(new): Body<NewNoise>,
) -> Result<Json<Value>, Problem> {
    if new.cases.iter().any(|case| !case.variance.is_finite() || case.variance < 0.0) {
        return Err(Problem::bad("a variance is a number from 0 on"));
    }
    let count = new.cases.len();
    changing(&state, move |state| state.app().verdicts().record_noise(&new.machine, &new.cases)).await?;
    Ok(Json(json!({"recorded": count})))
}
