//! What a plugin may connect to.

use std::{
    env, io,
    net::{SocketAddr, ToSocketAddrs},
};

use dyno_plugin_api::environment::ADDRESSES;

/// The addresses of an endpoint that the plugin declares with the capability `connect:HOST:PORT`, or that a parameter names. The plugin
/// itself cannot ask a name server: the host has done so.
///
/// ```no_run
/// # fn main() -> std::io::Result<()> {
/// use std::net::TcpStream;
///
/// let stream = TcpStream::connect(dyno_sdk::addresses("models.example.com:443")?.as_slice())?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if the host gives none: it does not know the name, or the plugin may not connect to it.
pub fn addresses(endpoint: &str) -> io::Result<Vec<SocketAddr>> {
    if let Some(found) = env::var(ADDRESSES).ok().and_then(|given| given_to(&given, endpoint)) {
        return Ok(found);
    }
    // An address is its own.
    let own = endpoint.parse::<SocketAddr>().map(|address| vec![address]);
    own.or_else(|_| endpoint.to_socket_addrs().map(Iterator::collect)).map_err(|_| {
        let said = format!(
            "`{endpoint}` has no address here; declare the capability `connect:{endpoint}`, or `connect` if a parameter names it"
        );
        io::Error::new(io::ErrorKind::NotFound, said)
    })
}

/// The addresses of an endpoint in the host's list. // eg: `localhost:80=127.0.0.1:80,[::1]:80 a.example:1=192.0.2.1:1`
fn given_to(list: &str, endpoint: &str) -> Option<Vec<SocketAddr>> {
    let mut entries = list.split(' ').filter_map(|entry| entry.split_once('='));
    let (_, addresses) = entries.find(|(name, _)| name.eq_ignore_ascii_case(endpoint))?;
    Some(addresses.split(',').filter_map(|address| address.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_that_the_host_gives_by_the_name_of_the_endpoint() {
        let list = "localhost:80=127.0.0.1:80,[::1]:80 a.example:1=192.0.2.1:1";
        let found = |endpoint| {
            given_to(list, endpoint).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(found("LocalHost:80"), Some(vec!["127.0.0.1:80".to_owned(), "[::1]:80".to_owned()]));
        assert_eq!(found("a.example:1"), Some(vec!["192.0.2.1:1".to_owned()]));
        assert_eq!(found("a.example:2"), None);
    }

    #[test]
    fn without_the_host_an_address_is_its_own_and_an_unknown_name_is_told_how_to_ask() {
        assert_eq!(addresses("127.0.0.1:7").unwrap(), ["127.0.0.1:7".parse().unwrap()]);
        let error = addresses("nobody.invalid:7").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("`connect:nobody.invalid:7`"), "{error}");
    }
}
