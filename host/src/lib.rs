//! The host: everything outside the worker. It never loads a plugin itself.
//!
//! Arrows point down: `cli → app → runner → {catalog, devices, pool, store} → dyno-core`; `cli → export`.

pub mod app;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod devices;
pub mod export;
mod notify;
pub mod pool;
pub mod runner;
mod source;
pub mod store;
mod timestamp;
