//! TLS of the server's own, for those without a proxy. Certificate and key are read again when their files change, so that a
//! certificate is renewed while the server runs.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::io::AsyncWriteExt;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

use super::socket::Socket;
use crate::{reread::Reread, user_file::check_secret};

/// The first byte that a client sends which begins TLS: the type of its record (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;
/// What a client gets that does not.
const PLAIN: &str = "this server speaks TLS: write https:// instead of http://";

/// The certificate of the server, and its key.
#[derive(Debug)]
pub(super) struct Tls(Reread<Acceptor>);

struct Acceptor(TlsAcceptor);

impl Tls {
    /// Reads certificate and key, PEM. `Err` is a sentence.
    pub(super) fn open(certificate: &Path, key: &Path) -> Result<Self, String> {
        let files = [certificate.to_owned(), key.to_owned()];
        let read = {
            let [certificate, key] = files.clone();
            move || acceptor(&certificate, &key)
        };
        Reread::new(files.to_vec(), read).map(Self)
    }

    /// Begins TLS on a connection; `None` if its client does not.
    pub(super) async fn begin(&self, mut socket: Socket) -> Option<TlsStream<Socket>> {
        if socket.first_byte().await? != HANDSHAKE {
            // If it cannot be told, it is gone.
            let _ = socket.write_all(plain_answer().as_bytes()).await;
            let _ = socket.shutdown().await;
            return None;
        }
        let acceptor = self.0.current();
        match acceptor.0.accept(socket).await {
            Ok(stream) => Some(stream),
            Err(error) => {
                tracing::debug!(%error, "a client did not complete the TLS handshake");
                None
            }
        }
    }
}

fn plain_answer() -> String {
    let body = format!("{{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"{PLAIN}\"}}\n");
    let length = body.len();
    format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: {length}\r\nconnection: \
         close\r\n\r\n{body}"
    )
}

fn acceptor(certificate: &PathBuf, key: &PathBuf) -> Result<Acceptor, String> {
    let of = |what: &str, path: &Path, why: &dyn std::fmt::Display| {
        format!("the {what} `{}` {why}", path.display())
    };
    if fs::metadata(certificate).is_ok_and(|about| !about.is_file()) {
        return Err(of("TLS certificate", certificate, &"is not a regular file; give a file in PEM format"));
    }
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| of("TLS certificate", certificate, &format!("cannot be read: {error}")))?;
    if chain.is_empty() {
        return Err(of("TLS certificate", certificate, &"holds no certificate; give a file in PEM format"));
    }
    check_secret(key).map_err(|why| of("TLS key", key, &why))?;
    let bytes = fs::read(key).map_err(|error| of("TLS key", key, &format!("cannot be read: {error}")))?;
    if bytes.windows(9).any(|part| part == b"ENCRYPTED") {
        return Err(of("TLS key", key, &"is encrypted; decrypt it with `openssl pkey -in FILE -out FILE`"));
    }
    let secret = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        of("TLS key", key, &format!("cannot be read: {error}; give a private key in PEM format"))
    })?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| {
            of("TLS key", key, &format!("does not fit the certificate `{}`: {error}", certificate.display()))
        })?;
    Ok(Acceptor(TlsAcceptor::from(Arc::new(config))))
}
