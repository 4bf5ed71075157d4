//! The noise of a machine: how much pairs and runs of equal builds differ.

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

/// Selects a machine.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoiseQuery {
    /// Fingerprint of the machine; the server's own by default.
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

/// The noise that an A/A comparison measured.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNoise {
    /// Fingerprint of the machine.
    machine: String,
    /// Noise of each case.
    cases: Vec<Noise>,
}

/// `POST /api/noise`
pub(super) async fn record_noise(
    Of(state): Of<Shared>,
    Body(new): Body<NewNoise>,
) -> Result<Json<Value>, Problem> {
    if new.cases.iter().any(|case| !case.variance.is_finite() || case.variance < 0.0) {
        return Err(Problem::bad("`variance` must be a finite number of at least 0"));
    }
    let count = new.cases.len();
    changing(&state, move |state| state.app().verdicts().record_noise(&new.machine, &new.cases)).await?;
    Ok(Json(json!({"recorded": count})))
}
