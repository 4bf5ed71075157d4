//! One server: its address, the right to use it, and what it says.

use std::{fmt, io::Read, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio_rustls::rustls::{self, CertificateError};
use ureq::{config::ConfigBuilder, typestate::AgentScope};

use super::{Found, writer::Writer};
use crate::outgoing::asking;

/// Longest time for an answer. Long exports take a while; a server that hangs must not.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Longest time for finding out whether a server is there.
const GLANCE: Duration = Duration::from_secs(2);
/// Longest time for a short answer of a server that answers.
const SHORT: Duration = Duration::from_secs(10);
/// A server that has said nothing on a stream for so long is gone: it gives a sign of life every second.
const SILENCE: Duration = Duration::from_secs(30);
/// The header with the SHA-256 of an answer, in hexadecimal.
pub const SHA256: &str = "x-dyno-sha256";
/// Longest answer [bytes].
const MAX_ANSWER: u64 = 1 << 30;

/// Why a server did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// It cannot be reached.
    #[error("the server {url} cannot be reached: {message}; is `dyno serve` running there?")]
    Unreachable {
        /// Its address.
        url: String,
        /// What the system said.
        message: String,
    },
    /// Its certificate is not accepted.
    #[error("the certificate of the server {url} is not accepted: {message}")]
    Untrusted {
        /// Its address.
        url: String,
        /// What is wrong with it.
        message: String,
    },
    /// It refused.
    #[error("{detail}")]
    Refused {
        /// Status of HTTP.
        status: u16,
        /// A sentence.
        detail: String,
    },
    /// It was asked to stop a run, and has not.
    #[error(
        "the server {url} has not stopped the run {run} in time; it goes on there, and `dyno results {run}` shows how it stands"
    )]
    NotStopped {
        /// Its address.
        url: String,
        /// The run.
        run: String,
    },
    /// It, or the network, ended an answer before its end.
    #[error("the server {url} broke off before everything had arrived: {message}; try again")]
    BrokenOff {
        /// Its address.
        url: String,
        /// What the system said.
        message: String,
    },
    /// Its answer is none.
    #[error("the server {url} gave an answer that cannot be read: {message}; is it of this version?")]
    Unreadable {
        /// Its address.
        url: String,
        /// What is wrong with it.
        message: String,
    },
}

impl ServerError {
    /// Whether the user can mend it by asking for something else.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Refused { status: 400..=499, .. })
    }
}

/// A server.
#[derive(Debug, Clone)]
pub struct Connection {
    url: String,
    token: Option<String>,
    /// The process that must be the one that answers, where the server was found and not named.
    writer: Option<Writer>,
}

impl Connection {
    /// The server at an address that the user named. Asks nothing yet.
    #[must_use]
    pub fn new(url: &str, token: Option<String>) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), token, writer: None }
    }

    /// A server that was found beside its database. Nothing is sent to its address once its process has ended.
    #[must_use]
    pub fn found(server: Found, token: Option<String>) -> Self {
        Self { writer: Some(server.writer), ..Self::new(&server.url, token) }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// When it cannot be reached, or answers like no server of dyno.
    pub fn reach(&self) -> Result<(), ServerError> {
        let agent = self.agent(Some(GLANCE));
        self.answered(agent.get(format!("{}/healthz", self.url)).call()).map(drop)
    }

    /// Asks for something. `query` is made of names and values.
    ///
    /// # Errors
    /// When it cannot be reached, refuses, or gives no such answer.
    pub fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, ServerError> {
        self.get_within(TIMEOUT, path, query)
    }

    /// Asks for something short, and does not wait long for it.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub fn glance<T: DeserializeOwned>(&self, path: &str) -> Result<T, ServerError> {
        self.get_within(SHORT, path, &[])
    }

    fn get_within<T: DeserializeOwned>(
        &self,
        timeout: Duration,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, ServerError> {
        let mut request = self.agent(Some(timeout)).get(self.address(path));
        for (name, value) in query {
            request = request.query(*name, value);
        }
        let text = self.text(self.with_token(request)?.call())?;
        self.read(&text)
    }

    /// Asks for bytes.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub fn bytes(&self, path: &str, query: &[(&str, String)]) -> Result<Vec<u8>, ServerError> {
        let mut request = self.agent(Some(TIMEOUT)).get(self.address(path));
        for (name, value) in query {
            request = request.query(*name, value);
        }
        let mut answer = self.answered(self.with_token(request)?.call())?;
        answer
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_to_vec()
            .map_err(|error| self.unreadable(&error))
    }

    /// Posts a body.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ServerError> {
        self.send(self.agent(Some(TIMEOUT)).post(self.address(path)), body)
    }

    /// Puts a body.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ServerError> {
        self.send(self.agent(Some(TIMEOUT)).put(self.address(path)), body)
    }

    /// Asks for a large answer, which is read as it comes.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub fn download(&self, path: &str) -> Result<Download, ServerError> {
        let config = self.config(None).timeout_connect(Some(SHORT)).timeout_per_read(Some(TIMEOUT));
        let agent: ureq::Agent = config.build().into();
        let answer = self.answered(self.with_token(agent.get(self.address(path)))?.call())?;
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.ok_or_else(|| self.unreadable(&format!("it has no `{name}`")))
        };
        let bytes = header("content-length")?.parse().map_err(|error| self.unreadable(&error))?;
        let sha256 = header(SHA256)?.to_owned();
        Ok(Download { bytes, sha256, content: Box::new(answer.into_body().into_reader()) })
    }

    /// A stream of events as it comes.
    pub(super) fn stream(&self, path: &str) -> Result<impl Read, ServerError> {
        let config = self.config(None).timeout_connect(Some(SHORT)).timeout_per_read(Some(SILENCE));
        let agent: ureq::Agent = config.build().into();
        let request = agent.get(self.address(path)).header("accept", "text/event-stream");
        let answer = self.answered(self.with_token(request)?.call())?;
        Ok(answer.into_body().into_reader())
    }

    fn send<T: DeserializeOwned>(
        &self,
        request: ureq::RequestBuilder<ureq::typestate::WithBody>,
        body: &impl Serialize,
    ) -> Result<T, ServerError> {
        let body = serde_json::to_string(body).map_err(|error| self.unreadable(&error))?;
        let request = request.header("content-type", "application/json");
        let text = self.text(self.with_token(request)?.send(&body))?;
        self.read(&text)
    }

    fn agent(&self, timeout: Option<Duration>) -> ureq::Agent {
        self.config(timeout).build().into()
    }

    fn config(&self, timeout: Option<Duration>) -> ConfigBuilder<AgentScope> {
        let config = asking(&self.url).timeout_global(timeout).http_status_as_error(false);
        // What was found beside a database is on this machine, whatever its address.
        if self.writer.is_some() { config.proxy(None) } else { config }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A request with the token, unless the process that is to have it has ended.
    fn with_token<B>(
        &self,
        request: ureq::RequestBuilder<B>,
    ) -> Result<ureq::RequestBuilder<B>, ServerError> {
        if self.writer.as_ref().is_some_and(|writer| !writer.listens()) {
            return Err(self.unreachable(&"its process has ended"));
        }
        Ok(match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        })
    }

    fn text(&self, answer: Result<Answer, ureq::Error>) -> Result<String, ServerError> {
        let mut answer = self.answered(answer)?;
        answer
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_to_string()
            .map_err(|error| self.unreadable(&error))
    }

    /// An answer that is no refusal.
    fn answered(&self, answer: Result<Answer, ureq::Error>) -> Result<Answer, ServerError> {
        let mut answer = answer.map_err(|error| match untrusted(&error) {
            Some(message) => ServerError::Untrusted { url: self.url.clone(), message },
            None => self.unreachable(&error),
        })?;
        let status = answer.status().as_u16();
        if answer.status().is_success() {
            return Ok(answer);
        }
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        let detail = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|body| body["detail"].as_str().map(str::to_owned));
        let detail = detail.unwrap_or_else(|| format!("the server {} answered {status}", self.url));
        Err(ServerError::Refused { status, detail })
    }

    fn read<T: DeserializeOwned>(&self, text: &str) -> Result<T, ServerError> {
        serde_json::from_str(text).map_err(|error| self.unreadable(&error))
    }

    /// An error for a server that does not answer.
    pub(super) fn unreachable(&self, error: &dyn fmt::Display) -> ServerError {
        ServerError::Unreachable { url: self.url.clone(), message: error.to_string() }
    }

    /// An error for an answer that ended too early.
    #[must_use]
    pub fn broken_off(&self, error: &dyn fmt::Display) -> ServerError {
        ServerError::BrokenOff { url: self.url.clone(), message: error.to_string() }
    }

    /// An error for an answer that makes no sense.
    #[must_use]
    pub fn unreadable(&self, error: &dyn fmt::Display) -> ServerError {
        ServerError::Unreadable { url: self.url.clone(), message: error.to_string() }
    }
}

/// How `rustls`, which has no type for it, calls a certificate of an authority that a server shows as its own.
const AUTHORITY_AS_SERVER: &str = "CaUsedAsEndEntity";

/// What is wrong with a server's certificate, if that is the cause.
fn untrusted(error: &ureq::Error) -> Option<String> {
    let found = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|cause| cause.downcast_ref()),
        _ => None,
    };
    let rustls::Error::InvalidCertificate(why) = found? else { return None };
    let unknown = "no authority that this system trusts made it; name the file with the certificate of its authority in SSL_CERT_FILE";
    let authority = "it is that of an authority; make a self-signed one with `-addext basicConstraints=critical,CA:FALSE`";
    Some(match why {
        CertificateError::UnknownIssuer => unknown.to_owned(),
        CertificateError::Other(why) if why.to_string().contains(AUTHORITY_AS_SERVER) => authority.to_owned(),
        other => other.to_string(),
    })
}

/// A large answer.
pub struct Download {
    /// Its length [bytes].
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// Its content as it comes.
    pub content: Box<dyn Read>,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

type Answer = ureq::http::Response<ureq::Body>;
