//! A request for a run in the words of dyno.

use dyno_core::model::{
    CaseRequest, EngineChoice, Origin, Priority, Request, RunSpec, Scenario, Settings, Source, StopRule,
    Submission, SuiteInfo,
};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{app, server::problem::Problem};

/// A run that is asked for: `benchmarks` with `params` and `hardware`, or `requests`, or a whole `spec`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RunRequest {
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
    /// The request as it is carried out. `body` is what was posted.
    pub(crate) fn into_submission(mut self, owner: String, body: Value) -> Result<Submission, Problem> {
        let (source, priority, baseline) = (self.source.take(), self.priority, self.baseline.take());
        let origin = Origin { owner, request: Request::Posted(body) };
        Ok(Submission { spec: self.into_spec()?, source, origin, priority, baseline, incremental: false })
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
