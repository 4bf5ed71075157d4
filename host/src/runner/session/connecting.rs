//! What a plugin may connect to: its worker gets the addresses, and a channel by which it asks for connections.

use std::net::SocketAddr;

use dyno_core::protocol::Load;
use dyno_plugin_api::environment::ADDRESSES;

use super::line::Line;
use crate::{
    fault::HostFault,
    pool::{locate, serve_connections},
};

/// Gives the plugin of a request its connections. Returns a sentence for each endpoint that has no address.
pub(super) fn connect(line: &mut Line<'_>, load: &mut Load) -> Result<Vec<String>, HostFault> {
    if load.confinement.connect.is_empty() {
        return Ok(Vec::new());
    }
    let located = locate(&load.confinement.connect);
    let found = located.iter().filter(|it| !it.addresses.is_empty());
    let words: Vec<String> = found
        .map(|it| {
            let addresses: Vec<String> = it.addresses.iter().map(SocketAddr::to_string).collect();
            format!("{}={}", it.endpoint, addresses.join(","))
        })
        .collect();
    load.confinement.environment.insert(ADDRESSES.to_owned(), words.join(" "));
    let unreachable = located.iter().filter_map(|it| it.fault.clone()).collect();
    if load.needs_connections() {
        line.worker.hand_over_next(serve_connections(located)?);
    }
    Ok(unreachable)
}
