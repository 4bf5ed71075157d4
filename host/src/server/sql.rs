//! `POST /api/sql`: one SELECT, within limits, stopped when its time is over or whoever asked has left.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Json, extract::State as Of, http::StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{extract::Body, problem::Problem, state::Shared};
use crate::app::{AppError, SqlAnswer, SqlError, SqlLimits, SqlStop};

/// Longest time of a query.
const TIME: Duration = Duration::from_secs(10);
/// Longest wait for a turn.
const TURN: Duration = Duration::from_secs(5);
/// Most rows of an answer.
const MOST_ROWS: u32 = 10_000;
/// Longest query [bytes].
const LONGEST: usize = 100_000;

/// A query.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// One SELECT.
    sql: String,
    /// At most so many rows.
    #[serde(default = "thousand")]
    #[schemars(range(min = 1, max = 10000))]
    limit: u32,
}

fn thousand() -> u32 {
    1_000
}

/// What stops the query, once it has begun.
#[derive(Debug, Default, Clone)]
struct Brake(Arc<Mutex<Option<SqlStop>>>);

impl Brake {
    fn pull(&self) {
        if let Some(stop) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            stop.stop();
        }
    }
}

/// Pulled as well when the request is dropped, since the client has left.
struct Guard(Brake);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.pull();
    }
}

pub(super) async fn select(
    Of(state): Of<Shared>,
    Body(query): Body<Query>,
) -> Result<Json<SqlAnswer>, Problem> {
    if !(1..=MOST_ROWS).contains(&query.limit) {
        return Err(Problem::bad(format!("limit is {}; give 1 to {MOST_ROWS}", query.limit)));
    }
    if query.sql.len() > LONGEST {
        return Err(Problem::bad(format!("the query is longer than {LONGEST} bytes")));
    }
    let busy = || Problem::new(StatusCode::TOO_MANY_REQUESTS, "other queries are being answered; try again");
    let _turn = tokio::time::timeout(TURN, state.asking_sql.acquire())
        .await
        .map_err(|_| busy())?
        .map_err(|error| Problem::internal(&error))?;
    let brake = Brake::default();
    let _guard = Guard(brake.clone());
    let limits = SqlLimits { rows: query.limit, time: TIME };
    let (shared, begun) = (state.clone(), brake.clone());
    let mut asked = tokio::task::spawn_blocking(move || {
        let answer = shared.app.select(&query.sql, limits, |stop| {
            *begun.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop);
        });
        // Whoever pulls now would stop a connection that does something else.
        begun.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer
    });
    let answer = tokio::select! {
        answer = &mut asked => answer,
        () = tokio::time::sleep(TIME) => {
            brake.pull();
            asked.await
        }
    };
    match answer.map_err(|error| Problem::internal(&error))? {
        Ok(answer) => Ok(Json(answer)),
        Err(AppError::Sql(error @ SqlError::TooLong(_))) => {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}
