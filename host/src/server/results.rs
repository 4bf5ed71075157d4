//! Results over all runs, as a table to read or to download.

use aide::transform::TransformOperation;
use axum::{
    Json,
    extract::State as Of,
    http::header,
    response::{IntoResponse, Response},
};
use dyno_core::model::ResultRow;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    extract::{Ask, within},
    media::may_be,
    problem::Problem,
    runs::by_database,
    state::{Shared, State, blocking},
};
use crate::{
    app::ResultFilter,
    export::{Format, results_csv},
};

/// Largest number of rows in an answer.
const MOST: u32 = 100_000;

/// Selects results.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultsQuery {
    /// Only this run: identifier, an unambiguous prefix of it, `last`, `last~N`, `commit:HASH`, or `branch:NAME`.
    run: Option<String>,
    /// Only this benchmark.
    benchmark: Option<String>,
    /// Only this plugin.
    plugin: Option<String>,
    /// Only this device, by name or kind.
    device: Option<String>,
    /// Only this metric.
    metric: Option<String>,
    /// Maximum number of rows.
    #[serde(default = "thousand")]
    #[schemars(range(min = 1, max = 100_000))]
    limit: u32,
    /// Number of rows to skip.
    #[serde(default)]
    offset: u32,
    /// Format of the answer.
    #[serde(default)]
    format: TableFormat,
}

fn thousand() -> u32 {
    1_000
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TableFormat {
    #[default]
    Json,
    Csv,
    Parquet,
}

const CSV: &str = Format::Csv.media_type();
const PARQUET: &str = Format::Parquet.media_type();

/// `GET /api/results`
pub(super) async fn results(Of(state): Of<Shared>, Ask(ask): Ask<ResultsQuery>) -> Result<Response, Problem> {
    within(ask.limit, MOST)?;
    let ResultsQuery { run, benchmark, plugin, device, metric, limit, offset, format } = ask;
    let filter = ResultFilter { run, benchmark, plugin, device, metric, limit, offset };
    let attached = |ending: &str| {
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"dyno-results.{ending}\""))
    };
    Ok(match format {
        TableFormat::Json => {
            let rows = blocking(&state, move |state| state.serving().records().result_rows(&filter)).await?;
            Json(rows).into_response()
        }
        TableFormat::Csv => {
            let text = blocking(&state, move |state| {
                Ok::<_, Problem>(results_csv(&state.serving().records().result_rows(&filter)?))
            })
            .await?;
            ([(header::CONTENT_TYPE, CSV.to_owned()), attached("csv")], text).into_response()
        }
        TableFormat::Parquet => {
            let write = move |state: &State| {
                by_database(state, |path| state.serving().records().result_rows_to_parquet(&filter, path))
            };
            let bytes = blocking(&state, write).await?;
            ([(header::CONTENT_TYPE, PARQUET.to_owned()), attached("parquet")], bytes).into_response()
        }
    })
}

pub(super) fn docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    let op = op.summary("Results over all runs, newest first: a row per case and metric").tag("results");
    may_be(op.response::<200, Json<Vec<ResultRow>>>(), [CSV, PARQUET])
}
