//! The interface of the original suite, with its paths, fields and meanings: clients that were written for it go on working.

use std::{hash::Hash, time::Duration};

use aide::transform::TransformOperation;
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{
        State as Of,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
    },
    http::StatusCode,
    response::Response,
};
use dyno_core::model::{
    CaseRequest, CaseStatus, DeviceInfo, DeviceKind, RunRecord, RunSpec, RunStatus, Settings,
};
use dyno_plugin_api::descriptor::BenchmarkInfo;
use indexmap::{IndexMap, IndexSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    events::Pulse,
    extract::{Ask, At, Body, Upgrade},
    problem::Problem,
    reports::{self, Reports},
    runs::{RunRequest, accept},
    state::{Shared, State, blocking, kept},
    status::{Status, model, word},
    tokens::Identity,
};
use crate::app::{self, AppError, Catalog, Freshness, PerformanceFilter, PerformanceRow, Priority};

/// What a run may be asked for with: the words of the original suite, or those of dyno.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Asked {
    /// The words of dyno.
    Ours(Box<RunRequest>),
    /// The words of the original suite.
    Theirs(Original),
}

/// A run in the words of the original suite.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Original {
    /// Which benchmarks: `critical`, `high` or `medium` (those with a tag of that word, and those of the words before it;
    /// a benchmark without such a tag counts as high), or `all`. Also how urgent the run is.
    #[serde(default = "high")]
    priority: String,
    /// Devices.
    #[serde(default = "cpu")]
    hardware: Vec<String>,
    /// Only these models or benchmarks.
    #[serde(default)]
    models: Option<Vec<String>>,
    /// Values of the parameter `batch_size`, where a benchmark has one.
    #[serde(default = "batch_sizes")]
    batch_sizes: Vec<i64>,
    /// Value of the parameter `precision` or `dtype`, where a benchmark has one.
    #[serde(default = "fp32")]
    precision: String,
    /// Smaller batches first, over all models.
    #[serde(default = "yes")]
    progressive_mode: bool,
    /// Skip what there are results of: of the same plugin file, parameters and device.
    #[serde(default = "yes")]
    incremental: bool,
    /// Always refused: which folders hold plugins, the operator says.
    #[serde(default)]
    skillset_dir: Option<String>,
}

fn high() -> String {
    "high".to_owned()
}
fn cpu() -> Vec<String> {
    vec!["cpu".to_owned()]
}
fn batch_sizes() -> Vec<i64> {
    vec![1, 8]
}
fn fp32() -> String {
    "fp32".to_owned()
}
fn yes() -> bool {
    true
}

/// What is said of a run that was accepted.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Accepted {
    run_id: String,
    /// `initializing`.
    status: &'static str,
    message: String,
    /// When it was accepted (RFC 3339, UTC).
    started_at: String,
}

/// `POST /api/benchmark/run`
pub(super) async fn run(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    Body(asked): Body<Value>,
) -> Result<Json<Accepted>, Problem> {
    let request = request(asked.clone())?;
    let record = match request {
        Asked::Ours(ours) => accept(&state, identity, *ours, asked).await?,
        Asked::Theirs(theirs) => {
            let (priority, spec) =
                blocking(&state, move |state| translated(&theirs, &state.app.catalog())).await?;
            accept(&state, identity, RunRequest::of(spec, priority), asked).await?
        }
    };
    Ok(Json(Accepted {
        run_id: record.id,
        status: "initializing",
        message: "Benchmark run started".to_owned(),
        started_at: record.created_at,
    }))
}

/// Which of the two it is: what names benchmarks, requests or a spec is ours.
fn request(asked: Value) -> Result<Asked, Problem> {
    let bad = |error: serde_json::Error| Problem::bad(error.to_string());
    let Some(object) = asked.as_object() else {
        return Err(Problem::bad("the body must be a JSON object"));
    };
    if ["benchmarks", "requests", "spec"].iter().any(|word| object.contains_key(*word)) {
        return serde_json::from_value(asked).map(|ours| Asked::Ours(Box::new(ours))).map_err(bad);
    }
    serde_json::from_value(asked).map(Asked::Theirs).map_err(bad)
}

pub(super) fn run_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Start a run")
        .description(
            "In the words of the original suite, or in those of dyno (`benchmarks`, `requests` or `spec`).",
        )
        .tag("original")
        .input::<Json<Asked>>()
}

/// The original's words as ours.
fn translated(asked: &Original, catalog: &Catalog) -> Result<(Priority, RunSpec), Problem> {
    if asked.skillset_dir.is_some() {
        return Err(Problem::bad(
            "skillset_dir: which folders hold plugins, the operator says when the server starts (--plugins)",
        ));
    }
    let (tiers, priority): (&[&str], Priority) = match asked.priority.as_str() {
        "critical" => (&["critical"], Priority::Critical),
        "high" => (&["critical", "high", ""], Priority::High),
        "medium" => (&["critical", "high", "", "medium"], Priority::Medium),
        "all" => (&["critical", "high", "", "medium", "low"], Priority::Low),
        other => {
            return Err(Problem::bad(format!(
                "priority `{other}` is not known; give critical, high, medium or all"
            )));
        }
    };
    if asked.hardware.is_empty() {
        return Err(Problem::bad("hardware is empty; name a device, like \"cpu\""));
    }
    let batches = each_once("batch_sizes", asked.batch_sizes.iter().copied())?;
    let devices = each_once("hardware", asked.hardware.iter().map(String::as_str))?;
    let models = asked.models.as_ref();
    let models = models.map(|all| each_once("models", all.iter().map(String::as_str))).transpose()?;
    let mut names: Vec<&str> = Vec::new();
    let mut requests: Vec<(i64, CaseRequest)> = Vec::new();
    for entry in catalog.entries.iter().filter(|entry| entry.incompatible.is_none()) {
        for benchmark in &entry.descriptor.benchmarks {
            let of_param = |name: &str| benchmark.params.iter().find(|param| param.name == name);
            let wanted: Vec<&str> = match &models {
                None => {
                    let tier = ["critical", "high", "medium", "low"]
                        .into_iter()
                        .find(|tier| benchmark.tags.iter().any(|tag| tag == tier))
                        .unwrap_or_default();
                    if !tiers.contains(&tier) {
                        continue;
                    }
                    vec![benchmark.name.as_str()]
                }
                Some(models) => models
                    .iter()
                    .copied()
                    .filter(|model| *model == benchmark.name || benchmark.models.iter().any(|it| it == model))
                    .collect(),
            };
            if wanted.is_empty() {
                continue;
            }
            names.extend(&wanted);
            let mut params: IndexMap<String, Vec<Value>> = IndexMap::new();
            if of_param("model").is_some() && !wanted.contains(&benchmark.name.as_str()) {
                params.insert("model".to_owned(), wanted.iter().map(|name| json!(name)).collect());
            }
            if let Some(param) = of_param("precision").or_else(|| of_param("dtype")) {
                let Some(value) = precision(&asked.precision, param.choices.as_deref()) else { continue };
                params.insert(param.name.clone(), vec![value]);
            }
            let hardware = served(&devices, benchmark, catalog);
            if hardware.is_empty() {
                continue;
            }
            let name = format!("{}/{}", entry.descriptor.plugin.id, benchmark.name);
            if requests.iter().any(|(_, request)| request.benchmark == name) {
                // The other build of the same plugin.
                continue;
            }
            let request = |params| CaseRequest {
                benchmark: name.clone(),
                params,
                hardware: hardware.clone(),
                engine: dyno_core::model::EngineChoice::Auto,
                sha256: None,
            };
            if of_param("batch_size").is_some() && !batches.is_empty() {
                for batch in &batches {
                    let mut params = params.clone();
                    params.insert("batch_size".to_owned(), vec![json!(batch)]);
                    requests.push((*batch, request(params)));
                }
            } else {
                requests.push((0, request(params)));
            }
        }
    }
    if let Some(missing) = models.iter().flatten().find(|model| !names.contains(model)) {
        return Err(Problem::bad(format!(
            "there is no model or benchmark `{missing}`; GET /api/benchmark/models lists them"
        )));
    }
    if requests.is_empty() {
        return Err(Problem::bad(format!(
            "no benchmark has priority {} and precision {}; GET /api/benchmark/models lists all",
            asked.priority, asked.precision
        )));
    }
    if asked.progressive_mode {
        requests.sort_by_key(|(batch, _)| *batch);
    }
    let (seed, inputs) = app::seed(None);
    let spec = RunSpec {
        suite: None,
        requests: requests.into_iter().map(|(_, request)| request).collect(),
        settings: Settings { seed, inputs, ..Settings::default() },
        tags: Vec::new(),
    };
    Ok((priority, spec))
}

/// Values that a list of a request may have.
const MOST_VALUES: usize = 1_000;

/// The values of a list, in its order, each once: `[1, 8, 1]` asks for no case twice.
fn each_once<T: Hash + Eq>(
    field: &str,
    values: impl ExactSizeIterator<Item = T>,
) -> Result<IndexSet<T>, Problem> {
    let count = values.len();
    if count > MOST_VALUES {
        return Err(Problem::bad(format!("{field} has {count} values; give up to {MOST_VALUES}")));
    }
    Ok(values.collect())
}

/// The devices that a benchmark is to run on, of those that were asked for: not those for which another plugin has a benchmark
/// of that name and this one has none. Where no plugin has one, the case is kept, and says what it runs on.
fn served(devices: &IndexSet<&str>, benchmark: &BenchmarkInfo, catalog: &Catalog) -> Vec<String> {
    let runs = |it: &BenchmarkInfo, kind: &str| it.hardware.iter().any(|other| other == kind);
    let of_another = |kind: &str| {
        let all = catalog.entries.iter().filter(|entry| entry.incompatible.is_none());
        let mut named =
            all.flat_map(|entry| &entry.descriptor.benchmarks).filter(|it| it.name == benchmark.name);
        named.any(|it| runs(it, kind))
    };
    let is_meant = |device: &&&str| {
        let kind = device.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        runs(benchmark, &kind) || !of_another(&kind)
    };
    devices.iter().filter(is_meant).map(|device| (*device).to_owned()).collect()
}

/// A precision in the words of a benchmark. // eg: `fp32` where it says `f32`
fn precision(asked: &str, choices: Option<&[Value]>) -> Option<Value> {
    let asked = asked.to_lowercase();
    let short = asked.replace("fp", "f").replace("int", "i").replace("float", "f");
    let Some(choices) = choices else { return Some(json!(asked)) };
    choices
        .iter()
        .find(|choice| choice.as_str().is_some_and(|word| word.eq_ignore_ascii_case(&asked) || word == short))
        .cloned()
}

/// A run, by its identifier.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct RunId {
    /// Identifier of the run.
    run_id: String,
}

fn unknown(run: &str) -> Problem {
    Problem::not_found(format!("Benchmark run {run} not found"))
}

/// How a run stands, wherever it is.
async fn standing(state: &Shared, run: &str) -> Result<Status, Problem> {
    if let Some(status) = state.hub.status(run, None) {
        return Ok(status);
    }
    let run = run.to_owned();
    blocking(state, move |state| stored(state, &run)).await
}

fn stored(state: &State, run: &str) -> Result<Status, Problem> {
    let record = exactly(state, run)?;
    Ok(Status::of(&record, state.app.run_end(run)?))
}

/// The run of this very identifier.
fn exactly(state: &State, run: &str) -> Result<RunRecord, Problem> {
    match state.app.stored_run(run, false) {
        Ok(record) if record.id == run => Ok(record),
        Ok(_) => Err(unknown(run)),
        Err(AppError::Store(error)) if error.is_usage() => Err(unknown(run)),
        Err(error) => Err(error.into()),
    }
}

/// `GET /api/benchmark/status/{run_id}`
pub(super) async fn status(Of(state): Of<Shared>, At(at): At<RunId>) -> Result<Json<Status>, Problem> {
    Ok(Json(standing(&state, &at.run_id).await?))
}

/// What came of a run, in the fields of the original suite.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Results {
    run_id: String,
    status: &'static str,
    /// The request, as it was posted.
    config: Value,
    /// A result for each case.
    results: Vec<CaseResult>,
    start_time: String,
    completion_time: Option<String>,
}

/// What came of a case.
#[derive(Debug, Serialize, JsonSchema)]
struct CaseResult {
    model: String,
    benchmark: String,
    hardware: String,
    /// All parameters.
    params: Value,
    /// How it ended: completed, failed, skipped, timed_out, cancelled.
    status: &'static str,
    success: bool,
    /// Why it did not complete; absent where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    average_latency_ms: Option<f64>,
    throughput_items_per_second: Option<f64>,
    memory_peak_mb: Option<f64>,
    /// Medians of all metrics, by name.
    metrics: IndexMap<String, f64>,
}

/// `GET /api/benchmark/results/{run_id}`
pub(super) async fn results(Of(state): Of<Shared>, At(at): At<RunId>) -> Result<Json<Results>, Problem> {
    let run = at.run_id.clone();
    if state.hub.status(&run, None).is_some() {
        let detail = format!("Benchmark run {run} is not completed");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let results = blocking(&state, move |state| {
        let record = exactly(state, &run)?;
        if matches!(record.status, RunStatus::Queued | RunStatus::Running) {
            let detail = format!("Benchmark run {run} is not completed");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        let submission = state.app.submission(&run)?;
        let begun = submission.as_ref().and_then(|it| it.begun_at.clone());
        let config = submission.and_then(|it| serde_json::from_str(&it.request).ok());
        Ok(Results {
            status: word(record.status, record.cases.iter().any(|case| case.status.has_result())),
            config: config.unwrap_or_else(|| json!(record.spec)),
            results: record.cases.iter().map(case_result).collect(),
            start_time: begun.unwrap_or_else(|| record.created_at.clone()),
            completion_time: record.finished_at,
            run_id: record.id,
        })
    })
    .await?;
    Ok(Json(results))
}

fn case_result(case: &dyno_core::model::CaseRecord) -> CaseResult {
    let median = |name: &str| case.metric(name).map(|metric| metric.median);
    CaseResult {
        model: model(case),
        benchmark: case.benchmark.clone(),
        hardware: case.device.clone(),
        params: json!(case.params),
        status: case.status.word(),
        success: case.status == CaseStatus::Completed,
        error: match &case.status {
            CaseStatus::Failed { stage, reason } => Some(format!("failed in {stage}: {reason}")),
            CaseStatus::TimedOut { stage, limit_s, .. } => {
                Some(format!("timed out in {stage} after {limit_s} s"))
            }
            CaseStatus::Skipped { reason, .. } => Some(reason.clone()),
            _ => None,
        },
        average_latency_ms: case.metric("time").map(|metric| metric.mean / 1e6),
        throughput_items_per_second: median("items_per_second"),
        memory_peak_mb: median("peak_memory").map(|bytes| bytes / 1e6),
        metrics: case.metrics.iter().map(|metric| (metric.name.clone(), metric.median)).collect(),
    }
}

/// A model or benchmark.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Model {
    name: String,
    /// Category of its benchmark.
    family: String,
    /// `model`, or `benchmark` where it is no model.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Plugin and kinds of device.
    modality: String,
}

/// `GET /api/benchmark/models`
pub(super) async fn models(Of(state): Of<Shared>) -> Result<Response, Problem> {
    kept(&state, "models", Duration::from_secs(5), |state| {
        let mut all: Vec<Model> = Vec::new();
        for entry in &state.app.catalog().entries {
            for benchmark in &entry.descriptor.benchmarks {
                let names = benchmark.models.iter().map(|name| (name, "model"));
                for (name, kind) in std::iter::once((&benchmark.name, "benchmark")).chain(names) {
                    if all.iter().all(|other| other.name != *name) {
                        all.push(Model {
                            name: name.clone(),
                            family: benchmark.category.clone(),
                            kind,
                            modality: benchmark.hardware.join(", "),
                        });
                    }
                }
            }
        }
        Ok::<_, Problem>(all)
    })
    .await
}

pub(super) fn models_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Models and benchmarks that can be run").tag("original").response::<200, Json<Vec<Model>>>()
}

/// A kind of hardware, in the fields of the original suite and some of ours.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Hardware {
    /// Its kind. // eg: cuda
    name: String,
    /// What it is.
    device: String,
    memory_gb: f64,
    /// Always false: what is not there is not simulated.
    simulation_mode: bool,
    available: bool,
    /// Why it is not available.
    reason: Option<String>,
    /// What it is called in requests. // eg: cuda:0
    id: String,
}

/// `GET /api/benchmark/hardware`
pub(super) async fn hardware(Of(state): Of<Shared>) -> Result<Response, Problem> {
    kept(&state, "hardware", Duration::from_secs(2), |state| {
        let machine = state.app.machine();
        let devices = state.app.devices(&DeviceKind::ALL, Freshness::Known);
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

pub(super) fn hardware_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("The eight kinds of hardware, and why some are not available")
        .tag("original")
        .response::<200, Json<Vec<Hardware>>>()
}

/// `GET /api/benchmark/reports`
pub(super) async fn list_reports(Of(state): Of<Shared>) -> Result<Json<Vec<Reports>>, Problem> {
    Ok(Json(blocking(&state, reports::list).await?))
}

/// Which results to give.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Query {
    /// Only this model or benchmark.
    model: Option<String>,
    /// Only this kind of hardware.
    hardware: Option<String>,
    /// Only this batch size.
    batch_size: Option<i64>,
    /// At most so many.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    limit: u32,
}

fn hundred() -> u32 {
    100
}

/// `GET /api/benchmark/query`
pub(super) async fn query(Of(state): Of<Shared>, Ask(ask): Ask<Query>) -> Result<Response, Problem> {
    if !(1..=1000).contains(&ask.limit) {
        return Err(Problem::bad(format!("limit is {}; give 1 to 1000", ask.limit)));
    }
    let filter = PerformanceFilter {
        model: ask.model.filter(|text| !text.is_empty()),
        hardware: ask.hardware.filter(|text| !text.is_empty()),
        batch_size: ask.batch_size,
        limit: ask.limit,
    };
    let question = format!("query {filter:?}");
    kept(&state, &question, Duration::from_secs(3600), move |state| state.app.performance(&filter)).await
}

pub(super) fn query_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Results, newest first").tag("original").response::<200, Json<Vec<PerformanceRow>>>()
}

/// `WS /api/benchmark/ws/{run_id}`
pub(super) async fn watch(
    Of(state): Of<Shared>,
    At(at): At<RunId>,
    Upgrade(upgrade): Upgrade,
) -> Result<Response, Problem> {
    let (place, pulse) = (state.a_place_to_stay()?, Pulse::new(&state));
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _place = place;
        watched(state, at.run_id, pulse, socket).await;
    }))
}

pub(super) fn watch_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("How a run stands, by WebSocket")
        .description(
            "The status when it connects and whenever it changes; `ping` is answered with `{\"pong\": true}`, `status` \
             with the status.",
        )
        .tag("original")
}

/// A client that does not take a message for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> bool {
    pass(socket, Message::Text(text)).await
}

async fn pass(socket: &mut WebSocket, message: Message) -> bool {
    let sent = tokio::time::timeout(PATIENCE, socket.send(message)).await;
    matches!(sent, Ok(Ok(())))
}

fn utf8(bytes: Bytes) -> Utf8Bytes {
    Utf8Bytes::try_from(bytes).unwrap_or_default()
}

async fn watched(state: Shared, run: String, mut pulse: Pulse, mut socket: WebSocket) {
    let mut live = state.hub.watch(&run);
    let first = match &mut live {
        Some(live) => Ok(utf8(live.borrow_and_update().clone())),
        None => standing(&state, &run).await.map(|status| json!(status).to_string().into()),
    };
    let Ok(mut latest) = first else {
        let said = json!({"error": format!("Benchmark run {run} not found")}).to_string();
        send(&mut socket, said.into()).await;
        let _ =
            socket.send(Message::Close(Some(CloseFrame { code: 1000, reason: Utf8Bytes::default() }))).await;
        return;
    };
    if !send(&mut socket, latest.clone()).await {
        return;
    }
    loop {
        let changed = async {
            match &mut live {
                Some(live) => live.changed().await.map(|()| utf8(live.borrow_and_update().clone())).ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = changed => match status {
                Some(status) => {
                    latest = status;
                    if !send(&mut socket, latest.clone()).await {
                        return;
                    }
                }
                // It has ended, and that has been told.
                None => live = None,
            },
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => {
                    pulse.hear();
                    let answer = match text.as_str().trim() {
                        "ping" => Utf8Bytes::from_static("{\"pong\":true}"),
                        "status" => match state.hub.status(&run, None) {
                            Some(status) => json!(status).to_string().into(),
                            None => latest.clone(),
                        },
                        _ => continue,
                    };
                    if !send(&mut socket, answer).await {
                        return;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => pulse.hear(),
            },
            is_alive = pulse.is_alive() => {
                if !is_alive || !pass(&mut socket, Message::Ping(Bytes::new())).await {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_is_found_in_the_words_of_the_benchmark() {
        let choices = [json!("f32"), json!("f64"), json!("bf16")];
        assert_eq!(precision("fp32", Some(&choices)), Some(json!("f32")));
        assert_eq!(precision("BF16", Some(&choices)), Some(json!("bf16")));
        assert_eq!(precision("int8", Some(&choices)), None);
        assert_eq!(precision("int8", Some(&[json!("int8")])), Some(json!("int8")));
    }

    /// A catalog of plugins with a benchmark `gemm` each, on the hardware that is named.
    fn catalog(plugins: &[(&str, &str)]) -> Catalog {
        let entry = |(plugin, hardware): &(&str, &str)| {
            json!({
                "path": format!("/{plugin}.so"), "kind": "native", "sha256": plugin, "size": 1, "warnings": [],
                "descriptor": {
                    "schema": dyno_plugin_api::descriptor::SCHEMA,
                    "plugin": {"id": plugin, "version": "1.0.0"},
                    "abi": {"kind": "native", "version": 1, "layout_hash": "00"},
                    "benchmarks": [{
                        "name": "gemm", "hardware": [hardware],
                        "params": [{"name": "batch_size", "type": "integer", "default": 1}],
                    }],
                },
            })
        };
        let entries: Vec<Value> = plugins.iter().map(entry).collect();
        serde_json::from_value(json!({"entries": entries, "problems": [], "folders": []})).unwrap()
    }

    fn asked(request: Value) -> Original {
        serde_json::from_value(request).unwrap()
    }

    #[test]
    fn a_list_is_a_set_in_its_order() {
        let catalog = catalog(&[("blas", "cpu")]);
        let request =
            json!({"batch_sizes": [8, 1, 8], "models": ["gemm", "gemm"], "progressive_mode": false});
        let (_, spec) = translated(&asked(request), &catalog).unwrap();
        let batches: Vec<&Value> = spec.requests.iter().map(|it| &it.params["batch_size"][0]).collect();
        assert_eq!(batches, [&json!(8), &json!(1)]);
        let many = asked(json!({"batch_sizes": vec![1; 1_001]}));
        let refused = json!(translated(&many, &catalog).unwrap_err());
        assert_eq!(refused["detail"], "batch_sizes has 1001 values; give up to 1000");
    }

    #[test]
    fn a_plugin_is_not_asked_for_hardware_that_another_one_serves() {
        let hardware = |plugins: &[(&str, &str)]| -> Vec<Vec<String>> {
            let request = asked(json!({"hardware": ["cpu", "cuda:0"], "batch_sizes": [1]}));
            let (_, spec) = translated(&request, &catalog(plugins)).unwrap();
            spec.requests.into_iter().map(|it| it.hardware).collect()
        };
        assert_eq!(hardware(&[("blas", "cpu"), ("cublas", "cuda")]), [["cpu"], ["cuda:0"]]);
        // Where no plugin has it, a case says so.
        assert_eq!(hardware(&[("blas", "cpu")]), [["cpu", "cuda:0"]]);
    }

    #[test]
    fn both_words_are_understood() {
        assert!(matches!(request(json!({})), Ok(Asked::Theirs(_))));
        assert!(matches!(request(json!({"benchmarks": ["gemm"]})), Ok(Asked::Ours(_))));
        assert!(request(json!({"hardware": "cpu"})).is_err(), "a list is wanted");
        assert!(request(json!({"modles": []})).is_err(), "a misspelt word is no default");
        assert!(request(json!([])).is_err());
    }
}
