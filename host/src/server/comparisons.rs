//! Comparisons: made of two stored runs, or kept as they were made elsewhere.

use axum::{Json, extract::State as Of};
use dyno_core::{model::Comparison, units};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    extract::{Ask, Body},
    problem::Problem,
    state::{Shared, blocking, changing},
};
use crate::app::CompareOptions;

/// Two runs to compare.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompareQuery {
    /// The run that is compared against, or `baseline:NAME`.
    baseline: String,
    /// The run that is judged.
    candidate: String,
    /// Smallest change that matters. // eg: 5% or 0.05
    threshold: Option<String>,
    /// Judge even where machine, governor or engine differ.
    #[serde(default)]
    allow_differences: bool,
}

/// `GET /api/compare`
pub(super) async fn compare(
    Of(state): Of<Shared>,
    Ask(ask): Ask<CompareQuery>,
) -> Result<Json<Comparison>, Problem> {
    let mut options =
        CompareOptions { allow_differences: ask.allow_differences, ..CompareOptions::default() };
    if let Some(text) = &ask.threshold {
        options.threshold =
            units::parse_change(text).map_err(|message| Problem::bad(format!("threshold: {message}")))?;
    }
    let comparison = blocking(&state, move |state| {
        state.app().verdicts().compare_stored(&ask.baseline, &ask.candidate, &options)
    })
    .await?;
    Ok(Json(comparison))
}

/// `POST /api/comparisons`
pub(super) async fn record_comparison(
    Of(state): Of<Shared>,
    Body(comparison): Body<Comparison>,
) -> Result<Json<Value>, Problem> {
    let verdicts = comparison.cases.len();
    changing(&state, move |state| state.app().verdicts().record(&comparison)).await?;
    Ok(Json(json!({"recorded": verdicts})))
}
