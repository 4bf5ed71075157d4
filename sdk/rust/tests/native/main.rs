//! The native way out, from the worker's side: a plugin in this very process, called through its C table only.
#![allow(unsafe_code, reason = "the tests stand where the worker stands: they call the plugin's C table")]

mod descriptor;
mod host;
mod lifecycle;
mod plugin;
