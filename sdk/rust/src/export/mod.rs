//! The two exports of a plugin crate: the native table of function pointers, and the WASM component.
//!
//! Both offer the rest of the SDK and the macros the same names: `Link` (how a benchmark reaches the host), `ABI_JSON`
//! (the value of `abi` in the descriptor) and `__export_plugin!`.

pub(crate) mod constants;
#[cfg(not(target_family = "wasm"))]
mod link;
#[cfg(not(target_family = "wasm"))]
#[path = "native.rs"]
pub(crate) mod platform;
#[cfg(target_family = "wasm")]
#[path = "wasm.rs"]
pub(crate) mod platform;
