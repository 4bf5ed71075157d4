//! Lists of models, hardware, reports and results.

use std::time::Duration;

use aide::transform::TransformOperation;
use axum::{Json, extract::State as Of, response::Response};
use dyno_core::model::{DeviceInfo, DeviceKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    app::{Freshness, Model, PerformanceFilter, PerformanceRow, RunFilter},
    server::{
        extract::{Ask, within},
        problem::Problem,
        state::{Shared, blocking, kept},
    },
    service::Reports,
};

/// `GET /api/benchmark/models`
pub(crate) async fn models(Of(state): Of<Shared>) -> Result<Response, Problem> {
    kept(&state, "models", Duration::from_secs(5), |state| {
        let plugins = state.app().plugins();
        plugins.models(&plugins.catalog())
    })
    .await
}

pub(crate) fn models_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Available models and benchmarks, and the hardware that can run them")
        .tag("original")
        .response::<200, Json<Vec<Model>>>()
}

/// A device, in the fields of the original suite and some of dyno's.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Hardware {
    /// Kind of device. // eg: cuda
    name: String,
    /// Model name of the processor or card.
    device: String,
    memory_gb: f64,
    /// Always false: dyno never simulates hardware.
    simulation_mode: bool,
    available: bool,
    /// Why the device is not available.
    reason: Option<String>,
    /// Name of the device in requests. // eg: cuda:0
    id: String,
}

/// `GET /api/benchmark/hardware`
pub(crate) async fn hardware(Of(state): Of<Shared>) -> Result<Response, Problem> {
    kept(&state, "hardware", Duration::from_secs(2), |state| {
        let machine = state.app().hardware().machine();
        let devices = state.app().hardware().devices(&DeviceKind::ALL, Freshness::Known);
        let shown = devices.iter().map(|device: &DeviceInfo| Hardware {
            name: device.kind.word().to_owned(),
            device: if device.kind == DeviceKind::Cpu {
                machine.cpu.model.clone()
            } else {
                device.model.clone()
            },
            memory_gb: if device.kind == DeviceKind::Cpu {
                machine.memory_bytes as f64 / 1e9
            } else {
                device.memory_bytes.unwrap_or(0) as f64 / 1e9
            },
            simulation_mode: false,
            available: device.unavailable.is_none(),
            reason: device.unavailable.clone(),
            id: device.name.clone(),
        });
        Ok::<_, Problem>(shown.collect::<Vec<_>>())
    })
    .await
}

pub(crate) fn hardware_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("All eight kinds of hardware, with the reason if one is not available")
        .tag("original")
        .response::<200, Json<Vec<Hardware>>>()
}

/// Reports of older runs than these are listed last.
const NEWEST: u32 = 1_000;

/// `GET /api/benchmark/reports`
pub(crate) async fn list_reports(Of(state): Of<Shared>) -> Result<Json<Vec<Reports>>, Problem> {
    let listed = blocking(&state, |state| {
        let newest = state.app().results().runs(&RunFilter { limit: NEWEST, ..RunFilter::default() })?;
        state.service.reports().list(&newest).map_err(|error| Problem::internal(&error))
    });
    Ok(Json(listed.await?))
}

/// Filters of the results.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Query {
    /// Name of a model or benchmark.
    model: Option<String>,
    /// Kind of device.
    hardware: Option<String>,
    /// Batch size.
    batch_size: Option<i64>,
    /// Maximum number of results to return.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    limit: u32,
}

fn hundred() -> u32 {
    100
}

/// `GET /api/benchmark/query`
pub(crate) async fn query(Of(state): Of<Shared>, Ask(ask): Ask<Query>) -> Result<Response, Problem> {
    within(ask.limit, 1000)?;
    let filter = PerformanceFilter {
        model: ask.model.filter(|text| !text.is_empty()),
        hardware: ask.hardware.filter(|text| !text.is_empty()),
        batch_size: ask.batch_size,
        limit: ask.limit,
    };
    let question = format!("query {filter:?}");
    kept(&state, &question, Duration::from_secs(3600), move |state| {
        state.serving().records().performance(&filter)
    })
    .await
}

pub(crate) fn query_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Results, newest first").tag("original").response::<200, Json<Vec<PerformanceRow>>>()
}
