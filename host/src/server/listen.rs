//! From the first connection to the last: opening, listening, and an end without loss.

use std::{
    convert::Infallible,
    fs, io,
    net::{IpAddr, SocketAddr, TcpListener},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    body::HttpBody,
    http::{HeaderValue, StatusCode, header::CONNECTION},
};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sd_notify::NotifyState;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Semaphore, watch},
};
use tower::ServiceExt;

use super::{
    audit,
    guard::Peer,
    router,
    socket::{Refused, Socket},
    state::{Shared, State},
    tokens::Tokens,
};
use crate::{
    app::{AppError, Cancel, Serving, is_ignored},
    client::ServerFile,
    config::{Profile, Resolved},
    service::Service,
};

/// Connections at the same time, where there are files enough.
const CONNECTIONS: u32 = 4_096;
/// The same where there are almost none.
const FEWEST: u64 = 64;
/// Files that are kept for everything else.
const OTHER_FILES: u64 = 256;
/// Files that a process may have open where the system does not say.
const USUAL_FILES: u64 = 1_024;
/// Longest time for the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// Most that is buffered of a request or an answer [bytes], and so the longest head of a request.
const BUFFER: usize = 64 << 10;
/// Longest time for answers that are being given when the server ends.
const FAREWELL: Duration = Duration::from_secs(3);
/// Threads that serve; what takes a while has threads of its own.
const THREADS: usize = 2;

/// Why a server did not start, or not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The settings do not allow it.
    #[error("{0}")]
    Settings(String),
    /// It cannot listen there.
    #[error("cannot listen on {address}: {source}; give another --host or --port")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The application refused.
    #[error(transparent)]
    App(#[from] AppError),
    /// Something of the system is not as it must be.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> ServeError {
    let what = what.into();
    move |source| ServeError::System { what, source }
}

/// Serves until the process is told to end. `ready` gets the address once requests are answered.
///
/// # Errors
/// When the settings do not allow it, the address or the database is taken, or the system refuses.
pub fn serve(settings: Resolved, ready: &mut dyn FnMut(&str)) -> Result<(), ServeError> {
    let tokens = match &settings.token_file.value {
        Some(path) => Tokens::read(path).map_err(ServeError::Settings)?,
        None => Tokens::default(),
    };
    let connections = connections(more_files());
    let (host, port) = (settings.host.value.clone(), settings.port.value);
    let listener = TcpListener::bind((host.as_str(), port))
        .map_err(|source| ServeError::Listen { address: format!("{host}:{port}"), source })?;
    let address = listener.local_addr().map_err(system("cannot tell the own address"))?;
    if !address.ip().is_loopback() && tokens.is_empty() {
        return Err(ServeError::Settings(format!(
            "{} can be reached by other machines: give a --token-file, or listen on 127.0.0.1",
            address.ip()
        )));
    }
    if settings.profile.value == Profile::Server {
        trusted(&settings.plugins.value)?;
    }
    let cache = settings.cache_folder().map_err(|error| ServeError::Settings(error.to_string()))?;
    let scratch = cache.join("served");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&scratch)
        .map_err(system(format!("cannot make the folder `{}`", scratch.display())))?;
    let (database, results) = (settings.db_path.value.clone(), settings.output.value.clone());
    let service = Arc::new(Service::new(Serving::open(settings, &scratch)?, results)?);
    let names = names(&host, address.ip());
    // A quarter is for those who ask and go.
    let staying = connections as usize / 4 * 3;
    let state = Arc::new(State::new(Arc::clone(&service), tokens, scratch, names, staying));
    let url = url(address);
    let file = ServerFile::here(url.clone());
    file.write(&database).map_err(system(format!("cannot write beside `{}`", database.display())))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("serve")
        .enable_all()
        .build()
        .map_err(system("cannot start the runtime"))?;
    let executor = service.start().map_err(system("cannot start the executor"))?;
    runtime.spawn(audit::write(Arc::clone(&state)));
    let served = runtime.block_on(accept(listener, connections, &state, &mut || ready(&url)));
    tracing::info!("ending: running launches may finish");
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    service.end();
    // It begins nothing more; if it panicked, that is in the log.
    let _ = executor.join();
    // What is being written is written.
    let _ = runtime.block_on(async { tokio::time::timeout(FAREWELL, state.audit.flush()).await });
    runtime.shutdown_timeout(FAREWELL);
    ServerFile::remove(&database);
    served
}

/// As many open files as the system allows: a connection is one. What is usual is too few for a thousand who watch.
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

/// How many connections are possible with so many open files: the database and the workers need some, too.
fn connections(files: u64) -> u32 {
    let left = files.saturating_sub(OTHER_FILES).max(FEWEST);
    u32::try_from(left).unwrap_or(CONNECTIONS).min(CONNECTIONS)
}

/// Names by which a server may be called that trusts its own machine.
fn names(host: &str, address: IpAddr) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
    for name in [host.to_owned(), address.to_string()] {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn url(address: SocketAddr) -> String {
    // Where it listens on every address, this machine reaches it on its own.
    let ip = if address.ip().is_unspecified() { "127.0.0.1".to_owned() } else { address.ip().to_string() };
    let ip = if ip.contains(':') { format!("[{ip}]") } else { ip };
    format!("http://{ip}:{}", address.port())
}

async fn accept(
    listener: TcpListener,
    connections: u32,
    state: &Shared,
    ready: &mut dyn FnMut(),
) -> Result<(), ServeError> {
    let refused = || system("cannot listen for connections and signals");
    listener.set_nonblocking(true).map_err(refused())?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(refused())?;
    let mut term = signal(SignalKind::terminate()).map_err(refused())?;
    let mut int = signal(SignalKind::interrupt()).map_err(refused())?;
    // A server that was started by `nohup` is to outlive its terminal.
    let hup_kind = SignalKind::hangup();
    let mut hup =
        if is_ignored(hup_kind.as_raw_value()) { None } else { Some(signal(hup_kind).map_err(refused())?) };
    let mut hung_up = pin!(async {
        match &mut hup {
            Some(hup) => drop(hup.recv().await),
            None => std::future::pending().await,
        }
    });
    // Whoever asks a second time does not want to wait for running launches.
    Cancel::armed().map_err(refused())?;
    let router = router::router(Arc::clone(state));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    let room = Arc::new(Semaphore::new(connections as usize));
    let (end, ending) = watch::channel(false);
    ready();
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, most likely: they become fewer.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = term.recv() => break,
            _ = int.recv() => break,
            () = hung_up.as_mut() => break,
        };
        // There is no room for more: whoever comes now is turned away at the door.
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let refused = Refused::default();
        let socket = Socket::new(stream, place, Arc::clone(&refused));
        let router = router.clone();
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
        let connection = server.serve_connection(TokioIo::new(socket), service).with_upgrades();
        let mut ending = ending.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            // A connection that breaks is its client's matter.
            tokio::select! {
                _ = connection.as_mut() => {}
                _ = ending.changed() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
        });
    }
    drop(listener);
    end.send_replace(true);
    // Every answer is given when only those are left that do not end by themselves.
    let staying = u32::try_from(state.staying()).unwrap_or(connections);
    let _ = tokio::time::timeout(FAREWELL, room.acquire_many(connections.saturating_sub(staying))).await;
    Ok(())
}

/// Whether nobody but the operator can put plugins there: the folders and all above them are his or root's, and not
/// writable by others.
fn trusted(folders: &[PathBuf]) -> Result<(), ServeError> {
    let me = nix::unistd::geteuid().as_raw();
    for folder in folders {
        let real = fs::canonicalize(folder)
            .map_err(system(format!("the plugin folder `{}` cannot be used", folder.display())))?;
        for place in real.ancestors() {
            trusted_place(place, me)?;
        }
    }
    Ok(())
}

fn trusted_place(place: &Path, me: u32) -> Result<(), ServeError> {
    let about = fs::metadata(place).map_err(system(format!("`{}` cannot be looked at", place.display())))?;
    let others_write = about.mode() & 0o022 != 0;
    // In a folder like /tmp others can write, but not replace what is not theirs.
    let sticky = about.mode() & 0o1000 != 0;
    if ![0, me].contains(&about.uid()) || others_write && !sticky {
        return Err(ServeError::Settings(format!(
            "profile server: `{}` is owned by user {} with mode {:o}: others could put plugins there; give it to root or \
             to the user of the server, and `chmod go-w` it",
            place.display(),
            about.uid(),
            about.mode() & 0o7777
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_others_can_write_to_is_no_plugin_folder() {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        fs::set_permissions(&plugins, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(trusted(std::slice::from_ref(&plugins)).is_ok());
        fs::set_permissions(&plugins, fs::Permissions::from_mode(0o777)).unwrap();
        let error = trusted(std::slice::from_ref(&plugins)).unwrap_err().to_string();
        assert!(error.contains("chmod go-w"), "{error}");
        assert!(trusted(&[folder.path().join("absent")]).is_err());
    }

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(connections(u64::MAX), CONNECTIONS);
        assert_eq!(connections(1_024), 768);
        assert_eq!(connections(100), 64);
    }

    #[test]
    fn an_address_can_be_called() {
        assert_eq!(url("0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80");
        assert_eq!(url("[::1]:80".parse().unwrap()), "http://[::1]:80");
    }
}
