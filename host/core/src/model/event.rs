//! The events of a run. Nothing is announced before it is durable.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CaseRecord, Interval, Params, PluginRef, RunRecord, RunStatus, Stage};

/// One thing that happened. `case` is [`CaseRecord::index`], `launch` is `LaunchRecord::index`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "fields carry the names of the model")]
pub enum Event {
    /// The run is in the database. `swept` names the parameters that differ among the cases of a benchmark; older servers do not say.
    RunStarted {
        run: String,
        cases: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        swept: Option<Vec<String>>,
    },
    /// Another process, `holder`, has the database open.
    WaitingForDatabase {
        path: String,
        holder: String,
    },
    /// Another process, `holder`, has leased the device.
    Waiting {
        case: u32,
        device: String,
        holder: String,
    },
    CaseStarted {
        case: u32,
        benchmark: String,
        plugin: Arc<PluginRef>,
        params: Arc<Params>,
        device: String,
    },
    /// A launch of the case compiles its component, because no compiled code is cached: this may take seconds.
    Compiling {
        case: u32,
        plugin: Arc<PluginRef>,
    },
    LaunchStarted {
        case: u32,
        launch: u32,
    },
    StageEntered {
        case: u32,
        launch: u32,
        stage: Stage,
    },
    /// Progress of the stage, as the plugin reports it, 0 to 1.
    Progress {
        case: u32,
        launch: u32,
        stage: Stage,
        fraction: f64,
    },
    /// The estimate after a batch of samples.
    Estimated {
        case: u32,
        launch: u32,
        estimate: Estimate,
    },
    /// The plugin logged a line.
    Logged {
        case: u32,
        launch: u32,
        text: String,
    },
    /// The launch is in the database.
    LaunchFinished {
        case: u32,
        launch: u32,
    },
    /// The case is in the database. Its launches carry no samples here.
    CaseFinished {
        case: Box<CaseRecord>,
    },
    RunFinished {
        run: String,
        status: RunStatus,
    },
}

/// The current estimate of a case while it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Median time of one iteration [ns].
    pub median_ns: f64,
    /// Its confidence interval, once there are enough launches.
    pub interval: Option<Interval>,
    /// Samples so far.
    pub samples: u32,
    /// Share of the case's measuring that is done, 0 to 1.
    pub fraction: f64,
    /// Time until the stop rule ends the case, if it can be estimated [ns].
    pub remaining_ns: Option<u64>,
}

impl Event {
    /// A run has started.
    #[must_use]
    pub fn run_started(record: &RunRecord) -> Self {
        Self::RunStarted {
            run: record.id.clone(),
            cases: record.cases.len() as u32,
            swept: Some(record.swept()),
        }
    }
}
