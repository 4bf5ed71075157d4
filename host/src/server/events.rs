//! Events as they happen: of one run from its beginning, or of all runs and of the plugins from now on; by SSE and by WebSocket.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use aide::transform::TransformOperation;
use axum::{
    Extension,
    body::Bytes,
    extract::{
        State as Of,
        ws::{Message, WebSocket},
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
    extract::{At, Upgrade},
    media::{EVENTS, may_be},
    problem::Problem,
    runs::Selector,
    state::{Shared, blocking},
    staying::Stay,
};
use crate::access::Identity;
use crate::service::{Rest, Told};

/// Interval of keep-alive lines on an idle event stream.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A client that accepts no message for this long is disconnected.
const PATIENCE: Duration = Duration::from_secs(10);

/// A WebSocket is closed if its client is silent for this many heartbeats and at least this long.
const SILENT_BEATS: u32 = 3;
const SILENT: Duration = Duration::from_secs(10);

/// Events to send: the past ones first, then new ones as they happen.
struct Feed {
    stay: Stay,
    past: VecDeque<Arc<Told>>,
    rest: Option<Rest>,
    /// Restricts the feed to one run.
    run: Option<String>,
    latest: u64,
}

impl Feed {
    /// The next event; `None` at the end of the run, if the client fell too far behind, or if its token is no longer valid.
    async fn next(&mut self) -> Option<Arc<Told>> {
        loop {
            let told = match self.past.pop_front() {
                Some(told) => told,
                None => tokio::select! {
                    told = self.rest.as_mut()?.recv() => match told {
                        Ok(told) => told,
                        Err(RecvError::Lagged(missed)) => {
                            tracing::warn!(missed, "a listener was too slow and is dropped");
                            return None;
                        }
                        Err(RecvError::Closed) => return None,
                    },
                    () = self.stay.is_over() => return None,
                },
            };
            let is_ours = self.run.as_ref().is_none_or(|run| told.run.as_ref() == Some(run));
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

/// New events of all runs and of the plugins.
fn of_all(state: &Shared, identity: Identity) -> Result<Feed, Problem> {
    Ok(Feed {
        stay: state.a_place_to_stay(identity)?,
        past: VecDeque::new(),
        rest: Some(state.service.table().listen()),
        run: None,
        latest: 0,
    })
}

/// The events of a run: live if this server has it, otherwise reconstructed from the database.
async fn of_run(state: &Shared, identity: Identity, run: String) -> Result<Feed, Problem> {
    let stay = state.a_place_to_stay(identity)?;
    let id = blocking(state, {
        let run = run.clone();
        move |state| {
            let is_live = state.service.table().knows(&run);
            if is_live { Ok(run) } else { Ok::<_, Problem>(state.serving().records().run_id(&run)?) }
        }
    })
    .await?;
    if let Some((past, rest)) = state.service.table().follow(&id) {
        return Ok(Feed { stay, past: past.into(), rest: Some(rest), run: Some(id), latest: 0 });
    }
    // It has ended: what is stored is told.
    let record = blocking(state, {
        let id = id.clone();
        move |state| state.app().results().run(&id, false)
    })
    .await?;
    Ok(Feed { stay, past: replayed(&record).into(), rest: None, run: Some(id), latest: 0 })
}

/// The events that a stored run sent, as far as its record tells.
fn replayed(record: &RunRecord) -> Vec<Arc<Told>> {
    let started = Event::run_started(record);
    let cases = record.cases.iter().map(|case| Event::CaseFinished { case: Box::new(case.clone()) });
    let status = if record.status.has_ended() { record.status } else { RunStatus::Interrupted };
    let finished = Event::RunFinished { run: record.id.clone(), status };
    std::iter::once(started)
        .chain(cases)
        .chain(std::iter::once(finished))
        .map(|event| {
            Arc::new(Told {
                run: Some(record.id.clone()),
                number: 0,
                text: serde_json::to_string(&event).unwrap_or_default(),
                is_last: matches!(event, Event::RunFinished { .. }),
            })
        })
        .collect()
}

/// An event together with its run, for feeds of all runs; the run of an event of plugins is null.
fn enveloped(told: &Told) -> String {
    let run = told.run.as_ref().map_or_else(|| "null".to_owned(), |run| format!("\"{run}\""));
    format!("{{\"run\":{run},\"number\":{},\"event\":{}}}", told.number, told.text)
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
pub(super) async fn run(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    At(at): At<Selector>,
) -> Result<Response, Problem> {
    Ok(sse(of_run(&state, identity, at.run).await?))
}

pub(super) fn run_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    let op = op.summary("All events of a run (server-sent events)").tag("events");
    may_be(op, [EVENTS])
}

/// `GET /api/events`
pub(super) async fn all(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
) -> Result<Response, Problem> {
    Ok(sse(of_all(&state, identity)?))
}

pub(super) fn all_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    may_be(
        op.summary("New events of all runs and of the plugins (server-sent events)").tag("events"),
        [EVENTS],
    )
}

/// `WS /api/events/ws`
pub(super) async fn all_ws(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    Upgrade(upgrade): Upgrade,
) -> Result<Response, Problem> {
    let feed = of_all(&state, identity)?;
    let pulse = Pulse::new(&state);
    Ok(upgrade.on_upgrade(move |socket| talk(feed, pulse, socket)))
}

/// The heartbeat of a WebSocket: when the next ping is due, and when its client was last heard. Browsers and libraries answer
/// pings by themselves.
pub(super) struct Pulse {
    beat: Interval,
    heard: Instant,
    patience: Duration,
}

impl Pulse {
    pub(super) fn new(state: &Shared) -> Self {
        let period = Duration::from_nanos(state.app().settings().heartbeat_ns.value);
        let mut beat = tokio::time::interval_at(Instant::now() + period, period);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { beat, heard: Instant::now(), patience: SILENT.max(period.saturating_mul(SILENT_BEATS)) }
    }

    /// Notes that the client sent something, even if only a pong.
    pub(super) fn hear(&mut self) {
        self.heard = Instant::now();
    }

    /// Waits until the next ping is due; `false` if the client has been silent too long.
    pub(super) async fn is_alive(&mut self) -> bool {
        self.beat.tick().await;
        self.heard.elapsed() < self.patience
    }
}

pub(super) fn all_ws_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary(
        "New events of all runs and of the plugins (WebSocket); answers `ping` with `{\"pong\": true}`",
    )
    .tag("events")
}

/// Sends a message; `false` if the client is gone or does not accept it in time.
pub(super) async fn pass(socket: &mut WebSocket, message: Message) -> bool {
    let sent = tokio::time::timeout(PATIENCE, socket.send(message)).await;
    matches!(sent, Ok(Ok(())))
}

async fn talk(mut feed: Feed, mut pulse: Pulse, mut socket: WebSocket) {
    loop {
        let message = tokio::select! {
            told = feed.next() => match told {
                Some(told) => Message::Text(enveloped(&told).into()),
                None => return,
            },
            heard = socket.recv() => {
                pulse.hear();
                match heard {
                    Some(Ok(Message::Text(text))) if text.as_str().trim() == "ping" => {
                        Message::Text("{\"pong\":true}".into())
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => continue,
                }
            },
            is_alive = pulse.is_alive() => {
                if !is_alive {
                    return;
                }
                Message::Ping(Bytes::new())
            }
        };
        if !pass(&mut socket, message).await {
            return;
        }
    }
}
