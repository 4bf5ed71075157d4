//! From verified bytes to something that can be measured. The only room that loads code, and the only one with `unsafe`.

mod bytes;
mod guest;
mod loaded;
mod native;
mod text;
mod wasi;
mod wasm;

use std::sync::Arc;

use dyno_confine::Foreign;
use dyno_core::{model::PluginKind, protocol::Load};

use self::bytes::Verified;
pub(crate) use self::loaded::Loaded;
use crate::{host_side::HostSide, instance::Failure};

/// What happens to this process on the way to a loaded plugin.
pub(crate) trait Gate {
    /// Isolates the process: called once, with the plugin's bytes read, and before anything is made of them. It may refuse to go on.
    fn confine(&mut self, plugin: Foreign<'_>) -> Result<(), Failure>;
    /// Tells the host: called once after that, before any code of the plugin runs.
    fn enter(&mut self);
}

/// Verifies the bytes and loads them.
pub(crate) fn load(load: &Load, host: Arc<HostSide>, gate: &mut dyn Gate) -> Result<Loaded, Failure> {
    let verified = Verified::of(load)?;
    match load.kind {
        PluginKind::Native => native::load(load, &verified, host, gate),
        PluginKind::Wasm => wasm::load(load, &verified, host, gate),
    }
}
