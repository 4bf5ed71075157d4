//! `POST /api/sql`: one SELECT, within limits, stopped at its limits whatever the client does, and when the client has left.

use std::{convert::Infallible, sync::Arc, time::Duration};

use aide::transform::TransformOperation;
use axum::{
    Extension, Json,
    body::{Body as Sent, Bytes},
    extract::State as Of,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    extract::{Body, within},
    problem::Problem,
    state::Shared,
};
use crate::access::{Identity, Scope};
use crate::app::{SqlAnswer, SqlBrake, SqlCaller, SqlLimits};

/// Time limit of a query.
const TIME: Duration = Duration::from_secs(10);
/// How long a query waits for its turn.
const TURN: Duration = Duration::from_secs(5);
/// Maximum number of rows in an answer.
const MOST_ROWS: u32 = 10_000;
/// Maximum length of a query [bytes].
const LONGEST: usize = 100_000;
/// Size of the chunks that an answer is sent in [bytes].
const PIECE: usize = 64 << 10;

/// A SQL query.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// A single SELECT statement.
    sql: String,
    /// Maximum number of rows to return.
    #[serde(default = "thousand")]
    #[schemars(range(min = 1, max = 10000))]
    limit: u32,
}

fn thousand() -> u32 {
    1_000
}

/// Stops the query if the client disconnects, since axum drops the request then.
struct Left(SqlBrake);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.pull();
    }
}

/// `POST /api/sql`
pub(super) async fn select(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    Body(query): Body<Query>,
) -> Result<Response, Problem> {
    within(query.limit, MOST_ROWS)?;
    if query.sql.len() > LONGEST {
        return Err(Problem::bad(format!("the query has more than {LONGEST} bytes; shorten it")));
    }
    let caller = if identity.scope == Scope::Admin { SqlCaller::Operator } else { SqlCaller::Stranger };
    let limits = SqlLimits::new(caller, query.limit, TIME);
    let place = a_turn(&state.sending_sql).await?;
    let turn = a_turn(&state.asking_sql).await?;
    let brake = SqlBrake::default();
    let _left = Left(brake.clone());
    let answer = tokio::task::spawn_blocking(move || {
        // Given back when the query has really ended, not when nobody waits for it any more.
        let _turn = turn;
        let answer = state.app().results().select(&query.sql, limits, &brake)?;
        serde_json::to_vec(&answer).map_err(|error| Problem::internal(&error))
    });
    let answer = answer.await.map_err(|error| Problem::internal(&error))??;
    Ok(sent(answer.into(), place))
}

pub(super) fn docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Run a SELECT statement").tag("sql").response::<200, Json<SqlAnswer>>()
}

async fn a_turn(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let busy = |_| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "the maximum number of SQL queries is running; try again later",
        )
    };
    let turn = tokio::time::timeout(TURN, Arc::clone(places).acquire_owned()).await.map_err(busy)?;
    turn.map_err(|error| Problem::internal(&error))
}

/// A response that holds its permit until the last chunk is sent, so that clients that do not read cannot fill the memory.
fn sent(answer: Bytes, place: OwnedSemaphorePermit) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_LENGTH, answer.len().to_string()),
    ];
    let pieces = stream::unfold((answer, place), |(mut rest, place)| async move {
        if rest.is_empty() {
            return None;
        }
        let piece = rest.split_to(rest.len().min(PIECE));
        Some((Ok::<_, Infallible>(piece), (rest, place)))
    });
    (headers, Sent::from_stream(pieces)).into_response()
}
