//! `dyno devices`: what this machine has, and why the rest is not available.

use std::process::ExitCode;

use dyno_core::units;
use serde_json::json;

use super::{Failure, exit_code::End, output, table};
use crate::app::App;

pub(super) fn execute(app: &App, as_json: bool) -> Result<ExitCode, Failure> {
    let (devices, machine) = (app.devices(), app.machine());
    if as_json {
        output::json(&json!({ "devices": devices, "machine": machine }))?;
        return Ok(End::Good.into());
    }
    let mut rows = table::new(&["device", "model", "memory", "state"]);
    for device in &devices {
        rows.add_row([
            device.name.clone(),
            device.model.clone(),
            device.memory_bytes.map(|bytes| units::bytes(bytes as f64)).unwrap_or_default(),
            device
                .unavailable
                .as_ref()
                .map_or_else(|| "available".to_owned(), |why| format!("unavailable: {why}")),
        ]);
    }
    let cpu = &machine.cpu;
    let caches: Vec<String> =
        cpu.caches.iter().map(|(name, bytes)| format!("{name} {}", units::bytes(*bytes as f64))).collect();
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "not known".to_owned());
    let turbo = cpu.turbo.map_or("not known", |on| if on { "on" } else { "off" });
    output::text(&format!(
        "{rows}\n\n{} on {}, {}\n{}: {} cores, {} threads{}; caches {}\nSIMD {}; governor {}; turbo {turbo}; \
         virtualisation {}; huge pages {}\nmemory {}; fingerprint {}",
        machine.hostname,
        machine.os,
        machine.arch,
        cpu.model,
        cpu.cores,
        cpu.threads,
        if cpu.smt { " (SMT)" } else { "" },
        if caches.is_empty() { "not known".to_owned() } else { caches.join(", ") },
        cpu.simd.join(" "),
        known(&cpu.governor),
        known(&cpu.virtualisation),
        known(&cpu.huge_pages),
        units::bytes(machine.memory_bytes as f64),
        machine.fingerprint,
    ))?;
    Ok(End::Good.into())
}
