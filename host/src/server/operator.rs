//! Monitoring: health, metrics and the audit log.

use aide::transform::TransformOperation;
use axum::{
    Json,
    extract::State as Of,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    extract::{Ask, within},
    media::{METRICS, may_be},
    problem::Problem,
    state::{Shared, State, blocking},
};
use crate::{app::Audited, proc::resident_bytes};

/// Health of the server.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
    /// Version of dyno.
    version: &'static str,
    /// Time since the server started [s].
    uptime_s: f64,
}

/// `GET /healthz`
pub(super) async fn healthz(Of(state): Of<Shared>) -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        uptime_s: state.started.elapsed().as_secs_f64(),
    })
}

/// `GET /readyz`: checks that the database answers, the disks have free space, and runs can be carried out.
pub(super) async fn readyz(Of(state): Of<Shared>) -> Result<Json<Health>, Problem> {
    let not_ready = |why: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why);
    let full = blocking(&state, |state| {
        state.serving().queue().waiting()?;
        Ok::<_, Problem>(state.service.full_disk())
    })
    .await
    .map_err(|_| not_ready("the database does not answer".to_owned()))?;
    if let Some(why) = full.or_else(|| state.service.queue().trouble()) {
        return Err(not_ready(why));
    }
    Ok(healthz(Of(state)).await)
}

/// `GET /metrics`
pub(super) async fn metrics(Of(state): Of<Shared>) -> Result<Response, Problem> {
    let waiting = blocking(&state, |state| state.serving().queue().waiting()).await?.len();
    let text = [
        ("dyno_uptime_seconds", "gauge", "Since the server started.", state.started.elapsed().as_secs_f64()),
        ("dyno_requests_total", "counter", "Requests received.", State::count(&state.requests) as f64),
        (
            "dyno_refusals_total",
            "counter",
            "Requests that were refused.",
            State::count(&state.refusals) as f64,
        ),
        (
            "dyno_token_file_refused",
            "gauge",
            "1 while the token file cannot be used and the previous tokens remain valid.",
            f64::from(u8::from(state.tokens.are_outdated())),
        ),
        ("dyno_runs_running", "gauge", "Running runs.", state.service.queue().running().len() as f64),
        ("dyno_runs_live", "gauge", "Waiting and running runs.", state.service.table().len() as f64),
        ("dyno_runs_queued", "gauge", "Waiting runs.", waiting as f64),
        (
            "dyno_resident_bytes",
            "gauge",
            "Memory of the server.",
            resident_bytes(std::process::id()).unwrap_or(0) as f64,
        ),
    ]
    .map(|(name, kind, help, value)| format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"))
    .concat();
    Ok(([(header::CONTENT_TYPE, METRICS)], text).into_response())
}

pub(super) fn metrics_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    may_be(op.summary("Metrics for Prometheus").tag("operator"), [METRICS])
}

/// Options of the audit log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// Maximum number of calls to return, newest first.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 10000))]
    limit: u32,
}

fn hundred() -> u32 {
    100
}

/// `GET /api/audit`
pub(super) async fn audit(
    Of(state): Of<Shared>,
    Ask(ask): Ask<AuditQuery>,
) -> Result<Json<Vec<Audited>>, Problem> {
    within(ask.limit, 10_000)?;
    Ok(Json(blocking(&state, move |state| state.serving().operator().audited(ask.limit)).await?))
}
