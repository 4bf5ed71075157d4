//! Stored results in a local database.

use std::path::Path;

use dyno_core::{
    model::{Comparison, KnownDrift, RunRecord, Series},
    stats::ChangeOptions,
};

use super::{archive::Archive, error::AppError};
use crate::{
    store::{Noise, RunFilter, RunSummary, Store},
    timestamp::now,
};

impl Archive for Store {
    fn run(&self, selector: &str, with_samples: bool) -> Result<RunRecord, AppError> {
        Ok(Self::run(self, selector, with_samples)?)
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, AppError> {
        Ok(Self::runs(self, filter)?)
    }

    fn write_parquet(&self, selector: &str, path: &Path) -> Result<(), AppError> {
        Ok(Self::write_parquet(self, selector, path)?)
    }

    fn baseline(&self, name: &str) -> Result<String, AppError> {
        Ok(Self::baseline(self, name)?)
    }

    fn save_baseline(&mut self, name: &str, run: &RunRecord) -> Result<(), AppError> {
        let branch = run.source.as_ref().and_then(|source| source.branch.as_deref());
        Ok(Self::save_baseline(self, name, &run.id, branch, &now())?)
    }

    fn history(
        &self,
        benchmark: &str,
        metric: &str,
        options: &ChangeOptions,
    ) -> Result<Vec<Series>, AppError> {
        let (plugin, name) = match benchmark.split_once('/') {
            Some((plugin, name)) => (Some(plugin), name),
            None => (None, benchmark),
        };
        let whose = |series: &Series| series.key.as_ref().map(|key| key.plugin.clone()).unwrap_or_default();
        let mut all = Self::history(self, name, metric)?;
        all.retain(|series| plugin.is_none_or(|plugin| whose(series) == plugin));
        if all.is_empty() {
            let known = self.benchmarks()?;
            return Err(AppError::Side(if plugin.is_none() && known.iter().any(|known| known == name) {
                format!("`{benchmark}` has no results with a metric `{metric}`; every benchmark has `time`")
            } else {
                format!(
                    "there are no results of a benchmark `{benchmark}`; there are some of {}",
                    known.join(", ")
                )
            }));
        }
        // A change accepted under the name of the benchmark applies to every plugin; under `plugin/name`, only to that plugin.
        let for_all = self.accepted_changes(name)?;
        for series in &mut all {
            let own = self.accepted_changes(&format!("{}/{name}", whose(series)))?;
            series.find_changes(options, &|run| own.get(run).or_else(|| for_all.get(run)).cloned());
        }
        Ok(all)
    }

    fn accept_change(&mut self, benchmark: &str, run: &str, note: &str) -> Result<String, AppError> {
        let run = Self::run(self, run, false)?.id;
        Self::accept_change(self, &run, benchmark, note, &now())?;
        Ok(run)
    }

    fn noise(&self, machine: &str) -> Result<Vec<Noise>, AppError> {
        Ok(Self::noise(self, machine)?)
    }

    fn drift(&self, machine: &str) -> Result<Vec<KnownDrift>, AppError> {
        Ok(Self::drift(self, machine)?)
    }

    fn record_noise(&mut self, machine: &str, found: &[Noise]) -> Result<(), AppError> {
        Ok(Self::record_noise(self, machine, found, &now())?)
    }

    fn record_comparison(&mut self, comparison: &Comparison) -> Result<(), AppError> {
        let id = uuid::Uuid::now_v7().to_string();
        Ok(Self::record_comparison(self, &id, comparison, &now())?)
    }
}
