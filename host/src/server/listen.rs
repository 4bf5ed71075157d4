//! Starting the server, and shutting it down without losing anything.

use std::{
    fs,
    net::{IpAddr, SocketAddr, TcpListener},
    os::unix::fs::DirBuilderExt,
    sync::Arc,
};

use sd_notify::NotifyState;

use super::{
    audit,
    connections::{self, Doors, FAREWELL, accept},
    error::{ServeError, system},
    naming::LOOPBACK,
    router,
    state::State,
    tls::Tls,
    trust::trusted,
};
use crate::{
    access::Tokens,
    app::Serving,
    client::ServerFile,
    config::{Profile, Resolved},
    service::Service,
};

/// Threads of the async runtime. Blocking work runs on threads of its own.
const THREADS: usize = 2;
/// Where commands of this machine reach a server that has TLS.
const INNER: &str = "127.0.0.1";

/// Serves until a signal shuts the process down. `ready` gets the address once requests are answered.
///
/// # Errors
/// When the settings are unsafe, the address or the database is taken, or a system call fails.
pub fn serve(settings: Resolved, ready: &mut dyn FnMut(&str)) -> Result<(), ServeError> {
    let tokens = match &settings.token_file.value {
        Some(path) => Tokens::open(path)?,
        None => Tokens::none(),
    };
    let connections = connections::most();
    let (host, port) = (settings.host.value.clone(), settings.port.value);
    let listener = bind(&host, port, "--host or --port")?;
    let address = listener.local_addr().map_err(system("cannot tell the own address"))?;
    if !address.ip().is_loopback() && !tokens.are_needed() {
        return Err(ServeError::Settings(format!(
            "{} can be reached by other machines: give a --token-file, or listen on 127.0.0.1",
            address.ip()
        )));
    }
    let tls = tls(&settings)?;
    // Commands on this machine need no TLS, and could not verify a certificate for another name.
    let inner = match &tls {
        Some(_) => Some(bind(INNER, 0, "--host")?),
        None => None,
    };
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
    // A quarter of the connections is reserved for short requests.
    let staying = connections as usize / 4 * 3;
    let (audit, calls) = audit::audit();
    let state = Arc::new(State::new(Arc::clone(&service), tokens, audit, scratch, names, staying));
    let found_at = match &inner {
        Some(inner) => url("http", inner.local_addr().map_err(system("cannot tell the own address"))?),
        None => url("http", address),
    };
    let url = url(if tls.is_some() { "https" } else { "http" }, address);
    let file = ServerFile::here(found_at);
    file.write(&database).map_err(system(format!("cannot write beside `{}`", database.display())))?;
    let runtime = runtime()?;
    let executor = service.start().map_err(system("cannot start the executor"))?;
    service.watch().map_err(system("cannot start the thread that watches the plugin folders"))?;
    runtime.spawn(calls.store(Arc::clone(&service)));
    let router = router::router(Arc::clone(&state));
    let staying = || state.staying();
    let doors = Doors { main: listener, tls, inner };
    let served = runtime.block_on(accept(doors, connections, router, &staying, &mut || ready(&url)));
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

/// The certificate and key that the settings name.
fn tls(settings: &Resolved) -> Result<Option<Arc<Tls>>, ServeError> {
    let (certificate, key) = (settings.tls_cert.value.as_ref(), settings.tls_key.value.as_ref());
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Ok(Some(Arc::new(Tls::open(certificate, key).map_err(ServeError::Settings)?)))
        }
        (Some(_), None) => {
            Err(ServeError::Settings("--tls-cert needs --tls-key: the file of its private key".to_owned()))
        }
        (None, Some(_)) => {
            Err(ServeError::Settings("--tls-key needs --tls-cert: the file of its certificate".to_owned()))
        }
    }
}

/// Takes the address, which comes from these flags.
pub(super) fn bind(host: &str, port: u16, flags: &'static str) -> Result<TcpListener, ServeError> {
    TcpListener::bind((host, port)).map_err(|source| ServeError::Listen {
        address: format!("{host}:{port}"),
        flags,
        source,
    })
}

/// The async runtime.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, ServeError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("serve")
        .enable_all()
        .build()
        .map_err(system("cannot start the runtime"))
}

/// The host names that requests may use if the server has no tokens and trusts its own machine.
fn names(host: &str, address: IpAddr) -> Vec<String> {
    let mut names = LOOPBACK.map(str::to_owned).to_vec();
    for name in [host.to_owned(), address.to_string()] {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The address for a browser or client on this machine.
pub(super) fn url(scheme: &str, address: SocketAddr) -> String {
    // Where it listens on every address, this machine reaches it on its own.
    let ip = if address.ip().is_unspecified() { "127.0.0.1".to_owned() } else { address.ip().to_string() };
    let ip = if ip.contains(':') { format!("[{ip}]") } else { ip };
    format!("{scheme}://{ip}:{}", address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_can_be_called() {
        assert_eq!(url("http", "0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80");
        assert_eq!(url("https", "[::1]:80".parse().unwrap()), "https://[::1]:80");
    }
}
