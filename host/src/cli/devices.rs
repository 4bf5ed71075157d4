//! `dyno devices`: this machine's devices, why others are not available, and which processes hold them.

use std::process::ExitCode;

use dyno_core::{
    model::{DeviceInfo, DeviceKind, DeviceState, IsolationReadings, Machine},
    units,
};
use serde_json::json;

use super::{
    Failure,
    args::DevicesArgs,
    exit_code::End,
    grid::{Grid, Role},
    output, terminal,
};
use crate::app::{App, Freshness, Reach, Standing, Surveyed};

pub(super) fn execute(app: &App, args: &DevicesArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let freshness = match (args.live, args.refresh) {
        (true, _) => Freshness::Live,
        (false, true) => Freshness::Refreshed,
        (false, false) => Freshness::Known,
    };
    let there = app.hardware().of_server(args.device.as_deref(), args.refresh || args.live)?;
    let (Surveyed { machine, devices, isolation }, standings, reach) = match (there, &args.device) {
        // Holders on the server's machine are in `GET /api/leases`.
        (Some(surveyed), _) => (surveyed, Vec::new(), Reach::Machine),
        (None, Some(name)) => here(app, app.hardware().named(name, freshness)?),
        (None, None) => here(app, app.hardware().devices(&DeviceKind::ALL, freshness)),
    };
    if as_json {
        output::json(&json!({
            "devices": devices,
            "machine": machine,
            "isolation": isolation,
            "leases": standings,
            "leases_seen": seen(&reach),
        }))?;
        return Ok(End::Good.into());
    }
    if args.device.is_some() || args.all {
        let all: Vec<String> = devices.iter().map(|device| details(device, &standings)).collect();
        output::text(&terminal::folded(&all.join("\n\n")))?;
        return Ok(End::Good.into());
    }
    let mut rows = Grid::new([
        ("device", Role::Needed),
        ("model", Role::Needed),
        ("memory", Role::Needed),
        ("state", Role::Prose),
    ]);
    for device in &devices {
        rows.add_row([
            device.label(),
            device.model.clone(),
            device.memory_bytes.map(|bytes| units::bytes(bytes as f64)).unwrap_or_default(),
            state(device, &standings),
        ]);
    }
    let mut text = format!("{rows}\n\n{}", terminal::folded(&of_machine(&machine)));
    if let Some(isolation) = &isolation {
        text.push_str(&format!("\n{}", terminal::folded(&of_isolation(isolation))));
    }
    if let Reach::User(why) = &reach {
        let line = format!("leases: for other users, only the process that holds a device is known: {why}");
        text.push_str(&format!("\n{}", terminal::folded(&line)));
    }
    output::text(&text)?;
    Ok(End::Good.into())
}

/// This machine, and the holders of its devices. Devices are listed even if leases are not available.
fn here(app: &App, devices: Vec<DeviceInfo>) -> (Surveyed, Vec<Standing>, Reach) {
    let (standings, reach) = app.hardware().lease_holders(&devices).unwrap_or_else(|error| {
        output::note(&format!("warning: {error}"));
        (Vec::new(), Reach::User(error.to_string()))
    });
    let (machine, isolation) = (app.hardware().machine(), app.hardware().isolation());
    (Surveyed { machine, devices, isolation }, standings, reach)
}

/// What stands between native plugins and the machine, and what does not.
fn of_isolation(isolation: &IsolationReadings) -> String {
    let layers = if isolation.layers.is_empty() { "nothing".to_owned() } else { isolation.layers.join(", ") };
    let missing: String = isolation.missing.iter().map(|missing| format!("; missing: {missing}")).collect();
    let ungrouped = isolation.ungrouped.iter().map(|why| format!("; no control groups for workers: {why}"));
    format!("native plugins: confined by {layers}{missing}{}", ungrouped.collect::<String>())
}

/// Whether the device can be used, which processes hold it, and its current state.
fn state(device: &DeviceInfo, standings: &[Standing]) -> String {
    if let Some(why) = &device.unavailable {
        return format!("unavailable: {why}");
    }
    let mut lines = vec!["available".to_owned()];
    if let Some(standing) = standings.iter().find(|standing| standing.resource == device.resource()) {
        lines.clear();
        lines.extend(standing.holders.iter().map(|holder| format!("leased by {holder}")));
        lines.extend(standing.waiting.iter().map(|holder| format!("wanted by {holder}")));
    }
    lines.extend(device.live.as_ref().map(live).filter(|text| !text.is_empty()));
    lines.join("\n")
}

fn live(state: &DeviceState) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(state.temperature_c.map(|celsius| format!("{celsius:.0} °C")));
    parts.extend(state.power_w.map(|watts| format!("{watts:.0} W")));
    parts.extend(state.core_clock_mhz.map(|mhz| format!("{mhz} MHz")));
    parts.extend(state.free_memory_bytes.map(|bytes| format!("{} free", units::bytes(bytes as f64))));
    parts.extend(state.busy.map(|share| format!("{:.0} % busy", share * 100.0)));
    if !state.throttled_by.is_empty() {
        parts.push(format!("slowed down by {}", state.throttled_by.join(", ")));
    }
    parts.join(", ")
}

/// Everything about a device, a line per fact.
fn details(device: &DeviceInfo, standings: &[Standing]) -> String {
    let megahertz = |mhz: Option<u32>| mhz.map(|mhz| format!("{mhz} MHz"));
    let facts = [
        ("model", Some(device.model.clone()).filter(|model| !model.is_empty())),
        ("memory", device.memory_bytes.map(|bytes| units::bytes(bytes as f64))),
        ("driver", device.driver.clone()),
        ("interface", device.interface.clone()),
        ("compute", device.compute.clone()),
        ("units", device.compute_units.map(|units| units.to_string())),
        ("core clock", megahertz(device.max_core_clock_mhz)),
        ("memory clock", megahertz(device.max_memory_clock_mhz)),
        ("power limit", device.power_limit_w.map(|watts| format!("{watts:.0} W"))),
        ("bus", device.pci.clone()),
        ("uuid", device.uuid.clone()),
        ("remark", device.remark.clone()),
        ("isolation", device.unconfined.clone()),
        ("state", Some(state(device, standings).replace('\n', "\n               "))),
    ];
    let mut text = device.label();
    for (name, value) in facts {
        if let Some(value) = value {
            text.push_str(&format!("\n  {name:<12} {value}"));
        }
    }
    text
}

fn seen(reach: &Reach) -> String {
    match reach {
        Reach::Machine => "by all users of this machine".to_owned(),
        Reach::User(why) => format!("by this user alone: {why}"),
        Reach::Folder => "by all who use the same folder".to_owned(),
    }
}

fn of_machine(machine: &Machine) -> String {
    let cpu = &machine.cpu;
    let caches: Vec<String> =
        cpu.caches.iter().map(|(name, bytes)| format!("{name} {}", units::bytes(*bytes as f64))).collect();
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "not known".to_owned());
    let turbo = cpu.turbo.map_or("not known", |on| if on { "on" } else { "off" });
    format!(
        "{} on {}, {}\n{}: {}, {}{}; caches {}\nSIMD {}; governor {}; turbo {turbo}; \
         virtualisation {}; huge pages {}\nmemory {}; fingerprint {}",
        machine.hostname,
        machine.os,
        machine.arch,
        cpu.model,
        units::count(cpu.cores, "core"),
        units::count(cpu.threads, "thread"),
        if cpu.smt { " (SMT)" } else { "" },
        if caches.is_empty() { "not known".to_owned() } else { caches.join(", ") },
        cpu.simd.join(" "),
        known(&cpu.governor),
        known(&cpu.virtualisation),
        known(&cpu.huge_pages),
        units::bytes(machine.memory_bytes as f64),
        machine.fingerprint,
    )
}
