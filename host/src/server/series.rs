//! The newest results of each case, for pages that show all of them at once.

use std::time::Duration;

use aide::transform::TransformOperation;
use axum::{Json, extract::State as Of, response::Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    extract::{Ask, between, within},
    problem::Problem,
    state::{Shared, kept},
};
use crate::app::{LatestFilter, LatestList};

/// Largest number of cases in an answer.
const MOST: u32 = 5_000;
/// Largest number of results per case.
const MOST_RECENT: u32 = 100;

/// Selects the newest results.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeriesQuery {
    /// Name of the metric.
    #[serde(default = "time")]
    metric: String,
    /// Only this benchmark.
    benchmark: Option<String>,
    /// Maximum number of cases, those with the newest results first.
    #[serde(default = "two_thousand")]
    #[schemars(range(min = 1, max = 5000))]
    limit: u32,
    /// Number of recent medians per case.
    #[serde(default = "thirty")]
    #[schemars(range(min = 1, max = 100))]
    recent: u32,
}

fn time() -> String {
    "time".to_owned()
}

fn two_thousand() -> u32 {
    2_000
}

fn thirty() -> u32 {
    30
}

/// `GET /api/series`
pub(super) async fn series(Of(state): Of<Shared>, Ask(ask): Ask<SeriesQuery>) -> Result<Response, Problem> {
    within(ask.limit, MOST)?;
    between("recent", ask.recent, 1..=MOST_RECENT)?;
    let SeriesQuery { metric, benchmark, limit, recent } = ask;
    let filter = LatestFilter { metric, benchmark, limit, recent };
    let question = format!("series {filter:?}");
    kept(&state, &question, Duration::from_secs(3600), move |state| state.serving().records().latest(&filter))
        .await
}

pub(super) fn docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("The newest results of every case, one entry per case and machine")
        .tag("results")
        .response::<200, Json<LatestList>>()
}
