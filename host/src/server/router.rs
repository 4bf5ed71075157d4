//! Which path leads where, and the document that says so.

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
    extract::DefaultBodyLimit,
    http::{StatusCode, Uri, header},
    middleware,
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    baselines, comparisons, events,
    extract::MOST_BYTES,
    guard::{self, Guard},
    history, machine, noise, operator, original, overall, plugins,
    problem::Problem,
    reports, runs, sql,
    state::Shared,
};

fn docs(
    summary: &'static str,
    tag: &'static str,
) -> impl Fn(TransformOperation<'_>) -> TransformOperation<'_> {
    move |op| op.summary(summary).tag(tag)
}

/// The paths of the original suite.
fn original_paths() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/api/benchmark/run", post_with(original::run, original::run_docs))
        .api_route(
            "/api/benchmark/status/{run_id}",
            get_with(original::status, docs("How a run stands", "original")),
        )
        .api_route(
            "/api/benchmark/results/{run_id}",
            get_with(original::results, docs("What came of a run", "original")),
        )
        .api_route("/api/benchmark/models", get_with(original::models, original::models_docs))
        .api_route("/api/benchmark/hardware", get_with(original::hardware, original::hardware_docs))
        .api_route(
            "/api/benchmark/reports",
            get_with(original::list_reports, docs("Reports, newest first", "original")),
        )
        .api_route("/api/benchmark/query", get_with(original::query, original::query_docs))
        .api_route("/api/benchmark/ws/{run_id}", get_with(original::watch, original::watch_docs))
}

fn run_paths() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/api/runs", get_with(runs::list, runs::list_docs).post_with(runs::post, runs::post_docs))
        .api_route(
            "/api/runs/{run}",
            get_with(runs::get, docs("A run with all that came of it", "runs"))
                .delete_with(runs::delete, docs("Delete a run that has ended", "runs")),
        )
        .api_route("/api/runs/{run}/cancel", post_with(runs::cancel, docs("Give a run up", "runs")))
        .api_route(
            "/api/runs/{run}/rerun",
            post_with(runs::rerun, runs::again_docs("Ask for the same once more")),
        )
        .api_route(
            "/api/runs/{run}/resume",
            post_with(runs::resume, runs::again_docs("Ask for the cases of a run that have no end")),
        )
        .api_route("/api/runs/{run}/events", get_with(events::run, events::run_docs))
        .api_route("/api/runs/{run}/export", get_with(runs::export, runs::export_docs))
        .api_route(
            "/api/runs/{run}/cases/{case}/samples",
            get_with(runs::samples, docs("The samples of a case, launch by launch", "runs")),
        )
        .api_route(
            "/api/runs/{run}/tags",
            get_with(runs::tags, docs("The tags of a run", "runs"))
                .post_with(runs::tag, docs("Put an annotated tag on a run", "runs")),
        )
        .api_route(
            "/api/runs/{run}/tags/{tag}",
            delete_with(runs::untag, docs("Take a tag from a run", "runs")),
        )
        .api_route("/api/queue", get_with(runs::queue, docs("What runs and what waits", "runs")))
        .api_route(
            "/api/compare",
            get_with(comparisons::compare, docs("Two runs beside one another", "verdicts")),
        )
        .api_route("/api/events", get_with(events::all, events::all_docs))
        .api_route("/api/events/ws", get_with(events::all_ws, events::all_ws_docs))
}

fn verdict_paths() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/api/baselines", get_with(baselines::baselines, docs("Baselines", "verdicts")))
        .api_route(
            "/api/baselines/{name}",
            get_with(baselines::baseline, docs("The run that a baseline names", "verdicts"))
                .put_with(baselines::save_baseline, docs("Name a run as a baseline", "verdicts")),
        )
        .api_route(
            "/api/history/{benchmark}",
            get_with(history::history, docs("A benchmark over all runs, with change points", "verdicts")),
        )
        .api_route(
            "/api/history/{benchmark}/accept",
            post_with(history::accept, docs("Accept a change", "verdicts")),
        )
        .api_route(
            "/api/noise",
            get_with(noise::noise, docs("How much equal builds differ on a machine", "verdicts"))
                .post_with(noise::record_noise, docs("Keep what an A/A comparison found", "verdicts")),
        )
        .api_route(
            "/api/drift",
            get_with(noise::drift, docs("How much runs of equal builds differ on a machine", "verdicts")),
        )
        .api_route(
            "/api/comparisons",
            post_with(comparisons::record_comparison, docs("Keep a comparison", "verdicts")),
        )
}

fn machine_paths() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/api/devices", get_with(machine::devices, machine::devices_docs))
        .api_route("/api/leases", get_with(machine::leases, docs("Who has which device", "machine")))
        .api_route(
            "/api/catalog",
            get_with(
                plugins::catalog,
                docs("All plugin files with all that they say, as `dyno list` reads it", "plugins"),
            ),
        )
        .api_route("/api/plugins", get_with(plugins::plugins, docs("Plugins", "plugins")))
        .api_route(
            "/api/plugins/rescan",
            post_with(plugins::rescan, docs("Look at the plugin folders again", "plugins")),
        )
        .api_route(
            "/api/plugins/{plugin}",
            get_with(plugins::plugin, docs("All that a plugin says about itself", "plugins")),
        )
        .api_route(
            "/api/plugins/{plugin}/enable",
            post_with(plugins::enable, docs("Switch a plugin on", "plugins")),
        )
        .api_route(
            "/api/plugins/{plugin}/disable",
            post_with(plugins::disable, docs("Switch a plugin off", "plugins")),
        )
}

fn operator_paths() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/api/reports/{kind}", get_with(overall::overall, overall::overall_docs))
        .api_route("/api/reports/{run}/{file}", get_with(reports::file, reports::file_docs))
        .api_route("/api/sql", post_with(sql::select, sql::docs))
        .api_route("/api/audit", get_with(operator::audit, docs("Who changed what", "operator")))
        .api_route("/healthz", get_with(operator::healthz, docs("Whether the server lives", "operator")))
        .api_route("/readyz", get_with(operator::readyz, docs("Whether the database answers", "operator")))
        .api_route("/metrics", get_with(operator::metrics, operator::metrics_docs))
}

fn described(api: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    api.title("dyno")
        .version(env!("CARGO_PKG_VERSION"))
        .summary("Benchmarks that come as plugins, run in isolated workers")
        .description("Errors are `application/problem+json` with a `detail`. Times are RFC 3339 in UTC.")
        .security_scheme(
            "token",
            SecurityScheme::Http {
                scheme: "bearer".to_owned(),
                bearer_format: None,
                description: Some("Needed where the server has a token file".to_owned()),
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
        .route("/docs", Redoc::new("/openapi.json").with_title("dyno").axum_route())
        .finish_api_with(&mut api, described);
    (router, api)
}

/// The document of the interface: OpenAPI 3.1, JSON.
#[must_use]
pub fn openapi() -> String {
    let mut text = serde_json::to_string_pretty(&assembled().1).unwrap_or_default();
    text.push('\n');
    text
}

/// The server's answers.
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
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(CatchPanicLayer::custom(|_| Problem::internal(&"a handler panicked").into_response()))
        .layer(middleware::from_fn_with_state(guard, guard::guard))
        .with_state(state)
}

async fn nowhere(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at `{}`; /docs shows what there is", uri.path()))
}

async fn not_so(uri: Uri) -> Response {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("`{}` does not take this method; /docs shows what it takes", uri.path()),
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_is_the_published_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schemas/openapi.json");
        let now = super::openapi();
        if std::env::var_os("DYNO_BLESS").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap();
        assert!(
            published == now,
            "the interface is no longer what docs/schemas/openapi.json says; if that is meant, write it with \
             DYNO_BLESS=1 and say so in CHANGELOG.md"
        );
    }
}
