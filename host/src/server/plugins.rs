//! Plugins: listed, described, enabled and disabled.

use axum::{Extension, Json, extract::State as Of};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    extract::At,
    problem::Problem,
    state::{Shared, State, blocking, changing},
};
use crate::{
    access::Identity,
    app::{Catalog, Severity},
};

fn listed(state: &State, catalog: &Catalog) -> Result<Value, Problem> {
    let off = state.serving().operator().disabled_plugins()?;
    let plugins: Vec<Value> = catalog
        .entries
        .iter()
        .map(|entry| {
            let plugin = &entry.descriptor.plugin;
            // Why the content of its file is not what is served.
            let problem =
                catalog.problems.iter().find(|it| it.path == entry.path && it.severity == Severity::Error);
            let problem = problem.map(|it| &it.message);
            json!({
                "id": plugin.id,
                "version": plugin.version,
                "kind": entry.kind,
                "description": plugin.description,
                "path": entry.path,
                "sha256": entry.sha256,
                "signature": entry.signature,
                "enabled": !off.contains(&plugin.id),
                "incompatible": entry.incompatible,
                "problem": problem,
                "benchmarks": entry.descriptor.benchmarks.iter().map(|it| &it.name).collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(json!({"plugins": plugins, "problems": catalog.problems}))
}

/// `GET /api/catalog`
pub(super) async fn catalog(Of(state): Of<Shared>) -> Result<Json<Value>, Problem> {
    Ok(Json(blocking(&state, |state| Ok::<_, Problem>(json!(state.app().plugins().catalog()))).await?))
}

/// `GET /api/plugins`
pub(super) async fn plugins(Of(state): Of<Shared>) -> Result<Json<Value>, Problem> {
    Ok(Json(blocking(&state, |state| listed(state, &state.app().plugins().catalog())).await?))
}

/// `POST /api/plugins/rescan`
pub(super) async fn rescan(Of(state): Of<Shared>) -> Result<Json<Value>, Problem> {
    state.answers.forget();
    // Not among the reads, which must not wait for a look into the folders.
    Ok(Json(changing(&state, |state| listed(state, &state.app().plugins().rescanned())).await?))
}

/// Path of a plugin.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct PluginAt {
    /// Identifier in the plugin's descriptor.
    plugin: String,
}

/// `GET /api/plugins/{plugin}`
pub(super) async fn plugin(Of(state): Of<Shared>, At(at): At<PluginAt>) -> Result<Json<Value>, Problem> {
    let found = blocking(&state, move |state| {
        let catalog = state.app().plugins().catalog();
        let entries: Vec<_> =
            catalog.entries.iter().filter(|entry| entry.descriptor.plugin.id == at.plugin).collect();
        if entries.is_empty() {
            return Err(no_plugin(&catalog, &at.plugin));
        }
        Ok(json!(entries))
    })
    .await?;
    Ok(Json(found))
}

fn no_plugin(catalog: &Catalog, name: &str) -> Problem {
    let mut known: Vec<&str> =
        catalog.entries.iter().map(|entry| entry.descriptor.plugin.id.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    Problem::not_found(format!("there is no plugin `{name}`; there are {}", known.join(", ")))
}

async fn switch(
    state: Shared,
    identity: Identity,
    plugin: String,
    enabled: bool,
) -> Result<Json<Value>, Problem> {
    let name = plugin.clone();
    blocking(&state, move |state| {
        let catalog = state.app().plugins().catalog();
        let is_known = catalog.entries.iter().any(|it| it.descriptor.plugin.id == plugin);
        if !is_known && !state.serving().operator().disabled_plugins()?.contains(&plugin) {
            return Err(no_plugin(&catalog, &plugin));
        }
        Ok(state.serving().operator().set_plugin_enabled(&plugin, enabled, &identity.name)?)
    })
    .await?;
    Ok(Json(json!({"plugin": name, "enabled": enabled})))
}

/// `POST /api/plugins/{plugin}/enable`
pub(super) async fn enable(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    At(at): At<PluginAt>,
) -> Result<Json<Value>, Problem> {
    switch(state, identity, at.plugin, true).await
}

/// `POST /api/plugins/{plugin}/disable`
pub(super) async fn disable(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    At(at): At<PluginAt>,
) -> Result<Json<Value>, Problem> {
    switch(state, identity, at.plugin, false).await
}
