//! The history of a benchmark over all runs.

use axum::{Json, extract::State as Of};
use dyno_core::{model::Series, stats::ChangeOptions};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    extract::{Ask, At, Body, between},
    problem::Problem,
    state::{Shared, blocking, changing},
};

/// Path of a benchmark.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct BenchmarkName {
    benchmark: String,
}

/// Options of a history.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    /// Name of the metric.
    #[serde(default = "time")]
    metric: String,
    /// Smallest relative change of the level to report.
    min_change: Option<f64>,
    /// Approximate maximum number of points per series. A longer series keeps its extremes and everything that is marked.
    #[schemars(range(min = 10, max = 100_000))]
    points: Option<u32>,
}

fn time() -> String {
    "time".to_owned()
}

/// `GET /api/history/{benchmark}`
pub(super) async fn history(
    Of(state): Of<Shared>,
    At(at): At<BenchmarkName>,
    Ask(ask): Ask<HistoryQuery>,
) -> Result<Json<Vec<Series>>, Problem> {
    let mut options = ChangeOptions::default();
    if let Some(least) = ask.min_change {
        if !(0.0..=10.0).contains(&least) {
            return Err(Problem::bad(format!(
                "min_change is {least}; give a fraction from 0 to 10, like 0.01"
            )));
        }
        options.min_magnitude = least;
    }
    if let Some(points) = ask.points {
        between("points", points, 10..=100_000)?;
    }
    let mut all =
        blocking(&state, move |state| state.app().results().history(&at.benchmark, &ask.metric, &options))
            .await?;
    if let Some(points) = ask.points {
        all.iter_mut().for_each(|series| series.thin(points as usize));
    }
    Ok(Json(all))
}

/// A change to accept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept {
    /// The first run at the new level.
    run_id: String,
    /// Why the change is accepted.
    #[serde(default)]
    note: String,
}

/// `POST /api/history/{benchmark}/accept`
pub(super) async fn accept(
    Of(state): Of<Shared>,
    At(at): At<BenchmarkName>,
    Body(change): Body<Accept>,
) -> Result<Json<Value>, Problem> {
    let run = changing(&state, move |state| {
        state.app().results().accept_change(&at.benchmark, &change.run_id, &change.note)
    })
    .await?;
    Ok(Json(json!({"id": run})))
}
