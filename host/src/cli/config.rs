//! `dyno config`: every setting, its value, and where that came from.

use std::process::ExitCode;

use dyno_core::units;

use super::{
    Failure,
    exit_code::End,
    grid::{Grid, Role},
    output,
};
use crate::{app::App, config::Setting};

pub(super) fn execute(app: &App, json: bool) -> Result<ExitCode, Failure> {
    let settings = app.settings();
    if json {
        output::json(settings)?;
        return Ok(End::Good.into());
    }
    let mut rows = Grid::new([("setting", Role::Needed), ("value", Role::Prose), ("from", Role::Needed)]);
    let plugins: Vec<String> = settings.plugins.value.iter().map(|path| path.display().to_string()).collect();
    let plugins = if plugins.is_empty() { "(no folder found)".to_owned() } else { plugins.join("\n") };
    let mut add = |name: &str, value: String, origin: &dyn std::fmt::Display| {
        rows.add_row([name.to_owned(), value, origin.to_string()]);
    };
    add("plugins", plugins, &settings.plugins.origin);
    for (name, Setting { value, origin }) in [
        ("output", &settings.output),
        ("db-path", &settings.db_path),
        ("leases", &settings.leases),
        ("worker", &settings.worker),
        ("probe", &settings.probe),
    ] {
        add(name, value.display().to_string(), origin);
    }
    let Setting { value, origin } = &settings.cache;
    let none = || "(none: no home folder is known)".to_owned();
    add("cache", value.as_ref().map_or_else(none, |path| path.display().to_string()), origin);
    add(
        "cache-limit",
        units::bytes(settings.cache_limit_bytes.value as f64),
        &settings.cache_limit_bytes.origin,
    );
    add("timeout", units::duration(settings.timeout_ns.value as f64), &settings.timeout_ns.origin);
    let patience = settings.lease_timeout_ns.value;
    let patience = patience.map_or_else(|| "(indefinitely)".to_owned(), |ns| units::duration(ns as f64));
    add("lease-timeout", patience, &settings.lease_timeout_ns.origin);
    let patience = units::duration(settings.probe_timeout_ns.value as f64);
    add("probe-timeout", patience, &settings.probe_timeout_ns.origin);
    add("memory", units::bytes(settings.memory_bytes.value as f64), &settings.memory_bytes.origin);
    let Setting { value, origin } = &settings.server;
    add(
        "server",
        value.clone().unwrap_or_else(|| "(the server that has the database open)".to_owned()),
        origin,
    );
    add("host", settings.host.value.clone(), &settings.host.origin);
    add("port", settings.port.value.to_string(), &settings.port.origin);
    add("heartbeat", units::duration(settings.heartbeat_ns.value as f64), &settings.heartbeat_ns.origin);
    let Setting { value, origin } = &settings.token_file;
    add(
        "token-file",
        value.as_ref().map_or_else(|| "(none)".to_owned(), |it| it.display().to_string()),
        origin,
    );
    add("profile", format!("{:?}", settings.profile.value).to_lowercase(), &settings.profile.origin);
    for (name, Setting { value, origin }) in
        [("notify-webhook", &settings.notify_webhook), ("notify-command", &settings.notify_command)]
    {
        // A webhook's address is often its password: it is not shown.
        let shown = if value.is_some() { "(set)" } else { "(none)" };
        rows.add_row([name.to_owned(), shown.to_owned(), origin.to_string()]);
    }
    output::text(&rows.to_string())?;
    Ok(End::Good.into())
}
