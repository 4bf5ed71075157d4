//! The use cases of the command line and the server. [`App`] holds the settings and knows where results are stored; each topic
//! has a type whose methods are its use cases.

mod analyses;
mod apart;
mod archive;
mod backend;
mod backups;
mod builds;
mod cache;
mod checks;
mod database;
mod doctor;
mod duels;
mod error;
mod hardware;
mod local;
mod models;
mod operator;
mod packages;
mod partial;
mod plugins;
mod queue;
mod records;
mod remote;
mod results;
mod root;
mod runs;
mod seed;
mod serving;
mod sides;
mod signing;
mod sources;
mod surveyed;
mod tokens;
mod vacuum;
mod vacuumed;
mod verdicts;
mod watching;
mod workers;
mod workshop;

// What these use cases take and give: `cli`, `service` and `server` know no room below this one.
pub use dyno_analyze::{Analysis, Options as AnalysisOptions, ProblemKind, Summary, summary};
pub use dyno_core::stats::CompareOptions;

pub use self::{
    analyses::{Analyses, Skeleton},
    apart::{EXAMINE, Examined},
    backups::{Backups, Copied, Saved},
    builds::Builds,
    cache::Cache,
    checks::{CheckOptions, Checks},
    doctor::Checkup,
    duels::{AaNews, Duels},
    error::AppError,
    hardware::Hardware,
    models::{Model, ModelHardware, ModelKind, Tier, model_details},
    operator::Operator,
    packages::{Made, PackWish, Packages},
    plugins::Plugins,
    queue::Queue,
    records::Records,
    results::Results,
    root::App,
    runs::Runs,
    seed::seed,
    serving::Serving,
    signing::{SignedFile, Signing, VerifiedFile},
    sources::Sources,
    surveyed::Surveyed,
    tokens::TokenFile,
    vacuum::{Removed, Vacuum},
    vacuumed::Vacuumed,
    verdicts::Verdicts,
    watching::{WatchNews, Watching},
    workshop::{DevBuild, Edited, Tools, Unusable, Workshop},
};
pub use crate::{
    access::{NewToken, TokenInfo},
    build::{BuildError, Project, Template, TemplateLanguage, Wish},
    catalog::{Bell, Catalog, Entry, Libraries, Problem, Severity, is_plugin_path},
    devices::Freshness,
    lease::{Holder, Reach, Standing},
    packages::{Installed, LockedFolder, Packed, Placed, Wholeness},
    pool::Complaints,
    runner::{Cancel, CheckNews, Depth, DuelNews, DuelOptions, Obstacle, Planned, is_ignored},
    store::{
        Annotation, Audited, LatestFilter, LatestList, LaunchSamples, Noise, Outdated, Outline,
        PerformanceFilter, PerformanceRow, Queued, Restored, ResultFilter, RunEnd, RunFilter, RunSummary,
        SampleMetric, SqlAnswer, SqlBrake, SqlCaller, SqlColumn, SqlError, SqlLimits, Submitted,
    },
    trust::{NewPair, SignatureState, TrustStore},
};
