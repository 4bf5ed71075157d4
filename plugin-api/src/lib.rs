//! The contract between dyno and its plugins, and nothing else. Both sides of the boundary import it.
//!
//! * [`abi`]: the `#[repr(C)]` tables that a native plugin and the worker exchange. `include/dyno_plugin.h` is
//!   generated from that file for authors in C, C++ and CUDA.
//! * [`layout`]: what those tables look like in memory, and the hash by which a plugin built against another
//!   layout is refused before any of its code runs.
//! * [`root`] (feature `abi-stable`): the second entry point, an `abi_stable` root module over the same tables.
//! * [`descriptor`] (feature `descriptor`): the metadata that a plugin file carries, readable without running it.
//! * `wit/v1/`: the same lifecycle for WebAssembly components.

pub mod abi;
#[cfg(feature = "descriptor")]
pub mod descriptor;
pub mod environment;
pub mod layout;
#[cfg(feature = "descriptor")]
mod names;
#[cfg(feature = "descriptor")]
mod param_info;
#[cfg(feature = "abi-stable")]
pub mod root;
pub mod section;
