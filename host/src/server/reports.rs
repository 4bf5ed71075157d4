//! Report files of runs.

use aide::transform::TransformOperation;
use axum::{
    extract::State as Of,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    extract::At,
    media::may_be,
    problem::Problem,
    state::{Shared, blocking},
};
use crate::{export::Format, service::WRITTEN};

/// Reports contain text from plugins, so a browser must not run anything in them.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// Path of a report file.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ReportFile {
    /// Identifier of the run, an unambiguous prefix of it, or `last`.
    run: String,
    /// File name. // eg: report.html
    file: String,
}

/// `GET /api/reports/{run}/{file}`
pub(super) async fn file(Of(state): Of<Shared>, At(at): At<ReportFile>) -> Result<Response, Problem> {
    let ending = at.file.rsplit_once('.').map_or("", |(_, ending)| ending);
    let known = WRITTEN.into_iter().map(|(_, format)| format).find(|format| format.extension() == ending);
    let Some(kind) = known.map(Format::media_type) else {
        return Err(Problem::not_found(format!("there is no report `{}/{}`", at.run, at.file)));
    };
    let text = blocking(&state, move |state| {
        let reports = state.service.reports();
        // The reports of a run that was deleted may still be there, under its identifier.
        let run = if reports.has(&at.run) { at.run } else { state.serving().records().run_id(&at.run)? };
        reports.read(&run, &at.file).ok_or_else(|| {
            Problem::not_found(format!(
                "there is no report `{}` of run `{run}`; GET /api/benchmark/reports lists them",
                at.file
            ))
        })
    })
    .await?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)], text)
        .into_response())
}

pub(super) fn file_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    may_be(
        op.summary("A report file of a run").tag("reports"),
        WRITTEN.map(|(_, format)| format.media_type()),
    )
}
