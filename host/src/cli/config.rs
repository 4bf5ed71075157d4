//! `dyno config`: every setting, its value, and where that came from.

use std::{path::Path, process::ExitCode};

use dyno_core::{model::Grant, units};

use super::{
    Failure,
    exit_code::End,
    grid::{Grid, Role},
    output,
};
use crate::{
    app::{App, TrustStore},
    config::{Granted, Origin, Resolved, Retention, Setting},
};

pub(super) fn execute(app: &App, json: bool) -> Result<ExitCode, Failure> {
    let settings = app.settings();
    if json {
        output::json(settings)?;
        return Ok(End::Good.into());
    }
    let mut grid = Grid::new([("setting", Role::Needed), ("value", Role::Prose), ("from", Role::Needed)]);
    for (name, value, origin) in rows(settings) {
        grid.add_row([name, value, origin.to_string()]);
    }
    output::text(&grid.to_string())?;
    Ok(End::Good.into())
}

/// Every setting: its name, its value as people write it, and where that came from.
fn rows(settings: &Resolved) -> Vec<(String, String, &Origin)> {
    let plugins: Vec<String> = settings.plugins.value.iter().map(|path| path.display().to_string()).collect();
    let plugins = if plugins.is_empty() { "(no folder found)".to_owned() } else { plugins.join("\n") };
    let plain = [
        ("plugins", plugins, &settings.plugins.origin),
        row("packages", &settings.packages, or("(none: no home folder is known)", path)),
        row("index", &settings.index, or("(none)", String::clone)),
        row("output", &settings.output, path),
        row("db-path", &settings.db_path, path),
        row("leases", &settings.leases, path),
        row("worker", &settings.worker, path),
        row("probe", &settings.probe, path),
        row("cache", &settings.cache, or("(none: no home folder is known)", path)),
        row("cache-limit", &settings.cache_limit_bytes, bytes),
        row("timeout", &settings.timeout_ns, duration),
        row("lease-timeout", &settings.lease_timeout_ns, or("(indefinitely)", duration)),
        row("probe-timeout", &settings.probe_timeout_ns, duration),
        row("memory", &settings.memory_bytes, bytes),
        row("server", &settings.server, or("(the server that has the database open)", String::clone)),
        row("host", &settings.host, String::clone),
        row("port", &settings.port, u16::to_string),
        row("heartbeat", &settings.heartbeat_ns, duration),
        row("token-file", &settings.token_file, or("(none)", path)),
        row("tls-cert", &settings.tls_cert, or("(none)", path)),
        row("tls-key", &settings.tls_key, or("(none)", path)),
        row("profile", &settings.profile, |profile| format!("{profile:?}").to_lowercase()),
        row("isolation", &settings.isolation, |level| format!("{level:?}").to_lowercase()),
        row("require-isolation", &settings.require_isolation, |layers| match layers.as_slice() {
            [] => "(none)".to_owned(),
            layers => layers.iter().map(|layer| layer.word()).collect::<Vec<_>>().join(","),
        }),
        row("watch", &settings.watch, |watch| format!("{watch:?}").to_lowercase()),
        row("retention", &settings.retention, retention),
        row("notify-webhook", &settings.notify_webhook, or("(none)", secret)),
        row("notify-command", &settings.notify_command, or("(none)", secret)),
        row("trust", &settings.trust, trust),
    ];
    let mut rows: Vec<_> =
        plain.into_iter().map(|(name, value, origin)| (name.to_owned(), value, origin)).collect();
    if settings.grants.is_empty() {
        rows.push(("grants".to_owned(), "(none)".to_owned(), &Origin::Default));
    }
    for (plugin, Granted { grant, origin }) in &settings.grants {
        rows.push((format!("grants.{plugin}"), granted(grant), origin));
    }
    rows
}

/// What a plugin is granted, in the words in which plugins ask for it, a line each.
fn granted(grant: &Grant) -> String {
    let publisher = grant.publisher.iter().map(|name| format!("(if {name} signed it)"));
    let lines: Vec<String> = grant.capabilities().map(|it| it.to_string()).chain(publisher).collect();
    if lines.is_empty() { "(nothing)".to_owned() } else { lines.join("\n") }
}

fn row<'a, T>(
    name: &'static str,
    Setting { value, origin }: &'a Setting<T>,
    shown: impl Fn(&T) -> String,
) -> (&'static str, String, &'a Origin) {
    (name, shown(value), origin)
}

/// A value that may be absent; `none` says what its absence means.
fn or<T>(none: &'static str, shown: impl Fn(&T) -> String) -> impl Fn(&Option<T>) -> String {
    move |value| value.as_ref().map_or_else(|| none.to_owned(), &shown)
}

fn path(path: &impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}

fn bytes(bytes: &u64) -> String {
    units::bytes(*bytes as f64)
}

fn duration(ns: &u64) -> String {
    units::duration(*ns as f64)
}

fn trust(store: &TrustStore) -> String {
    let keys: usize = store.publishers.values().map(|publisher| publisher.keys.len()).sum();
    let (publishers, keys) = (units::count(store.publishers.len(), "publisher"), units::count(keys, "key"));
    format!("require = {}; {publishers}, {keys}", store.require)
}

fn retention(ages: &Retention) -> String {
    let age = |ns: Option<u64>| {
        ns.map_or_else(|| "indefinitely".to_owned(), |ns| format!("{} days", ns as f64 / 86_400e9))
    };
    if ages.keeps_everything() {
        return "(everything is kept)".to_owned();
    }
    format!("runs: {}; samples: {}", age(ages.keep_ns), age(ages.keep_samples_ns.or(ages.keep_ns)))
}

/// A webhook's address is often its password: it is not shown.
fn secret<T>(_: &T) -> String {
    "(set)".to_owned()
}
