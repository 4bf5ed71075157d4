//! Comparisons: of two stored runs, and the record of comparisons that clients made.

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
    /// The reference: a run, or `baseline:NAME`.
    baseline: String,
    /// The run to judge against it.
    candidate: String,
    /// Smallest relative change that matters. // eg: 5% or 0.05
    threshold: Option<String>,
    /// Give verdicts even if machine, governor or engine differ.
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
