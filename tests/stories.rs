//! Whole-product tests, through the real binaries: a module per user story. One program, so that the product is linked to
//! it once; its tests run side by side, each in an arena of its own.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

mod access;
mod analyze;
mod authors;
mod backups;
mod builds;
mod check;
mod cli;
mod compatibility;
mod cuda;
mod dashboard;
mod deploy;
mod dev;
mod devices;
mod docs;
mod doctor;
mod durability;
mod groups;
mod hostile;
mod isolation;
mod leases;
mod library;
mod models;
mod original;
mod overload;
mod packages;
mod processors;
mod python;
mod remote;
mod results;
mod scans;
mod scenarios;
mod seen;
mod server;
mod signatures;
mod support;
mod surroundings;
mod verdicts;
mod wasm;
mod watching;
mod webgpu;
