//! Connections: the limit on their number, and the life of each until the server shuts down.

use std::{
    convert::Infallible,
    net::{SocketAddr, TcpListener},
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Router,
    body::HttpBody,
    http::{HeaderValue, StatusCode, header::CONNECTION},
};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sd_notify::NotifyState;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    signal::unix::{Signal, SignalKind, signal},
    sync::{Semaphore, watch},
};
use tower::ServiceExt;

use super::{
    error::{ServeError, system},
    guard::Peer,
    socket::{Refused, Socket},
    tls::Tls,
};
use crate::app::{Cancel, is_ignored};

/// Maximum number of open connections if the limit on open files allows it.
const CONNECTIONS: u32 = 4_096;
/// Minimum, however low the limit on open files is.
const FEWEST: u64 = 64;
/// Open files reserved for the database, workers and reports.
const OTHER_FILES: u64 = 256;
/// Assumed limit on open files if the system does not report one.
const USUAL_FILES: u64 = 1_024;
/// Timeout for the head of a request, and for the beginning of TLS.
const HEAD: Duration = Duration::from_secs(10);
/// Size of the read and write buffers [bytes], which also limits the head of a request.
const BUFFER: usize = 64 << 10;
/// How long the server waits at shutdown for answers in progress.
pub(super) const FAREWELL: Duration = Duration::from_secs(3);

/// Raises the limit on open files to the most the system allows: each connection is one file, and the usual 1,024 are too
/// few. Returns the limit.
fn more_files() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return USUAL_FILES };
    if soft < hard
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::warn!(%error, "no more than {soft} connections and files are possible");
        return soft;
    }
    hard
}

/// The number of connections that this limit on open files leaves room for.
fn connections(files: u64) -> u32 {
    let left = files.saturating_sub(OTHER_FILES).max(FEWEST);
    u32::try_from(left).unwrap_or(CONNECTIONS).min(CONNECTIONS)
}

/// The number of connections this process can hold, after raising its limit on open files.
pub(super) fn most() -> u32 {
    connections(more_files())
}

/// The signals that shut the server down.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
    /// Absent if SIGHUP is ignored: `nohup` started the server so that it outlives its terminal.
    hang_up: Option<Signal>,
}

impl Ends {
    fn listen() -> std::io::Result<Self> {
        let hang_up = SignalKind::hangup();
        let is_deaf = is_ignored(hang_up.as_raw_value());
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: if is_deaf { None } else { Some(signal(hang_up)?) },
        })
    }

    async fn first(&mut self) {
        let hung_up = async {
            match &mut self.hang_up {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = hung_up => {}
        }
    }
}

/// Where connections arrive.
#[derive(Debug)]
pub(super) struct Doors {
    /// The address that everybody is told.
    pub(super) main: TcpListener,
    /// TLS of that address.
    pub(super) tls: Option<Arc<Tls>>,
    /// An address without TLS for commands on this machine, if there is TLS.
    pub(super) inner: Option<TcpListener>,
}

impl Doors {
    /// One address, without TLS.
    pub(super) fn plain(main: TcpListener) -> Self {
        Self { main, tls: None, inner: None }
    }
}

/// Accepts connections until a signal ends the server. `ready` is called once they are accepted; `staying` counts those that
/// would never end by themselves.
pub(super) async fn accept(
    doors: Doors,
    connections: u32,
    router: Router,
    staying: &dyn Fn() -> usize,
    ready: &mut dyn FnMut(),
) -> Result<(), ServeError> {
    let refused = || system("cannot listen for connections and signals");
    let listen = |listener: TcpListener| {
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener)
    };
    let main = listen(doors.main).map_err(refused())?;
    let inner = doors.inner.map(listen).transpose().map_err(refused())?;
    let mut ends = Ends::listen().map_err(refused())?;
    // A second signal ends the server without waiting for running launches.
    Cancel::armed().map_err(refused())?;
    let room = Arc::new(Semaphore::new(connections as usize));
    let (end, ending) = watch::channel(false);
    ready();
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let mut ended = pin!(ends.first());
    loop {
        let at_inner = async {
            match &inner {
                Some(inner) => inner.accept().await,
                None => std::future::pending().await,
            }
        };
        let (accepted, tls) = tokio::select! {
            accepted = main.accept() => (accepted, doors.tls.clone()),
            accepted = at_inner => (accepted, None),
            () = ended.as_mut() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, most likely: they become fewer.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // At the limit, a new connection is closed at once.
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let refused = Refused::default();
        let socket = Socket::new(stream, place, Arc::clone(&refused));
        let (router, ending) = (router.clone(), ending.clone());
        let Some(tls) = tls else {
            tokio::spawn(serve(socket, peer, refused, router, ending));
            continue;
        };
        tokio::spawn(async move {
            if let Ok(Some(stream)) = tokio::time::timeout(HEAD, tls.begin(socket)).await {
                serve(stream, peer, refused, router, ending).await;
            }
        });
    }
    drop((main, inner));
    end.send_replace(true);
    // Every answer is given when only those are left that do not end by themselves.
    let staying = u32::try_from(staying()).unwrap_or(connections);
    let _ = tokio::time::timeout(FAREWELL, room.acquire_many(connections.saturating_sub(staying))).await;
    Ok(())
}

/// Answers the requests of one connection until it closes or the server shuts down. A broken connection is not an error.
async fn serve(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    refused: Refused,
    router: Router,
    mut ending: watch::Receiver<bool>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        let has_body = !request.body().is_end_stream();
        let refused = Arc::clone(&refused);
        request.extensions_mut().insert(Peer(peer));
        let answered = router.clone().oneshot(request);
        async move {
            let mut answer = answered.await?;
            // Its body may be unread, and then nothing more can be asked on this connection. A server that is full wants
            // the place back.
            let is_refused = has_body && !answer.status().is_success();
            if is_refused || answer.status() == StatusCode::SERVICE_UNAVAILABLE {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            refused.store(is_refused, Ordering::Relaxed);
            Ok::<_, Infallible>(answer)
        }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    let mut connection = pin!(server.serve_connection(TokioIo::new(socket), service).with_upgrades());
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = ending.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(connections(u64::MAX), CONNECTIONS);
        assert_eq!(connections(1_024), 768);
        assert_eq!(connections(100), 64);
    }
}
