//! Extractors for handlers, with error messages of our own for malformed requests.

use std::{ops::RangeInclusive, time::Duration};

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    Json,
    body::HttpBody,
    extract::{
        DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request, WebSocketUpgrade,
        rejection::JsonRejection,
    },
    http::{StatusCode, request::Parts},
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::problem::Problem;

/// Largest body of a request [bytes].
const MOST_BYTES: usize = 8 << 20;
/// Largest body of a request for a run [bytes]. Parsed it may take sixteen times as much: each `1,` of a list becomes 32 bytes.
pub(super) const MOST_RUN_BYTES: usize = 2 << 20;
/// Timeout for a body.
const BODY: Duration = Duration::from_secs(20);
/// Bodies up to this size [bytes] need no permit.
const SMALL: u64 = 64 << 10;
/// Permits for larger bodies, which bound the memory they take together.
static LARGE: Semaphore = Semaphore::const_new(16);

/// A JSON body of at most so many bytes.
#[derive(Debug)]
pub(super) struct Body<T, const MOST: usize = MOST_BYTES>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync, const MOST: usize> FromRequest<S> for Body<T, MOST> {
    type Rejection = Problem;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Problem> {
        let announced = request.body().size_hint();
        if announced.lower() > MOST as u64 {
            return Err(too_large(MOST));
        }
        DefaultBodyLimit::max(MOST).apply(&mut request);
        let read = async {
            let _place = match announced.upper() {
                Some(bytes) if bytes <= SMALL => None,
                _ => LARGE.acquire().await.ok(),
            };
            Json::<T>::from_request(request, state).await
        };
        let read = tokio::time::timeout(BODY, read).await.map_err(|_| {
            Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                format!("the body did not arrive within {} s; send the request again", BODY.as_secs()),
            )
        })?;
        match read {
            Ok(Json(value)) => Ok(Self(value)),
            Err(JsonRejection::JsonDataError(error)) => Err(Problem::bad(error.body_text())),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large(MOST)),
            Err(error) => Err(Problem::new(error.status(), error.body_text())),
        }
    }
}

fn too_large(most: usize) -> Problem {
    let detail = format!("the body is larger than {} MiB; send less at once", most >> 20);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

impl<T: JsonSchema, const MOST: usize> OperationInput for Body<T, MOST> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(ctx, operation);
    }
}

/// The query string.
#[derive(Debug)]
pub(super) struct Ask<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Ask<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => Err(Problem::bad(error.body_text())),
        }
    }
}

impl<T: JsonSchema> OperationInput for Ask<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Query::<T>::operation_input(ctx, operation);
    }
}

/// Refuses a limit of 0 or above `most`.
pub(super) fn within(limit: u32, most: u32) -> Result<(), Problem> {
    between("limit", limit, 1..=most)
}

/// Refuses a number outside its range.
pub(super) fn between(name: &str, value: u32, range: RangeInclusive<u32>) -> Result<(), Problem> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Problem::bad(format!("{name} is {value}; give {} to {}", range.start(), range.end())))
}

/// The parameters in the path.
#[derive(Debug)]
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(error) => Err(Problem::new(StatusCode::BAD_REQUEST, error.body_text())),
        }
    }
}

impl<T: JsonSchema> OperationInput for At<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<T>::operation_input(ctx, operation);
    }
}

/// A request to upgrade to a WebSocket.
#[derive(Debug)]
pub(super) struct Upgrade(pub(super) WebSocketUpgrade);

/// Maximum size of a client's message [bytes]: clients send only `ping` and `status`.
const LONGEST_MESSAGE: usize = 4_096;
/// Read buffer of each WebSocket [bytes].
const READ_BUFFER: usize = 2_048;

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match WebSocketUpgrade::from_request_parts(parts, state).await {
            // There may be thousands of them: what is said is passed on at once, not gathered.
            Ok(upgrade) => Ok(Self(
                upgrade.max_message_size(LONGEST_MESSAGE).read_buffer_size(READ_BUFFER).write_buffer_size(0),
            )),
            Err(error) => Err(Problem::new(
                error.status(),
                format!(
                    "this endpoint is a WebSocket: {}; connect with a WebSocket client",
                    error.body_text()
                ),
            )),
        }
    }
}

impl OperationInput for Upgrade {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        WebSocketUpgrade::operation_input(ctx, operation);
    }
}
