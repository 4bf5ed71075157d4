//! Backups: a copy of the database, sent while the server goes on; and removing what is older than it is kept.

use std::{
    fs::File,
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use aide::transform::TransformOperation;
use axum::{
    Json,
    body::{Body as Sent, Bytes},
    extract::State as Of,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use super::{
    extract::Body,
    media::{DATABASE, may_be},
    problem::Problem,
    state::{Shared, changing},
};
use crate::{
    app::{Copied, Vacuumed},
    client::SHA256,
};

/// Size of the pieces that a copy is sent in [bytes].
const PIECE: u64 = 256 << 10;
/// How long a client may take for one piece, …
const PATIENCE: Duration = Duration::from_secs(30);
/// … and for all of them. The copy takes space on the disk meanwhile.
const LONGEST: Duration = Duration::from_secs(3600);

/// `GET /api/backup`
pub(super) async fn backup(Of(state): Of<Shared>) -> Result<Response, Problem> {
    let turn = Arc::clone(&state.backing_up).try_acquire_owned().map_err(|_| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "another backup is being made; try again when it is complete",
        )
    })?;
    let shared = Arc::clone(&state);
    let work = move || -> Result<_, Problem> {
        let copied = shared.serving().backup()?;
        let file = copied.open().map_err(|error| Problem::internal(&error))?;
        Ok((copied, file, turn))
    };
    let (copied, file, turn) =
        tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))??;
    let (bytes, held_ms) = (copied.bytes(), copied.held().as_secs_f64() * 1e3);
    tracing::info!(bytes, held_ms, "the database was copied for a backup");
    let headers = [
        (header::CONTENT_TYPE.as_str(), DATABASE.to_owned()),
        (header::CONTENT_LENGTH.as_str(), bytes.to_string()),
        (header::CONTENT_DISPOSITION.as_str(), "attachment; filename=\"dyno-backup.duckdb\"".to_owned()),
        (SHA256, copied.sha256().to_owned()),
    ];
    let (pieces, sent) = mpsc::channel(1);
    tokio::spawn(async move {
        // One at a time: the next may begin when this copy is gone.
        let _turn = turn;
        if !send(&copied, file, pieces).await {
            tracing::warn!("a backup was not taken to its end by its client");
        }
    });
    let body = stream::unfold(sent, |mut sent| async { Some((sent.recv().await?, sent)) });
    Ok((headers, Sent::from_stream(body)).into_response())
}

pub(super) fn backup_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    let op =
        op.summary("A consistent copy of the database, whose SHA-256 is in `x-dyno-sha256`").tag("operator");
    may_be(op, [DATABASE])
}

/// Sends a copy; whether its client took all of it.
async fn send(copied: &Copied, file: File, pieces: mpsc::Sender<io::Result<Bytes>>) -> bool {
    let (file, end) = (Arc::new(file), Instant::now() + LONGEST);
    let mut left = copied.bytes();
    while left > 0 {
        let (size, file) = (left.min(PIECE), Arc::clone(&file));
        let read = move || {
            let mut piece = vec![0; size as usize];
            file.as_ref().read_exact(&mut piece).map(|()| Bytes::from(piece))
        };
        let piece = tokio::task::spawn_blocking(read).await.map_err(io::Error::other).flatten();
        let is_whole = piece.is_ok();
        let taken = timeout_at(end, timeout(PATIENCE, pieces.send(piece))).await;
        if !is_whole || !matches!(taken, Ok(Ok(Ok(())))) {
            return false;
        }
        left -= size;
    }
    true
}

/// How to vacuum.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VacuumQuery {
    /// Whether only to tell what is older than it is kept.
    #[serde(default)]
    dry_run: bool,
}

/// `POST /api/vacuum`
pub(super) async fn vacuum(
    Of(state): Of<Shared>,
    Body(query): Body<VacuumQuery>,
) -> Result<Json<Vacuumed>, Problem> {
    Ok(Json(changing(&state, move |state| state.service.vacuum(query.dry_run)).await?))
}
