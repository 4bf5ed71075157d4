//! What a run tells its watchers while it goes on. Nothing is announced before it is durable.

use serde::{Deserialize, Serialize};

use super::{CaseRecord, Interval, Params, PluginRef, RunStatus, Stage};

/// One thing that happened. `case` is [`CaseRecord::index`], `launch` is `LaunchRecord::index`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "fields carry the names of the model")]
pub enum Event {
    /// The run is in the database.
    RunStarted {
        run: String,
        cases: u32,
    },
    /// The database is open elsewhere; `holder` says where.
    WaitingForDatabase {
        path: String,
        holder: String,
    },
    /// The device is taken; `holder` says by whom.
    Waiting {
        case: u32,
        device: String,
        holder: String,
    },
    CaseStarted {
        case: u32,
        benchmark: String,
        plugin: PluginRef,
        params: Params,
        device: String,
    },
    /// A launch of the case compiles its component, since no launch ever did before: that may take seconds.
    Compiling {
        case: u32,
        plugin: PluginRef,
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
    /// The plugin says how far its stage has come, 0 to 1.
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

/// What is known of a case while it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Median time of one iteration [ns].
    pub median_ns: f64,
    /// Interval on it, once there are launches enough.
    pub interval: Option<Interval>,
    /// Samples so far.
    pub samples: u32,
    /// How much of the case's measuring is done, 0 to 1.
    pub fraction: f64,
    /// Time until the stop rule ends the case, as far as it can be told [ns].
    pub remaining_ns: Option<u64>,
}
