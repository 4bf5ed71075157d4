//! What a plugin may connect to: its worker gets channels by which it asks for connections.

use dyno_core::protocol::Load;

use super::line::Line;
use crate::{fault::HostFault, pool::serve_connections};

/// Gives the plugin of a request its connections.
pub(super) fn connect(line: &mut Line<'_>, load: &Load) -> Result<(), HostFault> {
    if load.needs_connections() {
        line.worker.hand_over_next(serve_connections(load.confinement.connect.clone())?);
    }
    Ok(())
}
