//! The plugin files that were ever seen, one row per content, so that an old result still says what was run.

use std::collections::HashSet;

use duckdb::{Connection, params};
use dyno_core::model::PluginRef;
use dyno_plugin_api::descriptor::Descriptor;

use super::{
    Store,
    error::{StoreError, doing, record},
    revision::Touched,
    statement::execute,
};

impl Store {
    /// Stores plugin files with their descriptors. For a known file, only the time and place at which it was last seen
    /// change. `at` is a time (RFC 3339, UTC).
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_plugins(&mut self, seen: &[(&PluginRef, &Descriptor)], at: &str) -> Result<(), StoreError> {
        self.transaction("storing plugins", Touched::NoList, |transaction| {
            note_all(transaction, seen.iter().map(|(plugin, descriptor)| (*plugin, Some(*descriptor))), at)
        })
    }
}

/// Stores each content once, even if several files have it.
pub(super) fn note_all<'a>(
    connection: &Connection,
    seen: impl Iterator<Item = (&'a PluginRef, Option<&'a Descriptor>)>,
    at: &str,
) -> Result<(), StoreError> {
    let mut noted = HashSet::new();
    for (plugin, descriptor) in seen {
        if noted.insert(plugin.sha256.as_str()) {
            note(connection, plugin, descriptor, at)?;
        }
    }
    Ok(())
}

fn note(
    connection: &Connection,
    plugin: &PluginRef,
    descriptor: Option<&Descriptor>,
    at: &str,
) -> Result<(), StoreError> {
    let descriptor = descriptor.map(serde_json::to_string).transpose().map_err(record("descriptor"))?;
    let known = connection
        .prepare_cached(
            "UPDATE plugins SET path = ?, last_seen = CAST(? AS TIMESTAMP), descriptor_json = coalesce(?, descriptor_json)
             WHERE sha256 = ?",
        )
        .and_then(|mut statement| statement.execute(params![plugin.path, at, descriptor, plugin.sha256]))
        .map_err(doing("storing a plugin"))?;
    if known > 0 {
        return Ok(());
    }
    execute(
        connection,
        "storing a plugin",
        "INSERT INTO plugins VALUES (?, ?, ?, ?, ?, ?, CAST(? AS TIMESTAMP), CAST(? AS TIMESTAMP))",
        params![
            plugin.sha256,
            plugin.id,
            plugin.version,
            plugin.kind.to_string(),
            plugin.path,
            descriptor,
            at,
            at
        ],
    )
}
