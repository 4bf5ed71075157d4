//! The DuckDB database: the only room with SQL. One writer, one transaction per launch, raw samples kept.

mod columns;
mod error;
mod migrate;
mod open;
mod parquet;
mod plugins;
mod read;
mod verdicts;
mod write;

pub use error::StoreError;
pub use open::Store;
pub use read::{RunFilter, RunSummary};
pub use verdicts::Noise;

#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod tests;
