//! The body of a run request in dyno's fields.

use dyno_core::model::{
    CaseRequest, EngineChoice, Origin, Priority, Request, RunSpec, Scenario, Settings, Source, StopRule,
    Submission, SuiteInfo,
};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{app, server::problem::Problem};

/// A request for a run: `benchmarks` with `params` and `hardware`, or `requests`, or a complete `spec`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RunRequest {
    /// Benchmark names: `name`, `plugin/name` or `plugin@version/name`; `*` is a wildcard.
    benchmarks: Vec<String>,
    /// Parameter values for `benchmarks`; a list is a sweep.
    params: IndexMap<String, Value>,
    /// Devices for `benchmarks`, by kind or name; `cpu` by default.
    hardware: Vec<String>,
    /// Which builds of a plugin to run, for `benchmarks`.
    engine: EngineChoice,
    /// Further benchmarks, each with its own parameters and devices.
    requests: Vec<CaseRequest>,
    /// When to stop launching a case.
    stop: Option<StopRule>,
    /// Load scenario; absent for plain sampling.
    scenario: Option<Scenario>,
    /// Fixes the inputs of every launch. By default each launch has its own inputs.
    seed: Option<u64>,
    /// Name and purpose of the suite, if the run is one.
    suite: Option<SuiteInfo>,
    /// Tags to find the run by.
    tags: Vec<String>,
    /// A complete specification, as stored with a run. Excludes `benchmarks` and `requests`.
    spec: Option<RunSpec>,
    /// The commit that is measured.
    source: Option<Source>,
    /// Priority in the queue.
    priority: Priority,
    /// Name of the baseline to compare the completed run with. A regression triggers the notifications in the settings.
    baseline: Option<String>,
}

impl RunRequest {
    /// The submission that this request means; `body` is the JSON as it was posted.
    pub(crate) fn into_submission(mut self, owner: String, body: Value) -> Result<Submission, Problem> {
        let (source, priority, baseline) = (self.source.take(), self.priority, self.baseline.take());
        let origin = Origin { owner, request: Request::Posted(body) };
        Ok(Submission { spec: self.into_spec()?, source, origin, priority, baseline, incremental: false })
    }

    fn into_spec(self) -> Result<RunSpec, Problem> {
        let named = !self.benchmarks.is_empty() || !self.requests.is_empty();
        if let Some(spec) = self.spec {
            if named {
                return Err(Problem::bad(
                    "`spec` excludes `benchmarks` and `requests`; give one or the other",
                ));
            }
            return Ok(spec);
        }
        if !named {
            return Err(Problem::bad(
                "no benchmark is named; give `benchmarks`, like {\"benchmarks\": [\"gemm\"], \"params\": {\"n\": [256, 512]}}",
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
