//! Middleware for every request: checks its host and origin, authenticates and authorises the caller, limits its rate, and logs
//! it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State as Of},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{
    naming::called_by_its_name,
    page,
    peers::{Peers, Standing},
    problem::Problem,
    state::{Shared, State},
};
use crate::{
    access::{Identity, Scope, Stranger},
    app::Audited,
};

/// Address of the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Rate limit per token of calls that change something [calls/s], and the burst allowed after a pause.
const CALLS: NonZeroU32 = NonZeroU32::new(50).expect("it is not zero");
const BURST: NonZeroU32 = NonZeroU32::new(200).expect("it is not zero");
/// Timeout until an answer begins.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Paths in the log are cut to this length [characters].
const LONGEST_PATH: usize = 300;

/// Rate limits, by name of the token.
type Limiter = DefaultKeyedRateLimiter<String>;

/// What the middleware keeps between requests.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    state: Shared,
    limiter: Arc<Limiter>,
    peers: Arc<Peers>,
}

impl Guard {
    pub(super) fn new(state: Shared) -> Self {
        let limiter = RateLimiter::keyed(Quota::per_second(CALLS).allow_burst(BURST));
        Self { state, limiter: Arc::new(limiter), peers: Arc::default() }
    }
}

/// A refused call: it does not reach its handler.
enum Refusal {
    /// The caller has no valid token.
    Stranger(Problem),
    /// The token is valid, but lacks the scope or exceeds its rate limit.
    Known(String, Problem),
}

pub(super) async fn guard(Of(guard): Of<Guard>, request: Request, next: Next) -> Response {
    let state = guard.state.clone();
    state.requests.fetch_add(1, Ordering::Relaxed);
    let mut call = Audited {
        at: crate::timestamp::now(),
        request_id: uuid::Uuid::now_v7().simple().to_string(),
        who: "nobody".to_owned(),
        peer: peer(&request).to_string(),
        method: request.method().to_string(),
        path: request.uri().path().chars().take(LONGEST_PATH).collect(),
        status: LEFT,
    };
    let changes = changes(request.method());
    // A caller that is refused again and again must not fill the log.
    let mut is_worth_a_line = changes;
    let mut response = match check(&guard, &request) {
        Ok(identity) => {
            call.who.clone_from(&identity.name);
            admitted(&state, identity, request, next, &call).await
        }
        Err(Refusal::Known(who, problem)) => {
            call.who = who;
            problem.into_response()
        }
        Err(Refusal::Stranger(problem)) => {
            let standing = guard.peers.refuse(peer(&request), Instant::now());
            if standing == Standing::SpentAndNew {
                tracing::warn!(peer = call.peer, "a peer is refused so often that it is cut short");
            }
            is_worth_a_line &= standing == Standing::Patient;
            let problem = if standing == Standing::Patient { problem } else { refused_too_often() };
            problem.into_response()
        }
    };
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        state.refusals.fetch_add(1, Ordering::Relaxed);
    }
    let Audited { request_id: id, who, peer, method, path, .. } = &call;
    let status = status.as_u16();
    if is_worth_a_line {
        tracing::info!(id, who, peer, method, path, status, "request");
    } else if status >= 500 && status != FULL {
        tracing::error!(id, who, peer, method, path, status, "request");
    } else {
        tracing::debug!(id, who, peer, method, path, status, "request");
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Answers an authorised call, and notes it in the audit log if it may have changed something.
async fn admitted(
    state: &Shared,
    identity: Identity,
    mut request: Request,
    next: Next,
    call: &Audited,
) -> Response {
    let path = request.uri().path();
    let is_audited = changes(request.method()) && path != SQL || path == BACKUP;
    let mut unanswered = Unanswered { state, call: is_audited.then_some(call) };
    request.extensions_mut().insert(identity);
    let late = || Problem::new(StatusCode::REQUEST_TIMEOUT, "the answer took longer than 120 s");
    let answer = tokio::time::timeout(TIMEOUT, next.run(request)).await;
    let answer = answer.unwrap_or_else(|_| late().into_response());
    unanswered.call = None;
    let status = answer.status();
    // What was refused changed nothing: it is counted, and stands in the log.
    if is_audited && !status.is_client_error() {
        state.audit.note(Audited { status: status.as_u16(), ..call.clone() }).await;
    }
    answer
}

/// Notes a call in the audit log even if its client disconnects before the answer: its effect may have taken place.
struct Unanswered<'a> {
    state: &'a State,
    call: Option<&'a Audited>,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            self.state.audit.note_in_passing(call.clone());
        }
    }
}

/// The server is at capacity. Not logged as an error: callers could fill the log with it.
const FULL: u16 = StatusCode::SERVICE_UNAVAILABLE.as_u16();
/// Logged as the status if the client disconnected before the answer, as nginx does.
const LEFT: u16 = 499;

fn peer(request: &Request) -> IpAddr {
    request.extensions().get::<Peer>().map_or(Ipv4Addr::LOCALHOST.into(), |peer| peer.0.ip())
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

fn refused_too_often() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too many calls from your address were refused; wait a minute, and send a valid token",
    )
}

/// A POST that changes nothing.
const SQL: &str = "/api/sql";
/// Endpoints that need no token: they reveal only that the server runs, its API, and the dashboard without any data.
const OPEN: [&str; 5] = ["/", "/healthz", "/readyz", "/docs", "/openapi.json"];

fn is_open(path: &str) -> bool {
    OPEN.contains(&path) || path.starts_with(page::FOLDER)
}

fn check(guard: &Guard, request: &Request) -> Result<Identity, Refusal> {
    let (state, headers, peer) = (&guard.state, request.headers(), peer(request));
    // A proxy on this machine forwards many clients: those with a valid token must still be answered.
    if !peer.is_loopback() && guard.peers.is_spent(peer, Instant::now()) {
        return Err(Refusal::Stranger(refused_too_often()));
    }
    // With tokens, any name will do: a foreign page has none.
    let names = (!state.tokens.are_needed()).then_some(state.names.as_slice());
    called_by_its_name(names, request).map_err(Refusal::Stranger)?;
    let path = request.uri().path();
    if is_open(path) {
        return Ok(Identity::nobody());
    }
    let token = bearer(headers).or_else(|| in_query(request));
    let identity = state.tokens.identify(token.as_deref()).map_err(|stranger| {
        let detail = match stranger {
            Stranger::Unknown => {
                "this token is not accepted: it is mistyped, or was revoked; ask the operator of the server for one".to_owned()
            }
            Stranger::Nameless => {
                "a token is needed: send `Authorization: Bearer TOKEN` (on the command line, set DYNO_TOKEN)"
                    .to_owned()
            }
            Stranger::Expired { name, at } => {
                format!("the token `{name}` expired at {at}; ask the operator of the server for a new one")
            }
        };
        Refusal::Stranger(Problem::new(StatusCode::UNAUTHORIZED, detail))
    })?;
    let refused =
        |status, detail: String| Err(Refusal::Known(identity.name.clone(), Problem::new(status, detail)));
    // Before its scope: a call that is refused costs something, too.
    if changes(request.method()) && guard.limiter.check_key(&identity.name).is_err() {
        return refused(
            StatusCode::TOO_MANY_REQUESTS,
            format!("more than {CALLS} calls per second; wait a second"),
        );
    }
    let needed = needed(request.method(), path);
    if identity.scope < needed {
        let detail = format!(
            "the token `{}` has scope {:?}; {} {path} needs {needed:?}",
            identity.name,
            identity.scope,
            request.method()
        );
        return refused(StatusCode::FORBIDDEN, detail.to_lowercase());
    }
    Ok(identity)
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The token in the address. Browsers cannot set headers on WebSockets and event streams, so only these may use it.
fn in_query(request: &Request) -> Option<String> {
    let headers = request.headers();
    let accepts = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if !headers.contains_key(header::UPGRADE) && !accepts.contains("text/event-stream") {
        return None;
    }
    let query = request.uri().query()?;
    query.split('&').find_map(|pair| pair.strip_prefix("access_token=")).map(str::to_owned)
}

/// A GET that hands out everything.
const BACKUP: &str = "/api/backup";
/// Endpoints for operators: they read or remove what everybody stored.
const ADMINS: [&str; 3] = ["/api/audit", BACKUP, "/api/vacuum"];

/// The scope that a call requires.
fn needed(method: &Method, path: &str) -> Scope {
    let switches =
        path.starts_with("/api/plugins/") && (path.ends_with("/enable") || path.ends_with("/disable"));
    match *method {
        _ if ADMINS.contains(&path) || switches => Scope::Admin,
        Method::GET | Method::HEAD => Scope::Read,
        Method::POST if path == SQL => Scope::Read,
        Method::DELETE if !path.contains("/tags/") => Scope::Admin,
        _ => Scope::Run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_needs_its_scope() {
        for (method, path, scope) in [
            (Method::GET, "/api/runs", Scope::Read),
            (Method::POST, "/api/sql", Scope::Read),
            (Method::POST, "/api/runs", Scope::Run),
            (Method::POST, "/api/benchmark/run", Scope::Run),
            (Method::PUT, "/api/baselines/main", Scope::Run),
            (Method::DELETE, "/api/runs/x/tags/y", Scope::Run),
            (Method::DELETE, "/api/runs/x", Scope::Admin),
            (Method::POST, "/api/plugins/x/disable", Scope::Admin),
            (Method::GET, "/api/audit", Scope::Admin),
            (Method::GET, "/api/backup", Scope::Admin),
            (Method::POST, "/api/vacuum", Scope::Admin),
        ] {
            assert_eq!(needed(&method, path), scope, "{method} {path}");
        }
        assert!(is_open("/") && is_open("/page/app.js") && !is_open("/api/me") && !is_open("/pages"));
    }
}
