//! Addresses of this machine itself: no proxy of the environment has a part in reaching them.

use std::net::IpAddr;

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
