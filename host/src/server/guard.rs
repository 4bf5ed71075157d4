//! Before a request reaches its handler: where it comes from, who asks, whether he may, and how often; and what is written
//! down of it.

use std::{
    net::SocketAddr,
    num::NonZeroU32,
    sync::{Arc, atomic::Ordering},
};

use axum::{
    extract::{Request, State as Of},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{
    problem::Problem,
    state::{Shared, State},
    tokens::{Identity, Scope},
};
use crate::app::Audited;

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Calls a second that may change something or cost much, for each who asks; and how many at once after a pause.
const CALLS: NonZeroU32 = NonZeroU32::new(50).expect("it is not zero");
const BURST: NonZeroU32 = NonZeroU32::new(200).expect("it is not zero");

/// How often each may call.
pub(super) type Limiter = DefaultKeyedRateLimiter<String>;

pub(super) fn limiter() -> Limiter {
    RateLimiter::keyed(Quota::per_second(CALLS).allow_burst(BURST))
}

/// What the guard needs.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    pub(super) state: Shared,
    pub(super) limiter: Arc<Limiter>,
}

pub(super) async fn guard(Of(guard): Of<Guard>, mut request: Request, next: Next) -> Response {
    let state = guard.state.clone();
    state.requests.fetch_add(1, Ordering::Relaxed);
    let id = uuid::Uuid::now_v7().simple().to_string();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let changes = !matches!(method, Method::GET | Method::HEAD);
    let checked = check(&guard, &request, changes);
    let who = checked.as_ref().map_or_else(|_| "nobody".to_owned(), |who| who.name.clone());
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_string()).unwrap_or_default();
    let mut response = match checked {
        Ok(identity) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        state.refusals.fetch_add(1, Ordering::Relaxed);
    }
    if changes {
        tracing::info!(id, who, peer, %method, path, status = status.as_u16(), "request");
    } else if status.is_server_error() {
        tracing::error!(id, who, peer, %method, path, status = status.as_u16(), "request");
    } else {
        tracing::debug!(id, who, peer, %method, path, status = status.as_u16(), "request");
    }
    if changes && path != SQL {
        let call = Audited {
            at: crate::timestamp::now(),
            request_id: id.clone(),
            who,
            peer,
            method: method.to_string(),
            path,
            status: status.as_u16(),
        };
        // The answer does not wait for it; at the end of the server, what is being written is written.
        tokio::task::spawn_blocking(move || {
            if let Err(error) = state.app.audit(&call) {
                tracing::error!(%error, "the audit log cannot be written");
            }
        });
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Asked with a body, but changes nothing.
const SQL: &str = "/api/sql";
/// What says only that the server lives, and what its interface is.
const OPEN: [&str; 4] = ["/healthz", "/readyz", "/docs", "/openapi.json"];

fn check(guard: &Guard, request: &Request, changes: bool) -> Result<Identity, Problem> {
    let (state, headers) = (&guard.state, request.headers());
    called_by_its_name(state, headers)?;
    let path = request.uri().path();
    if OPEN.contains(&path) {
        return Ok(Identity { name: "nobody".to_owned(), scope: Scope::Read });
    }
    let token = bearer(headers).or_else(|| in_query(request));
    let Some(identity) = state.tokens.identify(token.as_deref()) else {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "a token is needed: send `Authorization: Bearer TOKEN` (on the command line, set DYNO_TOKEN)",
        ));
    };
    let needed = needed(request.method(), path);
    if identity.scope < needed {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!(
                "the token `{}` has scope {:?}; {} {path} needs {needed:?}",
                identity.name,
                identity.scope,
                request.method()
            )
            .to_lowercase(),
        ));
    }
    if changes && guard.limiter.check_key(&identity.name).is_err() {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            format!("more than {CALLS} calls a second; wait a little"),
        ));
    }
    Ok(identity)
}

/// A page of somebody else must not use a browser to reach a server that trusts its own machine: such a request names
/// another host, or another origin.
fn called_by_its_name(state: &State, headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|it| it.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    if state.tokens.is_empty() && !state.names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!("this server is not called `{name}`; it is called {}", state.names.join(", ")),
        ));
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let from = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    if from.eq_ignore_ascii_case(host) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, format!("pages of `{origin}` may not use this server")))
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// A browser cannot give headers to a WebSocket or to server-sent events: there the token may stand in the address.
fn in_query(request: &Request) -> Option<String> {
    let headers = request.headers();
    let accepts = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if !headers.contains_key(header::UPGRADE) && !accepts.contains("text/event-stream") {
        return None;
    }
    let query = request.uri().query()?;
    query.split('&').find_map(|pair| pair.strip_prefix("access_token=")).map(str::to_owned)
}

/// What one must be allowed for a call.
fn needed(method: &Method, path: &str) -> Scope {
    let switches =
        path.starts_with("/api/plugins/") && (path.ends_with("/enable") || path.ends_with("/disable"));
    match *method {
        _ if path == "/api/audit" || switches => Scope::Admin,
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
        ] {
            assert_eq!(needed(&method, path), scope, "{method} {path}");
        }
        assert!(Scope::Admin > Scope::Run && Scope::Run > Scope::Read);
    }
}
