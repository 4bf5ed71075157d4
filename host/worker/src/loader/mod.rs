//! From verified bytes to something that can be measured. The only room that loads code, and the only one with `unsafe`.

mod bytes;
mod code;
mod engine;
mod gate;
mod guest;
mod loaded;
mod native;
mod text;
mod wasi;
mod wasm;

use std::sync::Arc;

use dyno_core::{model::PluginKind, protocol::Load};

use self::bytes::Verified;
pub(crate) use self::{gate::Gate, loaded::Loaded};
use crate::{host_side::HostSide, instance::Failure};

/// Verifies the bytes and loads them.
pub(crate) fn load(load: &Load, host: Arc<HostSide>, gate: &mut dyn Gate) -> Result<Loaded, Failure> {
    let verified = Verified::of(load)?;
    match load.kind {
        PluginKind::Native => native::load(load, &verified, host, gate),
        PluginKind::Wasm => wasm::load(load, &verified, host, gate),
    }
}
