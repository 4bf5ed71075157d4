//! A place on the network that a plugin may connect to.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A host and a port of TCP. The host is a name, an IPv4 address, or an IPv6 address in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    host: String,
    port: u16,
}

/// An endpoint whose addresses are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reachable {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its addresses, with its port.
    pub addresses: Vec<SocketAddr>,
}

impl Reachable {
    /// Whether it has this address. Neither a zone makes a difference, nor the family that an IPv4 address is written in.
    #[must_use]
    pub fn is_at(&self, address: SocketAddr) -> bool {
        let same = |address: &SocketAddr| -> (IpAddr, u16) { (address.ip().to_canonical(), address.port()) };
        self.addresses.iter().any(|known| same(known) == same(&address))
    }
}

/// Longest name of a host [bytes], RFC 1035.
const MAX_HOST_BYTES: usize = 253;

impl Endpoint {
    /// The endpoint that a value of a parameter names: itself, or a URL with its port. // eg: `http://localhost:8000/v1`
    #[must_use]
    pub fn named_in(value: &str) -> Option<Self> {
        let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
        rest.split(['/', '?', '#']).next()?.parse().ok()
    }

    /// The host, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let said = |what: &str| {
            format!(
                "`{text}` {what}; give a host and a port, such as `models.example.com:443` or `[::1]:8000`"
            )
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(|| said("has no port"))?;
        let port =
            port.parse().ok().filter(|port| *port != 0).ok_or_else(|| said("has no port from 1 to 65535"))?;
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_host = bracketed.map_or_else(
            || {
                let is_of_a_name =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
                !host.is_empty() && host.len() <= MAX_HOST_BYTES && host.bytes().all(is_of_a_name)
            },
            |address| address.parse::<Ipv6Addr>().is_ok(),
        );
        if is_host {
            Ok(Self { host: host.to_ascii_lowercase(), port })
        } else {
            Err(said("does not name a host"))
        }
    }
}

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_addresses_and_everything_else_is_told_what_is_expected() {
        for (text, host, port) in [
            ("localhost:8000", "localhost", 8000),
            ("Models.Example.com:443", "models.example.com", 443),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("[::1]:65535", "::1", 65535),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.host(), endpoint.port()), (host, port), "{text}");
            assert_eq!(endpoint.to_string(), text.to_ascii_lowercase());
        }
        for text in [
            "",
            ":80",
            "localhost",
            "localhost:",
            "localhost:0",
            "localhost:65536",
            "::1:80",
            "[::1]",
            "a b:1",
            "[x]:1",
            "*:80",
        ] {
            let said = text.parse::<Endpoint>().unwrap_err();
            assert!(said.contains("give a host and a port"), "{said}");
        }
    }

    #[test]
    fn a_parameter_names_an_endpoint_or_a_url_with_its_port() {
        let named = |value: &str| Endpoint::named_in(value).map(|endpoint| endpoint.to_string());
        for value in ["h:80", "http://h:80", "grpc://h:80/a:b", "http://h:80?q"] {
            assert_eq!(named(value).as_deref(), Some("h:80"), "{value}");
        }
        for value in ["h", "http://h/", "/tmp/a:1", "random:"] {
            assert_eq!(named(value), None, "{value}");
        }
    }
}
