//! The protocol between host and worker. The host asks, the worker answers; a worker is hostile until proven
//! otherwise, so the host bounds every frame and checks every number.

mod compiled;
mod frame;
mod message;

pub use compiled::{COMPILED_FILE, CompiledCode, WASM_ENGINE_VERSION, compiled_name, compiled_prefix};
pub use frame::{FrameError, MAX_FRAME_BYTES, decode, encode, read, split};
pub use message::{
    CONNECTION_CHANNELS, Confinement, DeviceGrant, Library, Load, MAX_ADDRESS_BYTES, MAX_CONNECTING,
    MAX_LOG_LINES, MAX_PROGRESS, MAX_TEXT_BYTES, PROTOCOL_VERSION, QUERIES_PER_BATCH, Quota, Renewal, Reply,
    Request, mark, missing_libraries,
};

#[cfg(test)]
mod tests;
