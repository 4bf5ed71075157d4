//! Events as they happen: of one run from its beginning, or of all runs from now on; by SSE and by WebSocket.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use aide::transform::TransformOperation;
use axum::{
    body::Bytes,
    extract::{
        State as Of,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use dyno_core::model::{Event, RunRecord, RunStatus};
use futures_util::stream::{self, Stream};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, Interval, MissedTickBehavior},
};

use super::{
    extract::At,
    hub::{Rest, Told},
    problem::Problem,
    runs::Selector,
    state::{Shared, blocking},
};

/// A line goes over an idle connection so often, so that both ends know that the other is there.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A client that does not take a message for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Events to be sent: those that there were, then those that come.
struct Feed {
    past: VecDeque<Arc<Told>>,
    rest: Option<Rest>,
    /// Only of this run.
    run: Option<String>,
    latest: u64,
}

impl Feed {
    /// The next event; `None` at the end of the run, or for one who was too slow.
    async fn next(&mut self) -> Option<Arc<Told>> {
        loop {
            let told = match self.past.pop_front() {
                Some(told) => told,
                None => match self.rest.as_mut()?.recv().await {
                    Ok(told) => told,
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "a listener was too slow and is dropped");
                        return None;
                    }
                    Err(RecvError::Closed) => return None,
                },
            };
            let is_ours = self.run.as_ref().is_none_or(|run| *run == told.run);
            if !is_ours || told.number <= self.latest && told.number != 0 {
                continue;
            }
            self.latest = told.number.max(self.latest);
            if told.is_last && self.run.is_some() {
                self.rest = None;
            }
            return Some(told);
        }
    }
}

/// The events of a run, wherever it is.
async fn of_run(state: &Shared, run: String) -> Result<Feed, Problem> {
    let id = blocking(state, {
        let run = run.clone();
        move |state| match state.hub.status(&run, None) {
            Some(_) => Ok(run),
            None => Ok::<_, Problem>(state.app.run_id(&run)?),
        }
    })
    .await?;
    if let Some((past, rest)) = state.hub.follow(&id) {
        return Ok(Feed { past: past.into(), rest: Some(rest), run: Some(id), latest: 0 });
    }
    // It has ended: what is stored is told.
    let record = blocking(state, {
        let id = id.clone();
        move |state| state.app.stored_run(&id, false)
    })
    .await?;
    Ok(Feed { past: replayed(&record).into(), rest: None, run: Some(id), latest: 0 })
}

/// What a stored run would have told at its end.
fn replayed(record: &RunRecord) -> Vec<Arc<Told>> {
    let started = Event::RunStarted { run: record.id.clone(), cases: record.cases.len() as u32 };
    let cases = record.cases.iter().map(|case| Event::CaseFinished { case: Box::new(case.clone()) });
    let status = match record.status {
        RunStatus::Queued | RunStatus::Running => RunStatus::Interrupted,
        ended => ended,
    };
    let finished = Event::RunFinished { run: record.id.clone(), status };
    std::iter::once(started)
        .chain(cases)
        .chain(std::iter::once(finished))
        .map(|event| {
            Arc::new(Told {
                run: record.id.clone(),
                number: 0,
                text: serde_json::to_string(&event).unwrap_or_default(),
                is_last: matches!(event, Event::RunFinished { .. }),
            })
        })
        .collect()
}

/// An event with its run, for those who hear of all.
fn enveloped(told: &Told) -> String {
    format!("{{\"run\":\"{}\",\"number\":{},\"event\":{}}}", told.run, told.number, told.text)
}

fn sse(feed: Feed) -> Response {
    let bare = feed.run.is_some();
    let events = stream::unfold(feed, move |mut feed| async move {
        let told = feed.next().await?;
        let text = if bare { told.text.clone() } else { enveloped(&told) };
        Some((Ok::<_, Infallible>(sse::Event::default().id(told.number.to_string()).data(text)), feed))
    });
    answered(events)
}

fn answered(events: impl Stream<Item = Result<sse::Event, Infallible>> + Send + 'static) -> Response {
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
}

/// `GET /api/runs/{run}/events`
pub(super) async fn run(Of(state): Of<Shared>, At(at): At<Selector>) -> Result<Response, Problem> {
    Ok(sse(of_run(&state, at.run).await?))
}

pub(super) fn run_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("The events of a run, from its beginning to its end (server-sent events)")
        .tag("events")
        .response::<200, String>()
}

/// `GET /api/events`
pub(super) async fn all(Of(state): Of<Shared>) -> Response {
    sse(Feed { past: VecDeque::new(), rest: Some(state.hub.listen()), run: None, latest: 0 })
}

pub(super) fn all_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("The events of all runs, from now on (server-sent events)")
        .tag("events")
        .response::<200, String>()
}

/// `WS /api/events/ws`
pub(super) async fn all_ws(Of(state): Of<Shared>, upgrade: WebSocketUpgrade) -> Response {
    let feed = Feed { past: VecDeque::new(), rest: Some(state.hub.listen()), run: None, latest: 0 };
    let beat = heartbeat(&state);
    upgrade.max_message_size(4_096).on_upgrade(move |socket| talk(feed, beat, socket))
}

/// When a WebSocket is to be given a sign of life. Browsers and libraries answer a ping by themselves.
pub(super) fn heartbeat(state: &Shared) -> Interval {
    let period = Duration::from_nanos(state.app.settings().heartbeat_ns.value);
    let mut beat = tokio::time::interval_at(Instant::now() + period, period);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}

pub(super) fn all_ws_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("The events of all runs, by WebSocket; `ping` is answered with `{\"pong\": true}`")
        .tag("events")
}

async fn talk(mut feed: Feed, mut beat: Interval, mut socket: WebSocket) {
    loop {
        let message = tokio::select! {
            told = feed.next() => match told {
                Some(told) => Message::Text(enveloped(&told).into()),
                None => return,
            },
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) if text.as_str().trim() == "ping" => {
                    Message::Text("{\"pong\":true}".into())
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            _ = beat.tick() => Message::Ping(Bytes::new()),
        };
        let sent = tokio::time::timeout(PATIENCE, socket.send(message)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}
