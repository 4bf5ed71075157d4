//! Stored runs: listing, reading and deleting them.

use std::time::Duration;

use aide::transform::TransformOperation;
use axum::{Json, extract::State as Of, response::Response};
use dyno_core::model::{Distribution, RunRecord, RunStatus};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::{LaunchSamples, RunFilter, RunSummary, SampleMetric},
    server::{
        extract::{Ask, At, between, within},
        problem::Problem,
        state::{Shared, blocking, changing, kept},
    },
};

/// Filters of the list of runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Maximum number of runs to return.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 1000))]
    limit: u32,
    /// Number of runs to skip.
    #[serde(default)]
    offset: u32,
    /// Only runs with this tag.
    tag: Option<String>,
    /// Only runs with this status.
    status: Option<RunStatus>,
    /// Only runs with a case of this benchmark.
    benchmark: Option<String>,
    /// Sort order.
    #[serde(default)]
    order: Order,
}

fn fifty() -> u32 {
    50
}

/// Sort order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

/// `GET /api/runs`
pub(crate) async fn list(Of(state): Of<Shared>, Ask(ask): Ask<ListQuery>) -> Result<Response, Problem> {
    within(ask.limit, 1000)?;
    let filter = RunFilter {
        limit: ask.limit,
        offset: ask.offset,
        oldest_first: ask.order == Order::Oldest,
        tag: ask.tag,
        status: ask.status,
        benchmark: ask.benchmark,
    };
    let question = format!("runs {filter:?}");
    kept(&state, &question, Duration::from_secs(3600), move |state| state.app().results().runs(&filter)).await
}

pub(crate) fn list_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("All runs").tag("runs").response::<200, Json<Vec<RunSummary>>>()
}

/// Path of a run.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Selector {
    /// Identifier, an unambiguous prefix of it, `last`, `last~N` for the Nth before the last, or, for the newest run of some
    /// source code, `commit:HASH` or `branch:NAME`.
    pub(crate) run: String,
}

/// Options of a run.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SamplesQuery {
    /// Include all samples.
    #[serde(default)]
    samples: bool,
}

/// `GET /api/runs/{run}`
pub(crate) async fn get(
    Of(state): Of<Shared>,
    At(at): At<Selector>,
    Ask(ask): Ask<SamplesQuery>,
) -> Result<Json<RunRecord>, Problem> {
    Ok(Json(blocking(&state, move |state| state.app().results().run(&at.run, ask.samples)).await?))
}

/// `DELETE /api/runs/{run}`
pub(crate) async fn delete(Of(state): Of<Shared>, At(at): At<Selector>) -> Result<Json<Value>, Problem> {
    let id = changing(&state, move |state| state.service.delete(&at.run)).await?;
    Ok(Json(json!({"deleted": id})))
}

/// Path of a case.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CaseAt {
    /// Identifier of the run, an unambiguous prefix of it, or `last`.
    run: String,
    /// Index of the case in the run, from 0.
    case: u32,
}

/// `GET /api/runs/{run}/cases/{case}/samples`
pub(crate) async fn samples(
    Of(state): Of<Shared>,
    At(at): At<CaseAt>,
) -> Result<Json<Vec<LaunchSamples>>, Problem> {
    Ok(Json(blocking(&state, move |state| state.serving().records().case_samples(&at.run, at.case)).await?))
}

/// How finely a distribution is described.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DistributionQuery {
    /// Name of the metric.
    #[serde(default)]
    metric: SampleMetric,
    /// Number of quantiles.
    #[serde(default = "hundred_and_one")]
    #[schemars(range(min = 2, max = 1001))]
    points: u32,
    /// Maximum number of columns that the course of the samples is cut into.
    #[serde(default = "four_hundred")]
    #[schemars(range(min = 1, max = 4000))]
    columns: u32,
}

fn hundred_and_one() -> u32 {
    101
}

fn four_hundred() -> u32 {
    400
}

/// `GET /api/runs/{run}/cases/{case}/distribution`
pub(crate) async fn distribution(
    Of(state): Of<Shared>,
    At(at): At<CaseAt>,
    Ask(ask): Ask<DistributionQuery>,
) -> Result<Json<Distribution>, Problem> {
    between("points", ask.points, 2..=1_001)?;
    between("columns", ask.columns, 1..=4_000)?;
    let found = blocking(&state, move |state| {
        state.serving().records().distribution(&at.run, at.case, ask.metric, ask.points, ask.columns)
    })
    .await?;
    Ok(Json(found))
}
