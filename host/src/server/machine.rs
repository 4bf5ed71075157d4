//! The machine: its devices and their leases.

use std::time::Duration;

use aide::transform::TransformOperation;
use axum::{Json, extract::State as Of, response::Response};
use dyno_core::model::{DeviceInfo, DeviceKind, IsolationReadings, Machine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    extract::Ask,
    problem::Problem,
    state::{Shared, blocking, kept},
};
use crate::app::Freshness;

/// Options of the list of devices.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DevicesQuery {
    /// Query every driver again instead of using cached answers.
    #[serde(default)]
    refresh: bool,
}

/// The machine and its devices.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Devices {
    machine: Machine,
    /// At least one entry for each of the eight kinds; `unavailable` says why a device cannot be used.
    devices: Vec<DeviceInfo>,
    /// What stands between native plugins and the machine, as a worker found it out on itself; null if it cannot be asked.
    isolation: Option<IsolationReadings>,
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
            isolation: state.app().hardware().isolation(),
        })
    })
    .await
}

pub(super) fn devices_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("The machine and its devices").tag("machine").response::<200, Json<Devices>>()
}

/// The lease of a device.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LeaseView {
    /// The leased resource: `cpu`, or the bus address of a card.
    resource: String,
    /// The holders: process, run and start time of each. More than one if they overlap.
    holders: Vec<String>,
    /// The processes waiting for it, in order.
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
