//! The host: everything outside the worker. It never loads a plugin itself.
//!
//! Arrows point down: `cli → server → service → app`; `cli → app → runner → {catalog, devices, lease, pool, store} → dyno-core`;
//! `{cli, server, service} → export`; `app → {build, client, doctor, export, import, notify, packages, source}`; `build →
//! {packages, pool}`; `{notify, source} → pool`; `packages → catalog`; `{catalog, config, packages} → trust`;
//! `{app, server} → access`.

pub mod access;
pub mod app;
pub mod build;
pub mod catalog;
pub mod cli;
pub mod client;
pub mod config;
pub mod devices;
pub mod doctor;
pub mod export;
pub mod fault;
pub mod import;
pub mod lease;
mod notify;
mod outgoing;
mod ownership;
pub mod packages;
pub mod pool;
mod proc;
mod regular_file;
mod reread;
pub mod runner;
pub mod server;
mod service;
mod source;
pub mod store;
mod timestamp;
mod toml_text;
pub mod trust;
pub mod user_file;
