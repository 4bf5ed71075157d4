//! State shared by all requests.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    body::Bytes,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tokio::sync::Semaphore;

use super::{answers::Answers, audit::Audit, problem::Problem, staying::Stay};
use crate::{
    access::{Identity, Tokens},
    app::{App, Serving},
    service::Service,
};

/// Maximum number of concurrent reads.
const ASKING: usize = 8;
/// Maximum number of concurrent writes. They have permits of their own, so that reads do not wait for large writes.
const CHANGING: usize = 4;
/// Maximum number of concurrent SQL queries, which may take long.
const ASKING_SQL: usize = 2;
/// Maximum number of SQL answers in preparation or transmission. Each has up to 8 MiB.
const SENDING_SQL: usize = 8;

/// The state of the server.
#[derive(Debug)]
pub(super) struct State {
    pub(super) service: Arc<Service>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) answers: Answers,
    pub(super) audit: Audit,
    /// Folder for temporary files of exports.
    pub(super) scratch: PathBuf,
    /// Host names that requests may use without a token; any other is an attack through a browser.
    pub(super) names: Vec<String>,
    pub(super) started: Instant,
    pub(super) requests: AtomicU64,
    pub(super) refusals: AtomicU64,
    asking: Arc<Semaphore>,
    changing: Arc<Semaphore>,
    /// Permits for WebSockets and event streams, which clients may keep open indefinitely.
    staying: Arc<Semaphore>,
    most_staying: usize,
    pub(super) asking_sql: Arc<Semaphore>,
    pub(super) sending_sql: Arc<Semaphore>,
    /// The permit for a backup.
    pub(super) backing_up: Arc<Semaphore>,
}

pub(super) type Shared = Arc<State>;

impl State {
    pub(super) fn new(
        service: Arc<Service>,
        tokens: Tokens,
        audit: Audit,
        scratch: PathBuf,
        names: Vec<String>,
        staying: usize,
    ) -> Self {
        Self {
            service,
            tokens: Arc::new(tokens),
            answers: Answers::default(),
            audit,
            scratch,
            names,
            started: Instant::now(),
            requests: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            asking: Arc::new(Semaphore::new(ASKING)),
            changing: Arc::new(Semaphore::new(CHANGING)),
            staying: Arc::new(Semaphore::new(staying)),
            most_staying: staying,
            asking_sql: Arc::new(Semaphore::new(ASKING_SQL)),
            sending_sql: Arc::new(Semaphore::new(SENDING_SQL)),
            backing_up: Arc::new(Semaphore::new(1)),
        }
    }

    /// The use cases that the command line has as well.
    pub(super) fn app(&self) -> &App {
        self.service.app()
    }

    /// The use cases that only a server has.
    pub(super) fn serving(&self) -> &Serving {
        self.service.serving()
    }

    /// A place for a WebSocket or an event stream. Some connections are reserved for short requests.
    pub(super) fn a_place_to_stay(&self, identity: Identity) -> Result<Stay, Problem> {
        let permit = Arc::clone(&self.staying).try_acquire_owned().map_err(|_| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the maximum number of WebSockets and event streams is open; try again later",
            )
        })?;
        Ok(Stay::new(permit, Arc::clone(&self.tokens), identity))
    }

    /// Number of open WebSockets and event streams.
    pub(super) fn staying(&self) -> usize {
        self.most_staying.saturating_sub(self.staying.available_permits())
    }

    pub(super) fn count(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}

/// Runs blocking work outside the async runtime: reads, and writes of a few rows.
pub(super) async fn blocking<T, E>(
    state: &Shared,
    work: impl FnOnce(&State) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    in_turn(state, &state.asking, work).await
}

/// Runs a write that may be large outside the async runtime.
pub(super) async fn changing<T, E>(
    state: &Shared,
    work: impl FnOnce(&State) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    in_turn(state, &state.changing, work).await
}

async fn in_turn<T, E>(
    state: &Shared,
    turns: &Arc<Semaphore>,
    work: impl FnOnce(&State) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let turn = Arc::clone(turns).acquire_owned().await.map_err(|error| Problem::internal(&error))?;
    let shared = Arc::clone(state);
    let work = move || {
        // Given back when the work is done, not when nobody waits for it any more.
        let _turn = turn;
        work(&shared)
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))?.map_err(Into::into)
}

/// Answers a question in JSON, from the cache if it is current.
pub(super) async fn kept<T, E>(
    state: &Shared,
    question: &str,
    age: Duration,
    work: impl FnOnce(&State) -> Result<T, E> + Send + 'static,
) -> Result<Response, Problem>
where
    T: Serialize + Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let now = state.answers.moment(state.serving().revision());
    if let Some(bytes) = state.answers.get(question, now, age) {
        return Ok(json(bytes));
    }
    let bytes = blocking(state, move |state| {
        let value = work(state).map_err(Into::<Problem>::into)?;
        serde_json::to_vec(&value).map_err(|error| Problem::internal(&error))
    })
    .await?;
    // Without the room that it had to grow: an answer may be kept for long.
    let bytes = Bytes::from(bytes.into_boxed_slice());
    // If something was written meanwhile, the next question is asked at another moment.
    state.answers.keep(question, now, &bytes);
    Ok(json(bytes))
}

fn json(bytes: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
}
