//! Requests to other servers: whose certificates count, and that no proxy of the environment has a part in reaching this machine
//! itself.

use std::{net::IpAddr, sync::OnceLock};

use ureq::{
    config::ConfigBuilder,
    tls::{Certificate, RootCerts, TlsConfig},
    typestate::AgentScope,
};

/// How to ask a URL: with the certificates of this system, without redirects, and without a proxy if it is on this machine.
pub(crate) fn asking(url: &str) -> ConfigBuilder<AgentScope> {
    let mut config = ureq::Agent::config_builder().max_redirects(0);
    if url.starts_with("https:") {
        config = config.tls_config(TlsConfig::builder().root_certs(roots()).build());
    }
    if is_loopback(url) { config.proxy(None) } else { config }
}

/// The authorities that this system trusts, or those in the file that `SSL_CERT_FILE` names. A small system has none: then those
/// count that browsers bring along.
fn roots() -> RootCerts {
    static ROOTS: OnceLock<RootCerts> = OnceLock::new();
    let found = || {
        let certificates = rustls_native_certs::load_native_certs().certs;
        if certificates.is_empty() {
            return RootCerts::WebPki;
        }
        RootCerts::from(certificates.into_iter().map(|der| Certificate::from_der(&der).to_owned()))
    };
    ROOTS.get_or_init(found).clone()
}

/// Whether a URL leads to this machine itself.
pub(crate) fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<ureq::http::Uri>() else { return false };
    let Some(host) = uri.host() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => {
            address.to_ipv4_mapped().map_or(address.is_loopback(), |address| address.is_loopback())
        }
        Ok(IpAddr::V4(address)) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for url in [
            "http://127.0.0.1:8000",
            "http://127.8.0.1/x",
            "http://[::1]:1",
            "http://[::ffff:127.0.0.1]:1",
            "http://localhost:80",
            "http://LOCALHOST.:80",
            "http://a.localhost",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://10.0.0.1",
            "http://localhost.example.org",
            "http://127.0.0.1.example.org",
            "nonsense",
            "",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
