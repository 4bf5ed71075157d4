//! Runs: asked for, listed, looked at, cancelled, deleted, repeated, compared, exported.

use std::{fs, time::Duration};

use aide::transform::TransformOperation;
use axum::{
    Extension, Json,
    extract::State as Of,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use dyno_core::{
    model::{
        CaseRequest, Comparison, EngineChoice, RunRecord, RunSpec, RunStatus, Sample, Scenario, Settings,
        Source, StopRule, SuiteInfo,
    },
    units,
};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    executor,
    extract::{Ask, At, Body},
    media::may_be,
    problem::Problem,
    state::{Shared, State, blocking, changing, kept},
    tokens::Identity,
};
use crate::{
    app::{self, Annotation, CompareOptions, NewRun, Priority, Queued, RunFilter, RunSummary},
    export::{Format, Rendered},
};

/// Runs that wait or go on at the same time, at most.
const MOST_RUNS: usize = 1_000;

/// A run that is asked for: `benchmarks` with `params` and `hardware`, or `requests`, or a whole `spec`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RunRequest {
    /// Names: `name`, `plugin/name` or `plugin@version/name`; `*` matches anything.
    benchmarks: Vec<String>,
    /// Values of their parameters; a list is a sweep.
    params: IndexMap<String, Value>,
    /// Devices, by kind or by name; `cpu` where none is named.
    hardware: Vec<String>,
    /// Which builds of a plugin to run.
    engine: EngineChoice,
    /// The same for several benchmarks with parameters of their own.
    requests: Vec<CaseRequest>,
    /// When a case has been measured enough.
    stop: Option<StopRule>,
    /// How queries arrive.
    scenario: Option<Scenario>,
    /// Seed for the inputs of every launch; without it each launch has inputs of its own.
    seed: Option<u64>,
    /// Name and purpose, where this is a suite.
    suite: Option<SuiteInfo>,
    /// Words to find the run by.
    tags: Vec<String>,
    /// Everything at once, as it is stored with a run. Alone.
    spec: Option<RunSpec>,
    /// Which commit is measured.
    source: Option<Source>,
    /// How urgent it is.
    priority: Priority,
    /// The baseline to compare it with when it has ended: a regression is told to whom the settings name.
    baseline: Option<String>,
}

impl RunRequest {
    pub(super) fn of(spec: RunSpec, priority: Priority) -> Self {
        Self { spec: Some(spec), priority, ..Self::default() }
    }

    fn into_spec(self) -> Result<RunSpec, Problem> {
        let named = !self.benchmarks.is_empty() || !self.requests.is_empty();
        if let Some(spec) = self.spec {
            if named {
                return Err(Problem::bad("give either `spec`, or `benchmarks` and `requests`"));
            }
            return Ok(spec);
        }
        if !named {
            return Err(Problem::bad(
                "nothing is named; give `benchmarks`, like {\"benchmarks\": [\"gemm\"], \"params\": {\"n\": [256, 512]}}",
            ));
        }
        let hardware = if self.hardware.is_empty() { vec!["cpu".to_owned()] } else { self.hardware };
        let sweep = |value: Value| match value {
            Value::Array(values) => values,
            one => vec![one],
        };
        let params: IndexMap<String, Vec<Value>> =
            self.params.into_iter().map(|(name, value)| (name, sweep(value))).collect();
        let mut requests = self.requests;
        requests.extend(self.benchmarks.into_iter().map(|benchmark| CaseRequest {
            benchmark,
            params: params.clone(),
            hardware: hardware.clone(),
            engine: self.engine,
            sha256: None,
        }));
        let mut settings = Settings { scenario: self.scenario, ..Settings::default() };
        settings.stop = self.stop.unwrap_or(settings.stop);
        (settings.seed, settings.inputs) = app::seed(self.seed);
        Ok(RunSpec { suite: self.suite, requests, settings, tags: self.tags })
    }
}

/// Takes a run in; it is in the queue when this returns.
pub(super) async fn accept(
    state: &Shared,
    identity: Identity,
    request: RunRequest,
    body: Value,
) -> Result<RunRecord, Problem> {
    let (priority, source) = (request.priority, request.source.clone());
    if let Some(name) = request.baseline.clone() {
        blocking(state, move |state| state.app.baseline(&name)).await?;
    }
    let spec = request.into_spec()?;
    submit(state, NewRun { spec, source, priority, owner: identity.name, request: body.to_string() }).await
}

async fn submit(state: &Shared, new: NewRun) -> Result<RunRecord, Problem> {
    if state.hub.runs() >= MOST_RUNS {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            format!("{MOST_RUNS} runs wait or go on already; wait for some of them, or cancel some"),
        ));
    }
    let record = changing(state, move |state| {
        let record = state.app.submit(new)?;
        // Before the executor can begin it: nobody misses its first event.
        state.hub.queue(&record);
        Ok::<_, Problem>(record)
    })
    .await?;
    state.answers.outdate();
    state.queue.wake();
    Ok(record)
}

/// A run that was taken in.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Taken {
    /// Its identifier.
    id: String,
    /// How it stands.
    status: RunStatus,
    /// Its cases.
    cases: u32,
    /// Where it is.
    url: String,
    /// Where its events are.
    events: String,
}

impl Taken {
    fn of(record: &RunRecord) -> Self {
        Self {
            id: record.id.clone(),
            status: record.status,
            cases: record.cases.len() as u32,
            url: format!("/api/runs/{}", record.id),
            events: format!("/api/runs/{}/events", record.id),
        }
    }
}

/// `POST /api/runs`
pub(super) async fn post(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    Body(request): Body<RunRequest>,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    let body = json!(request);
    let record = accept(&state, identity, request, body).await?;
    Ok((StatusCode::CREATED, Json(Taken::of(&record))))
}

pub(super) fn post_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Ask for a run").tag("runs").response::<201, Json<Taken>>()
}

/// Which runs to list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// At most so many.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 1000))]
    limit: u32,
    /// Leave out so many.
    #[serde(default)]
    offset: u32,
    /// Only those with this tag.
    tag: Option<String>,
    /// Only those that stand or ended so.
    status: Option<RunStatus>,
    /// Only those with a case of this benchmark.
    benchmark: Option<String>,
    /// Which come first.
    #[serde(default)]
    order: Order,
}

fn fifty() -> u32 {
    50
}

/// Which runs come first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

/// `GET /api/runs`
pub(super) async fn list(Of(state): Of<Shared>, Ask(ask): Ask<ListQuery>) -> Result<Response, Problem> {
    if !(1..=1000).contains(&ask.limit) {
        return Err(Problem::bad(format!("limit is {}; give 1 to 1000", ask.limit)));
    }
    let filter = RunFilter {
        limit: ask.limit,
        offset: ask.offset,
        oldest_first: ask.order == Order::Oldest,
        tag: ask.tag,
        status: ask.status,
        benchmark: ask.benchmark,
    };
    let question = format!("runs {filter:?}");
    kept(&state, &question, Duration::from_secs(3600), move |state| state.app.stored_runs(&filter)).await
}

pub(super) fn list_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.summary("Runs").tag("runs").response::<200, Json<Vec<RunSummary>>>()
}

/// A run: by its identifier, the beginning of it, `last`, or `last~N`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Selector {
    /// Identifier, the beginning of it, `last`, or `last~N` for the Nth before the last.
    pub(super) run: String,
}

/// Whether samples are wanted.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct SamplesQuery {
    /// With all samples.
    #[serde(default)]
    samples: bool,
}

/// `GET /api/runs/{run}`
pub(super) async fn get(
    Of(state): Of<Shared>,
    At(at): At<Selector>,
    Ask(ask): Ask<SamplesQuery>,
) -> Result<Json<RunRecord>, Problem> {
    Ok(Json(blocking(&state, move |state| state.app.stored_run(&at.run, ask.samples)).await?))
}

/// `DELETE /api/runs/{run}`
pub(super) async fn delete(Of(state): Of<Shared>, At(at): At<Selector>) -> Result<Json<Value>, Problem> {
    let id = changing(&state, move |state| {
        let id = state.app.delete_run(&at.run)?;
        match fs::remove_dir_all(state.results.join(&id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(run = id, %error, "the reports of a deleted run cannot be removed");
            }
            _ => {}
        }
        Ok::<_, Problem>(id)
    })
    .await?;
    state.answers.outdate();
    Ok(Json(json!({"deleted": id})))
}

/// `POST /api/runs/{run}/cancel`
pub(super) async fn cancel(Of(state): Of<Shared>, At(at): At<Selector>) -> Result<Json<Value>, Problem> {
    let (record, was_queued) = blocking(&state, move |state| {
        let id = state.app.stored_run(&at.run, false)?.id;
        let was_queued = state.queue.give_up(&id, || state.app.cancel_queued(&id))?;
        Ok::<_, Problem>((state.app.stored_run(&id, false)?, was_queued))
    })
    .await?;
    if was_queued {
        let shared = state.clone();
        let ended = record.clone();
        blocking(&shared, move |state| {
            executor::ended(state, &ended);
            Ok::<_, Problem>(())
        })
        .await?;
        return Ok(Json(json!({"id": record.id, "status": "cancelled"})));
    }
    match state.hub.cancel(&record.id) {
        Some(cancel) => {
            cancel.set();
            Ok(Json(json!({"id": record.id, "status": "cancelling"})))
        }
        None => Err(Problem::new(
            StatusCode::CONFLICT,
            format!("run {} has ended already: it is {}", record.id, record.status.word()),
        )),
    }
}

async fn again(
    state: Shared,
    identity: Identity,
    run: String,
    only_missing: bool,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    let new = blocking(&state, move |state| {
        let id = state.app.run_id(&run)?;
        let (spec, source) = state.app.again(&id, only_missing)?;
        let body = if only_missing { json!({"resumes": id}) } else { json!({"repeats": id}) };
        Ok::<_, Problem>(NewRun {
            spec,
            source,
            priority: Priority::default(),
            owner: identity.name,
            request: body.to_string(),
        })
    })
    .await?;
    let record = submit(&state, new).await?;
    Ok((StatusCode::CREATED, Json(Taken::of(&record))))
}

/// `POST /api/runs/{run}/rerun`
pub(super) async fn rerun(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    At(at): At<Selector>,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    again(state, identity, at.run, false).await
}

/// `POST /api/runs/{run}/resume`
pub(super) async fn resume(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    At(at): At<Selector>,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    again(state, identity, at.run, true).await
}

pub(super) fn again_docs(summary: &'static str) -> impl Fn(TransformOperation<'_>) -> TransformOperation<'_> {
    move |op| op.summary(summary).tag("runs").response::<201, Json<Taken>>()
}

/// A case of a run.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct CaseAt {
    /// Identifier of the run, the beginning of it, or `last`.
    run: String,
    /// Place of the case in the run, from 0.
    case: u32,
}

/// The samples of a launch.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LaunchSamples {
    /// Place of the launch in the case.
    launch: u32,
    /// Its samples, in the order in which they were taken.
    samples: Vec<Sample>,
}

/// `GET /api/runs/{run}/cases/{case}/samples`
pub(super) async fn samples(
    Of(state): Of<Shared>,
    At(at): At<CaseAt>,
) -> Result<Json<Vec<LaunchSamples>>, Problem> {
    let found = blocking(&state, move |state| state.app.case_samples(&at.run, at.case)).await?;
    let launches = found.into_iter().map(|(launch, samples)| LaunchSamples { launch, samples });
    Ok(Json(launches.collect()))
}

/// Two runs to compare.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompareQuery {
    /// The run that is compared against, or `baseline:NAME`.
    baseline: String,
    /// The run that is judged.
    candidate: String,
    /// Smallest change that matters. // eg: 5% or 0.05
    threshold: Option<String>,
    /// Judge even where machine, governor or engine differ.
    #[serde(default)]
    allow_differences: bool,
}

/// `GET /api/compare`
pub(super) async fn compare(
    Of(state): Of<Shared>,
    Ask(ask): Ask<CompareQuery>,
) -> Result<Json<Comparison>, Problem> {
    let mut options =
        CompareOptions { allow_differences: ask.allow_differences, ..CompareOptions::default() };
    if let Some(text) = &ask.threshold {
        options.threshold =
            units::parse_change(text).map_err(|message| Problem::bad(format!("threshold: {message}")))?;
    }
    let comparison =
        blocking(&state, move |state| state.app.compare_runs(&ask.baseline, &ask.candidate, &options))
            .await?;
    Ok(Json(comparison))
}

/// The format of an export.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ExportQuery {
    /// Which.
    #[serde(default)]
    format: Format,
}

/// `GET /api/runs/{run}/export`
pub(super) async fn export(
    Of(state): Of<Shared>,
    At(at): At<Selector>,
    Ask(ask): Ask<ExportQuery>,
) -> Result<Response, Problem> {
    let (id, bytes) = blocking(&state, move |state| exported(state, &at.run, ask.format)).await?;
    let disposition = format!("attachment; filename=\"{id}.{}\"", ask.format.extension());
    let headers = [
        (header::CONTENT_TYPE, ask.format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, bytes).into_response())
}

fn exported(state: &State, run: &str, format: Format) -> Result<(String, Vec<u8>), Problem> {
    let record = state.app.stored_run(run, format.needs_samples())?;
    let bytes = match format.render(&record).map_err(|error| Problem::internal(&error))? {
        Rendered::Text(text) => text.into_bytes(),
        Rendered::ByDatabase => {
            let file = tempfile::Builder::new()
                .suffix(".parquet")
                .tempfile_in(&state.scratch)
                .map_err(|error| Problem::internal(&error))?;
            state.app.write_parquet(&record.id, file.path())?;
            fs::read(file.path()).map_err(|error| Problem::internal(&error))?
        }
    };
    Ok((record.id, bytes))
}

pub(super) fn export_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    let op = op.summary("A run as a file, in one of many formats").tag("runs");
    may_be(op, Format::ALL.map(Format::media_type))
}

/// A tag to put on a run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTag {
    /// A word.
    tag: String,
    /// Why.
    #[serde(default)]
    note: String,
}

/// Longest tag and note [bytes].
const LONGEST_TAG: usize = 100;
const LONGEST_NOTE: usize = 4_000;

/// `GET /api/runs/{run}/tags`
pub(super) async fn tags(
    Of(state): Of<Shared>,
    At(at): At<Selector>,
) -> Result<Json<Vec<Annotation>>, Problem> {
    Ok(Json(blocking(&state, move |state| state.app.annotations(&at.run)).await?))
}

/// `POST /api/runs/{run}/tags`
pub(super) async fn tag(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    At(at): At<Selector>,
    Body(new): Body<NewTag>,
) -> Result<Json<Vec<Annotation>>, Problem> {
    if new.tag.trim().is_empty() || new.tag.len() > LONGEST_TAG || new.note.len() > LONGEST_NOTE {
        return Err(Problem::bad(format!(
            "a tag has 1 to {LONGEST_TAG} bytes, its note {LONGEST_NOTE} at most"
        )));
    }
    let all = changing(&state, move |state| {
        let id = state.app.run_id(&at.run)?;
        let annotation = Annotation {
            tag: new.tag.trim().to_owned(),
            note: new.note,
            author: identity.name,
            created_at: crate::timestamp::now(),
        };
        state.app.annotate(&id, &annotation)?;
        state.app.annotations(&id)
    })
    .await?;
    state.answers.outdate();
    Ok(Json(all))
}

/// A tag of a run.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct TagAt {
    /// Identifier of the run, the beginning of it, or `last`.
    run: String,
    /// The word.
    tag: String,
}

/// `DELETE /api/runs/{run}/tags/{tag}`
pub(super) async fn untag(
    Of(state): Of<Shared>,
    At(at): At<TagAt>,
) -> Result<Json<Vec<Annotation>>, Problem> {
    let left = changing(&state, move |state| {
        let id = state.app.run_id(&at.run)?;
        state.app.remove_tag(&id, &at.tag)?;
        state.app.annotations(&id)
    })
    .await?;
    state.answers.outdate();
    Ok(Json(left))
}

/// What waits and what runs.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct QueueView {
    /// Runs that go on.
    running: Vec<String>,
    /// Runs that wait, in the order in which they were asked for.
    waiting: Vec<Waiting>,
}

/// A run that waits.
#[derive(Debug, Serialize, JsonSchema)]
struct Waiting {
    #[serde(flatten)]
    queued: Queued,
    /// How long it may take until it is begun [s], by how long runs took lately; absent before the first.
    estimated_start_s: Option<f64>,
}

/// `GET /api/queue`
pub(super) async fn queue(Of(state): Of<Shared>) -> Result<Json<QueueView>, Problem> {
    let view = blocking(&state, |state| {
        let running = state.queue.running();
        let per_case = state.app.seconds_per_case()?;
        let mut ahead: f64 = 0.0;
        for run in &running {
            // Half of it is over, on average.
            ahead += f64::from(state.hub.cases(run).unwrap_or(0)) / 2.0;
        }
        let mut waiting = Vec::new();
        for queued in state.app.queued()?.into_iter().filter(|queued| !running.contains(&queued.run)) {
            let cases = f64::from(queued.cases);
            waiting.push(Waiting { estimated_start_s: per_case.map(|seconds| seconds * ahead), queued });
            ahead += cases;
        }
        Ok::<_, Problem>(QueueView { running, waiting })
    })
    .await?;
    Ok(Json(view))
}
