//! The machine: its devices, and who has them.

use std::time::Duration;

use aide::transform::TransformOperation;
use axum::{Json, extract::State as Of, response::Response};
use dyno_core::model::{DeviceInfo, DeviceKind, Machine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    extract::Ask,
    problem::Problem,
    state::{Shared, blocking, kept},
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
