//! Exporting a run as a file.

use std::{fs, path::Path};

use aide::transform::TransformOperation;
use axum::{
    extract::State as Of,
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Selector;
use crate::{
    app::AppError,
    export::{Format, Rendered},
    server::{
        extract::{Ask, At},
        media::may_be,
        problem::Problem,
        state::{Shared, State, blocking},
    },
};

/// Options of an export.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ExportQuery {
    /// Format of the file.
    #[serde(default)]
    format: Format,
}

/// `GET /api/runs/{run}/export`
pub(crate) async fn export(
    Of(state): Of<Shared>,
    At(at): At<Selector>,
    Ask(ask): Ask<ExportQuery>,
) -> Result<Response, Problem> {
    let (id, bytes) = blocking(&state, move |state| exported(state, &at.run, ask.format)).await?;
    let disposition = format!("attachment; filename=\"{id}.{}\"", ask.format.extension());
    let headers = [
        (header::CONTENT_TYPE, ask.format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, bytes).into_response())
}

fn exported(state: &State, run: &str, format: Format) -> Result<(String, Vec<u8>), Problem> {
    let record = state.app().results().run(run, format.needs_samples())?;
    let bytes = match format.render(&record).map_err(|error| Problem::internal(&error))? {
        Rendered::Text(text) => text.into_bytes(),
        Rendered::ByDatabase => {
            by_database(state, |path| state.app().results().write_parquet(&record.id, path))?
        }
    };
    Ok((record.id, bytes))
}

/// The bytes of a file that the database writes.
pub(crate) fn by_database(
    state: &State,
    write: impl FnOnce(&Path) -> Result<(), AppError>,
) -> Result<Vec<u8>, Problem> {
    let file = tempfile::Builder::new()
        .suffix(".parquet")
        .tempfile_in(&state.scratch)
        .map_err(|error| Problem::internal(&error))?;
    write(file.path())?;
    fs::read(file.path()).map_err(|error| Problem::internal(&error))
}

pub(crate) fn export_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    let op = op.summary("Export a run as a file").tag("runs");
    may_be(op, Format::ALL.map(Format::media_type))
}
