//! `dyno dashboard`: the page from this program, and behind it the API of a server elsewhere. The browser talks to this machine
//! alone, so the server needs no rule for foreign pages.

use std::{str::FromStr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State as Of},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header,
        uri::{Authority, PathAndQuery, Scheme},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};

use super::{
    connections::{self, Doors, FAREWELL, accept},
    error::{ServeError, system},
    listen::{bind, runtime, url},
    naming::{LOOPBACK, called_by_its_name},
    page,
    problem::Problem,
};

/// Only this machine reaches the dashboard: the server's token protects the server, and nothing protects this.
const HOST: &str = "127.0.0.1";
/// Timeout for connecting to the server.
const CONNECT: Duration = Duration::from_secs(5);
/// Timeout until an answer begins; the server has a shorter one of its own.
const ANSWER: Duration = Duration::from_secs(130);
/// Idle connections to the server that are kept.
const IDLE: usize = 8;
/// Headers about one connection, not about the message, beside those that `connection` lists (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Address of a server: scheme, host, and the path below which its API is, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUrl {
    scheme: Scheme,
    authority: Authority,
    prefix: String,
}

impl FromStr for ApiUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            |why: &str| format!("`{text}` {why}; give the address of a dyno server, like http://lab:8000");
        let uri: Uri = text.parse().map_err(|error| refused(&format!("is not a URL ({error})")))?;
        let parts = uri.into_parts();
        let scheme = parts.scheme.ok_or_else(|| refused("does not begin with http:// or https://"))?;
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(refused(&format!("has the scheme `{scheme}`, which is neither http nor https")));
        }
        let authority = parts.authority.ok_or_else(|| refused("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(refused("contains a user or password, which dyno servers do not have"));
        }
        let path = parts.path_and_query.unwrap_or(PathAndQuery::from_static("/"));
        if path.query().is_some() {
            return Err(refused("contains a query"));
        }
        Ok(Self { scheme, authority, prefix: path.path().trim_end_matches('/').to_owned() })
    }
}

impl std::fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

impl ApiUrl {
    /// The same request, asked there.
    fn of(&self, asked: &Uri) -> Result<Uri, axum::http::Error> {
        let path = asked.path_and_query().map_or("/", PathAndQuery::as_str);
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(format!("{}{path}", self.prefix))
            .build()
    }
}

/// A dashboard that is there.
#[derive(Debug)]
pub struct Proxied {
    /// Address for the browser.
    pub url: String,
    /// Why the server could not be asked, if so: the page keeps trying.
    pub trouble: Option<String>,
}

/// Shows the page on this machine until a signal ends the process. `ready` is called once requests are answered.
///
/// # Errors
/// When this program has no page, the port is taken, or a system call fails.
pub fn dashboard(port: u16, api: ApiUrl, ready: &mut dyn FnMut(&Proxied)) -> Result<(), ServeError> {
    if !dyno_dashboard::is_complete() {
        return Err(ServeError::Settings(dyno_dashboard::MISSING.to_owned()));
    }
    let connections = connections::most();
    let listener = bind(HOST, port, "--port")?;
    let address = listener.local_addr().map_err(system("cannot tell the own address"))?;
    let upstream = Upstream::new(api);
    let runtime = runtime()?;
    let trouble = runtime.block_on(upstream.trouble());
    let proxied = Proxied { url: url("http", address), trouble };
    let router = Router::new()
        .route("/", get(page::index))
        .route("/page/{*file}", get(page::asset))
        .fallback(forward)
        .layer(middleware::from_fn(guard))
        .with_state(upstream);
    // A stream ends when the browser or the server ends it: none is waited for.
    let staying = || connections as usize;
    let served = runtime
        .block_on(accept(Doors::plain(listener), connections, router, &staying, &mut || ready(&proxied)));
    runtime.shutdown_timeout(FAREWELL);
    served
}

/// Refuses foreign pages, which a browser would let talk to this machine.
async fn guard(request: Request, next: Next) -> Response {
    match called_by_its_name(Some(&LOOPBACK), &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// The server behind the page.
#[derive(Debug, Clone)]
struct Upstream {
    api: ApiUrl,
    client: Client<HttpsConnector<HttpConnector>, Body>,
}

impl Upstream {
    fn new(api: ApiUrl) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        // A small system has no certificates of its own: then those count that browsers bring along.
        let tls = HttpsConnectorBuilder::new()
            .with_native_roots()
            .unwrap_or_else(|_| HttpsConnectorBuilder::new().with_webpki_roots());
        let tls = tls.https_or_http().enable_http1();
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(IDLE).build(tls.wrap_connector(tcp));
        Self { api, client }
    }

    /// Why the server does not answer, if so.
    async fn trouble(&self) -> Option<String> {
        let asked = Request::builder().uri("/healthz").body(Body::empty()).ok()?;
        match self.ask(asked).await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!(
                "{} answers {} and does not seem to be a dyno server",
                self.api,
                answer.status()
            )),
            Err(problem) => Some(problem.detail().to_owned()),
        }
    }

    async fn ask(&self, mut request: Request) -> Result<Response, Problem> {
        *request.uri_mut() = self.api.of(request.uri()).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, format!("`{}` cannot be asked: {error}", request.uri()))
        })?;
        let headers = request.headers_mut();
        // The server checks both, as this program did: to it, the page is its own.
        let host = HeaderValue::from_str(self.api.authority.as_str());
        headers.insert(header::HOST, host.map_err(|error| Problem::internal(&error))?);
        if headers.contains_key(header::ORIGIN) {
            let origin = HeaderValue::from_str(&format!("{}://{}", self.api.scheme, self.api.authority));
            headers.insert(header::ORIGIN, origin.map_err(|error| Problem::internal(&error))?);
        }
        let gateway = |status, why: String| {
            Problem::new(
                status,
                format!(
                    "the server at {} does not answer: {why}; check that it runs, or give another --api-url",
                    self.api
                ),
            )
        };
        let late =
            |_| gateway(StatusCode::GATEWAY_TIMEOUT, format!("nothing came for {} s", ANSWER.as_secs()));
        let answered = tokio::time::timeout(ANSWER, self.client.request(request)).await.map_err(late)?;
        let answer = answered.map_err(|error| gateway(StatusCode::BAD_GATEWAY, reason(&error)))?;
        Ok(answer.map(Body::new))
    }
}

/// Passes a request on to the server and its answer back, and then the bytes of a WebSocket.
async fn forward(Of(upstream): Of<Upstream>, mut request: Request) -> Result<Response, Problem> {
    let upgrade = request.headers().get(header::UPGRADE).cloned();
    without_hops(request.headers_mut());
    let Some(protocol) = upgrade else {
        let mut answer = upstream.ask(request).await?;
        without_hops(answer.headers_mut());
        return Ok(answer);
    };
    let ours = hyper::upgrade::on(&mut request);
    upgrading(request.headers_mut(), protocol);
    let mut answer = upstream.ask(request).await?;
    let switched = answer.headers_mut().remove(header::UPGRADE);
    without_hops(answer.headers_mut());
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(answer);
    }
    let theirs = hyper::upgrade::on(&mut answer);
    tokio::spawn(async move {
        if let (Ok(ours), Ok(theirs)) = (ours.await, theirs.await) {
            // It ends when one side does, and a broken connection is not an error.
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(ours), &mut TokioIo::new(theirs)).await;
        }
    });
    let mut switching = answer.map(|_| Body::empty());
    if let Some(protocol) = switched {
        upgrading(switching.headers_mut(), protocol);
    }
    Ok(switching)
}

fn upgrading(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

fn without_hops(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in listed.into_iter().chain(HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The cause below an error that has none itself: there the reason is.
fn reason(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_address() {
        for (text, shown) in [
            ("http://localhost:8000", "http://localhost:8000"),
            ("https://lab.example.org/dyno/", "https://lab.example.org/dyno"),
            ("http://[::1]:1", "http://[::1]:1"),
        ] {
            let url: ApiUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
        }
        for (text, fragment) in [
            ("", "is not a URL"),
            ("localhost:8000", "does not begin with http://"),
            ("lab", "does not begin with http://"),
            ("ftp://lab", "neither http nor https"),
            ("http://me:secret@lab", "user or password"),
            ("http://lab?x=1", "contains a query"),
        ] {
            let refused = text.parse::<ApiUrl>().unwrap_err();
            assert!(refused.contains(fragment) && refused.contains("like http://lab:8000"), "{refused}");
        }
    }

    #[test]
    fn what_is_about_the_connection_stays_behind() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "keep-alive, x-hop"), ("x-hop", "1"), ("te", "trailers"), ("accept", "*/*")]
        {
            headers.insert(name, HeaderValue::from_static(value));
        }
        without_hops(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
    }

    #[test]
    fn a_request_keeps_its_path_below_that_of_the_server() {
        let url: ApiUrl = "https://lab/dyno/".parse().unwrap();
        let asked = "/api/runs?limit=3".parse().unwrap();
        assert_eq!(url.of(&asked).unwrap().to_string(), "https://lab/dyno/api/runs?limit=3");
    }
}
