//! Host and origin of a request: a server answers under its own names, and to its own pages.

use std::borrow::Borrow;

use axum::{
    extract::Request,
    http::{StatusCode, Version, header},
};

use super::problem::Problem;

/// The names of this machine for itself.
pub(super) const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Refuses requests that name another host or origin: a foreign page in a browser must not reach a server that trusts its own
/// machine. `names` are the host names that it has; absent if any will do. Also refuses requests that name two hosts, since a proxy in front may have checked the other one.
pub(super) fn called_by_its_name<N: Borrow<str>>(
    names: Option<&[N]>,
    request: &Request,
) -> Result<(), Problem> {
    let headers = request.headers();
    let malformed = |detail: String| Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    // A second one would be read by others, and not by us.
    let once = [header::HOST, header::ORIGIN, header::AUTHORIZATION];
    if let Some(name) = once.into_iter().find(|name| headers.get_all(name).iter().nth(1).is_some()) {
        return malformed(format!("the header `{name}` is given more than once; send it once"));
    }
    let host = match headers.get(header::HOST) {
        Some(host) => host.to_str().unwrap_or_default(),
        None if request.version() < Version::HTTP_11 => "",
        None => return malformed("the header `host` is missing; send the name of this server".to_owned()),
    };
    if let Some(named) = request.uri().authority().filter(|named| !named.as_str().eq_ignore_ascii_case(host))
    {
        return malformed(format!(
            "the address names `{named}`, the header `host` names `{host}`; send one name"
        ));
    }
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|it| it.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    if let Some(names) = names
        && !names.iter().any(|known| known.borrow().eq_ignore_ascii_case(name))
    {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!("this server is not called `{name}`; it is called {}", names.join(", ")),
        ));
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let from = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    if from.eq_ignore_ascii_case(host) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, format!("pages from `{origin}` may not use this server")))
}
