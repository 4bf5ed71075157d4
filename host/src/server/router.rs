//! The routes, and the OpenAPI document that describes them.

use aide::{
    axum::{
        ApiRouter,
        routing::{delete_with, get_with, post_with},
    },
    openapi::{OpenApi, SecurityScheme},
    redoc::Redoc,
    transform::{TransformOpenApi, TransformOperation},
};
use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, Uri, header},
    middleware,
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    backups, baselines, comparisons, events,
    guard::{self, Guard},
    history, machine, me, noise, operator, original, overall, page, plugins,
    problem::Problem,
    reports, results, runs, series, sql,
    state::Shared,
};

fn docs(
    summary: &'static str,
    tag: &'static str,
) -> impl Fn(TransformOperation<'_>) -> TransformOperation<'_> {
    move |op| op.summary(summary).tag(tag)
}

/// Endpoints of the original suite.
fn original_paths() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/api/benchmark/run", post_with(original::run, original::run_docs))
        .api_route(
            "/api/benchmark/status/{run_id}",
            get_with(original::status, docs("Status of a run", "original")),
        )
        .api_route(
            "/api/benchmark/results/{run_id}",
            get_with(original::results, docs("Results of a run", "original")),
        )
        .api_route("/api/benchmark/models", get_with(original::models, original::models_docs))
        .api_route("/api/benchmark/hardware", get_with(original::hardware, original::hardware_docs))
        .api_route(
            "/api/benchmark/reports",
            get_with(original::list_reports, docs("Reports of all runs, newest first", "original")),
        )
        .api_route("/api/benchmark/query", get_with(original::query, original::query_docs))
        .api_route("/api/benchmark/ws/{run_id}", get_with(original::watch, original::watch_docs))
}

fn run_paths() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/api/runs", get_with(runs::list, runs::list_docs).post_with(runs::post, runs::post_docs))
        .api_route(
            "/api/runs/{run}",
            get_with(runs::get, docs("A run with all its results", "runs"))
                .delete_with(runs::delete, docs("Delete an ended run", "runs")),
        )
        .api_route("/api/runs/{run}/cancel", post_with(runs::cancel, docs("Cancel a run", "runs")))
        .api_route("/api/runs/{run}/rerun", post_with(runs::rerun, runs::again_docs("Repeat a run")))
        .api_route(
            "/api/runs/{run}/resume",
            post_with(runs::resume, runs::again_docs("Resume the unfinished cases of a run")),
        )
        .api_route("/api/runs/{run}/events", get_with(events::run, events::run_docs))
        .api_route("/api/runs/{run}/export", get_with(runs::export, runs::export_docs))
        .api_route(
            "/api/runs/{run}/cases/{case}/samples",
            get_with(runs::samples, docs("Samples of a case, by launch", "runs")),
        )
        .api_route(
            "/api/runs/{run}/cases/{case}/distribution",
            get_with(runs::distribution, docs("Quantiles and course of the samples of a case", "runs")),
        )
        .api_route(
            "/api/runs/{run}/tags",
            get_with(runs::tags, docs("Tags of a run", "runs"))
                .post_with(runs::tag, docs("Add a tag with a note to a run", "runs")),
        )
        .api_route(
            "/api/runs/{run}/tags/{tag}",
            delete_with(runs::untag, docs("Remove a tag from a run", "runs")),
        )
        .api_route("/api/queue", get_with(runs::queue, docs("Running and waiting runs", "runs")))
        .api_route("/api/compare", get_with(comparisons::compare, docs("Compare two runs", "verdicts")))
        .api_route("/api/events", get_with(events::all, events::all_docs))
        .api_route("/api/events/ws", get_with(events::all_ws, events::all_ws_docs))
}

fn verdict_paths() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/api/baselines", get_with(baselines::baselines, docs("All baselines", "verdicts")))
        .api_route(
            "/api/baselines/{name}",
            get_with(baselines::baseline, docs("The run of a baseline", "verdicts"))
                .put_with(baselines::save_baseline, docs("Make a run a baseline", "verdicts")),
        )
        .api_route(
            "/api/history/{benchmark}",
            get_with(
                history::history,
                docs("History of a benchmark over all runs, with change points", "verdicts"),
            ),
        )
        .api_route(
            "/api/history/{benchmark}/accept",
            post_with(history::accept, docs("Accept a change of level", "verdicts")),
        )
        .api_route(
            "/api/noise",
            get_with(
                noise::noise,
                docs("Noise of a machine: how much pairs of equal builds differ", "verdicts"),
            )
            .post_with(
                noise::record_noise,
                docs("Store the noise that an A/A comparison measured", "verdicts"),
            ),
        )
        .api_route(
            "/api/drift",
            get_with(
                noise::drift,
                docs("Drift of a machine: how much runs of equal builds differ", "verdicts"),
            ),
        )
        .api_route(
            "/api/comparisons",
            post_with(comparisons::record_comparison, docs("Store a comparison", "verdicts")),
        )
}

fn machine_paths() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/api/me", get_with(me::me, docs("The caller and what it may do", "machine")))
        .api_route("/api/devices", get_with(machine::devices, machine::devices_docs))
        .api_route("/api/leases", get_with(machine::leases, docs("Leases of all devices", "machine")))
        .api_route(
            "/api/catalog",
            get_with(
                plugins::catalog,
                docs("All plugin files with their metadata, as `dyno list` reads them", "plugins"),
            ),
        )
        .api_route("/api/plugins", get_with(plugins::plugins, docs("All plugins", "plugins")))
        .api_route(
            "/api/plugins/rescan",
            post_with(plugins::rescan, docs("Scan the plugin folders again", "plugins")),
        )
        .api_route(
            "/api/plugins/{plugin}",
            get_with(plugins::plugin, docs("Metadata of a plugin", "plugins")),
        )
        .api_route(
            "/api/plugins/{plugin}/enable",
            post_with(plugins::enable, docs("Enable a plugin", "plugins")),
        )
        .api_route(
            "/api/plugins/{plugin}/disable",
            post_with(plugins::disable, docs("Disable a plugin", "plugins")),
        )
}

fn operator_paths() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/api/reports/{kind}", get_with(overall::overall, overall::overall_docs))
        .api_route("/api/reports/{run}/{file}", get_with(reports::file, reports::file_docs))
        .api_route("/api/series", get_with(series::series, series::docs))
        .api_route("/api/results", get_with(results::results, results::docs))
        .api_route("/api/sql", post_with(sql::select, sql::docs))
        .api_route(
            "/api/audit",
            get_with(
                operator::audit,
                docs("The audit log: calls that changed something, newest first", "operator"),
            ),
        )
        .api_route("/api/backup", get_with(backups::backup, backups::backup_docs))
        .api_route(
            "/api/vacuum",
            post_with(backups::vacuum, docs("Remove what is older than it is kept", "operator")),
        )
        .api_route("/healthz", get_with(operator::healthz, docs("Liveness", "operator")))
        .api_route(
            "/readyz",
            get_with(operator::readyz, docs("Readiness: database, disks and queue", "operator")),
        )
        .api_route("/metrics", get_with(operator::metrics, operator::metrics_docs))
}

fn described(api: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    api.title("dyno")
        .version(env!("CARGO_PKG_VERSION"))
        .summary("Runs benchmark plugins in isolated workers")
        .description("Errors are `application/problem+json` with a `detail`. Times are RFC 3339 in UTC.")
        .security_scheme(
            "token",
            SecurityScheme::Http {
                scheme: "bearer".to_owned(),
                bearer_format: None,
                description: Some("Required if the server has a token file".to_owned()),
                extensions: Default::default(),
            },
        )
        .default_response::<Problem>()
}

fn assembled() -> (Router<Shared>, OpenApi) {
    aide::generate::extract_schemas(true);
    aide::generate::infer_responses(true);
    let mut api = OpenApi::default();
    let router = ApiRouter::new()
        .merge(original_paths())
        .merge(run_paths())
        .merge(verdict_paths())
        .merge(machine_paths())
        .merge(operator_paths())
        .route("/", axum::routing::get(page::index))
        .route("/page/{*file}", axum::routing::get(page::asset))
        .route("/docs", Redoc::new("/openapi.json").with_title("dyno").axum_route())
        .finish_api_with(&mut api, described);
    (router, api)
}

/// The OpenAPI 3.1 document, JSON.
#[must_use]
pub fn openapi() -> String {
    let mut text = serde_json::to_string_pretty(&assembled().1).unwrap_or_default();
    text.push('\n');
    text
}

/// All routes with their middleware.
pub(super) fn router(state: Shared) -> Router {
    let (router, api) = assembled();
    let document = Bytes::from(serde_json::to_vec(&api).unwrap_or_default());
    let guard = Guard::new(state.clone());
    router
        .route(
            "/openapi.json",
            axum::routing::get(move || {
                let document = document.clone();
                async move { ([(header::CONTENT_TYPE, "application/json")], document) }
            }),
        )
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(CatchPanicLayer::custom(|_| Problem::internal(&"a handler panicked").into_response()))
        .layer(middleware::from_fn_with_state(guard, guard::guard))
        .with_state(state)
}

async fn nowhere(uri: Uri) -> Problem {
    Problem::not_found(format!("there is no endpoint `{}`; /docs lists all endpoints", uri.path()))
}

async fn not_so(uri: Uri) -> Response {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("`{}` does not support this method; /docs lists the supported ones", uri.path()),
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_is_the_published_one() {
        let package =
            std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for the tests that it runs");
        let path = std::path::Path::new(&package).join("../docs/schemas/openapi.json");
        let now = super::openapi();
        if std::env::var_os("DYNO_BLESS").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap();
        assert!(
            published == now,
            "the interface is no longer what docs/schemas/openapi.json says; if that is meant, write it with \
             DYNO_BLESS=1 and say so in CHANGELOG.md"
        );
    }
}
