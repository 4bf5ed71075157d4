//! The machine and what it offers: devices, who has them, plugins.

use std::time::Duration;

use aide::transform::TransformOperation;
use axum::{Extension, Json, extract::State as Of, response::Response};
use dyno_core::model::{DeviceInfo, DeviceKind, Machine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    extract::{Ask, At},
    problem::Problem,
    state::{Shared, State, blocking, kept},
    tokens::Identity,
};
use crate::app::Freshness;

/// Whether drivers are to be asked once more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DevicesQuery {
    /// Ask every driver, in place of what is known.
    #[serde(default)]
    refresh: bool,
}

/// The machine with its devices.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Devices {
    machine: Machine,
    /// All eight kinds; those that are not available say why.
    devices: Vec<DeviceInfo>,
}

/// `GET /api/devices`
pub(super) async fn devices(Of(state): Of<Shared>, Ask(ask): Ask<DevicesQuery>) -> Result<Response, Problem> {
    if ask.refresh {
        state.answers.forget();
    }
    let freshness = if ask.refresh { Freshness::Refreshed } else { Freshness::Known };
    kept(&state, "devices", Duration::from_secs(2), move |state| {
        Ok::<_, Problem>(Devices {
            machine: state.app().hardware().machine(),
            devices: state.app().hardware().devices(&DeviceKind::ALL, freshness),
        })
    })
    .await
}

pub(super) fn devices_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("The machine and its devices").tag("machine").response::<200, Json<Devices>>()
}

/// Who has a device, and who waits.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LeaseView {
    /// What is leased. // eg: cpu
    resource: String,
    /// Who has it: process, run, since when. Several, where they overlap.
    holders: Vec<String>,
    /// Who waits, first come first.
    waiting: Vec<String>,
}

/// `GET /api/leases`
pub(super) async fn leases(Of(state): Of<Shared>) -> Result<Json<Vec<LeaseView>>, Problem> {
    let all = blocking(&state, |state| {
        let devices = state.app().hardware().devices(&DeviceKind::ALL, Freshness::Known);
        let (standings, _) = state.app().hardware().lease_holders(&devices)?;
        let views = standings.into_iter().map(|standing| LeaseView {
            resource: standing.resource,
            holders: standing.holders.iter().map(ToString::to_string).collect(),
            waiting: standing.waiting.iter().map(ToString::to_string).collect(),
        });
        Ok::<_, Problem>(views.collect::<Vec<_>>())
    })
    .await?;
    Ok(Json(all))
}

fn listed(state: &State) -> Result<Value, Problem> {
    let catalog = state.app().plugins().catalog();
    let off = state.serving().operator().disabled_plugins()?;
    let plugins: Vec<Value> = catalog
        .entries
        .iter()
        .map(|entry| {
            let plugin = &entry.descriptor.plugin;
            json!({
                "id": plugin.id,
                "version": plugin.version,
                "kind": entry.kind,
                "description": plugin.description,
                "path": entry.path,
                "sha256": entry.sha256,
                "enabled": !off.contains(&plugin.id),
                "incompatible": entry.incompatible,
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
    Ok(Json(blocking(&state, listed).await?))
}

/// `POST /api/plugins/rescan`
pub(super) async fn rescan(Of(state): Of<Shared>) -> Result<Json<Value>, Problem> {
    state.answers.forget();
    // Scanning is what listing does: nothing is believed that the folders do not hold.
    Ok(Json(blocking(&state, listed).await?))
}

/// A plugin, by its identifier.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct PluginAt {
    /// Identifier from its descriptor.
    plugin: String,
}

/// `GET /api/plugins/{plugin}`
pub(super) async fn plugin(Of(state): Of<Shared>, At(at): At<PluginAt>) -> Result<Json<Value>, Problem> {
    let found = blocking(&state, move |state| {
        let catalog = state.app().plugins().catalog();
        let entries: Vec<_> =
            catalog.entries.iter().filter(|entry| entry.descriptor.plugin.id == at.plugin).collect();
        if entries.is_empty() {
            return Err(no_plugin(state, &at.plugin));
        }
        Ok(json!(entries))
    })
    .await?;
    Ok(Json(found))
}

fn no_plugin(state: &State, name: &str) -> Problem {
    let mut known: Vec<String> =
        state.app().plugins().catalog().entries.into_iter().map(|entry| entry.descriptor.plugin.id).collect();
    known.sort();
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
        let is_known =
            state.app().plugins().catalog().entries.iter().any(|it| it.descriptor.plugin.id == plugin);
        if !is_known && !state.serving().operator().disabled_plugins()?.contains(&plugin) {
            return Err(no_plugin(state, &plugin));
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
