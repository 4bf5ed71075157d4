//! The DuckDB database: the only room with SQL. One writer, one transaction per launch, raw samples kept.

mod beside;
mod brake;
mod claim;
mod columns;
mod distribution;
mod ends;
mod error;
mod gate;
mod history;
mod latest;
mod list;
mod lists;
mod log;
mod migrate;
mod open;
mod parquet;
mod performance;
mod plugins;
mod proof;
mod queue;
mod read;
mod recent;
mod refresh;
mod restore;
mod result_list;
mod retention;
mod revision;
mod run_list;
mod samples;
mod selector;
mod shrink;
mod snapshot;
mod sql;
mod sql_limits;
mod statement;
mod strangers;
mod swap;
mod table;
mod upkeep;
mod verdicts;
mod vet;
mod write;

pub use brake::SqlBrake;
pub use distribution::SampleMetric;
pub use ends::RunEnd;
pub use error::{BackupFault, StoreError, log_of};
pub use latest::{Latest, LatestFilter, LatestList, MetricCount};
pub use open::Store;
pub use proof::{Contents, examine};
pub use queue::{Outline, Queued, Submitted};
pub use read::LaunchSamples;
pub use restore::{Restored, Restoring};
pub use result_list::{PerformanceFilter, PerformanceRow};
pub use retention::{KEEP, KeptSince, Outdated, OutdatedRun, OutdatedSamples};
pub use revision::Revision;
pub use run_list::{RunFilter, RunSummary};
pub use snapshot::Snapshot;
pub use sql::{SqlAnswer, SqlColumn};
pub use sql_limits::{SqlCaller, SqlError, SqlLimits};
pub use swap::check_unused;
pub use table::ResultFilter;
pub use upkeep::{Annotation, Audited};
pub use verdicts::Noise;

#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upgrade_tests;
