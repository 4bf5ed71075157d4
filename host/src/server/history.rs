//! What is remembered beyond single runs: baselines, histories, noise, comparisons.

use axum::{Json, extract::State as Of};
use dyno_core::{
    model::{Comparison, KnownDrift, Series},
    stats::ChangeOptions,
    units,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    extract::{Ask, At, Body},
    problem::Problem,
    state::{Shared, blocking, changing},
};
use crate::app::{CompareOptions, Noise};

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

/// A benchmark, by its name.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct BenchmarkName {
    benchmark: String,
}

/// Which history.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    /// Name of the metric.
    #[serde(default = "time")]
    metric: String,
    /// Smallest relative change of the level that counts.
    min_change: Option<f64>,
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
            return Err(Problem::bad(format!("min_change is {least}; give a share, like 0.01")));
        }
        options.min_magnitude = least;
    }
    let all =
        blocking(&state, move |state| state.app().results().history(&at.benchmark, &ask.metric, &options))
            .await?;
    Ok(Json(all))
}

/// A change to accept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept {
    /// The first run of the new level.
    run_id: String,
    /// Why it is right.
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

/// `POST /api/comparisons`
pub(super) async fn record_comparison(
    Of(state): Of<Shared>,
    Body(comparison): Body<Comparison>,
) -> Result<Json<Value>, Problem> {
    let verdicts = comparison.cases.len();
    changing(&state, move |state| state.app().verdicts().record(&comparison)).await?;
    Ok(Json(json!({"recorded": verdicts})))
}

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
