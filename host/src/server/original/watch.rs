//! The status of a run over a WebSocket.

use aide::transform::TransformOperation;
use axum::{
    Extension,
    body::Bytes,
    extract::{
        State as Of,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
    },
    response::Response,
};
use serde_json::json;

use super::standing::{RunId, standing};
use crate::access::Identity;
use crate::server::{
    events::{Pulse, pass},
    extract::{At, Upgrade},
    problem::Problem,
    state::Shared,
    staying::Stay,
};

/// `WS /api/benchmark/ws/{run_id}`
pub(crate) async fn watch(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    At(at): At<RunId>,
    Upgrade(upgrade): Upgrade,
) -> Result<Response, Problem> {
    let (stay, pulse) = (state.a_place_to_stay(identity)?, Pulse::new(&state));
    Ok(upgrade.on_upgrade(move |socket| watched(state, at.run_id, stay, pulse, socket)))
}

pub(crate) fn watch_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Status of a run (WebSocket)")
        .description(
            "Sends the status on connection and after every change. Answers `ping` with `{\"pong\": true}`, and `status` \
             with the current status.",
        )
        .tag("original")
}

async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> bool {
    pass(socket, Message::Text(text)).await
}

fn utf8(bytes: Bytes) -> Utf8Bytes {
    Utf8Bytes::try_from(bytes).unwrap_or_default()
}

async fn watched(state: Shared, run: String, mut stay: Stay, mut pulse: Pulse, mut socket: WebSocket) {
    let mut live = state.service.table().watch(&run);
    let first = match &mut live {
        Some(live) => Ok(utf8(live.borrow_and_update().clone())),
        None => standing(&state, &run).await.map(|status| json!(status).to_string().into()),
    };
    let Ok(mut latest) = first else {
        let said = json!({"error": format!("Benchmark run {run} not found")}).to_string();
        send(&mut socket, said.into()).await;
        let _ =
            socket.send(Message::Close(Some(CloseFrame { code: 1000, reason: Utf8Bytes::default() }))).await;
        return;
    };
    if !send(&mut socket, latest.clone()).await {
        return;
    }
    loop {
        let changed = async {
            match &mut live {
                Some(live) => live.changed().await.map(|()| utf8(live.borrow_and_update().clone())).ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = changed => match status {
                Some(status) => {
                    latest = status;
                    if !send(&mut socket, latest.clone()).await {
                        return;
                    }
                }
                // It has ended, and that has been told.
                None => live = None,
            },
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => {
                    pulse.hear();
                    let answer = match text.as_str().trim() {
                        "ping" => Utf8Bytes::from_static("{\"pong\":true}"),
                        "status" => match state.service.table().status(&run) {
                            Some(status) => json!(status).to_string().into(),
                            None => latest.clone(),
                        },
                        _ => continue,
                    };
                    if !send(&mut socket, answer).await {
                        return;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => pulse.hear(),
            },
            () = stay.is_over() => return,
            is_alive = pulse.is_alive() => {
                if !is_alive || !pass(&mut socket, Message::Ping(Bytes::new())).await {
                    return;
                }
            }
        }
    }
}
