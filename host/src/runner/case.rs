//! A case as it is planned: what will be measured, or why not.

use std::{fmt, path::PathBuf};

use dyno_core::{
    model::{CaseKey, CaseRecord, CaseStatus, ComparedSide, DeviceInfo, Params, PluginRef, SkipCause},
    stats::sequential::Rule,
};
use dyno_plugin_api::descriptor::{BenchmarkInfo, MetricInfo};

/// Why a case cannot run, or need not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// For programs.
    pub cause: SkipCause,
    /// For people: one sentence.
    pub reason: String,
}

impl Obstacle {
    /// The device is not there.
    #[must_use]
    pub fn no_device(name: &str, why: &str) -> Self {
        Self { cause: SkipCause::NoDevice, reason: CaseStatus::no_device(name, why) }
    }

    /// The end of a case that has this in its way.
    #[must_use]
    pub fn status(self) -> CaseStatus {
        CaseStatus::skipped(self.cause, self.reason)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// A benchmark with parameter values on a device, before it is measured.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plugin file.
    pub plugin: PluginRef,
    /// Where the file lies.
    pub path: PathBuf,
    /// Its length when it was scanned [bytes].
    pub size: u64,
    /// Name of the benchmark.
    pub benchmark: String,
    /// Its category.
    pub category: String,
    /// Metrics that it declares.
    pub metrics: Vec<MetricInfo>,
    /// All parameters, defaults included.
    pub params: Params,
    /// The device.
    pub device: DeviceInfo,
    /// Why it cannot run; absent when it can.
    pub obstacle: Option<Obstacle>,
}

impl Planned {
    /// What makes it the same case in another run.
    #[must_use]
    pub fn key(&self) -> CaseKey {
        CaseKey::new(&self.plugin, &self.benchmark, &self.params, &self.device.name)
    }

    pub(super) fn new(
        plugin: PluginRef,
        path: PathBuf,
        size: u64,
        benchmark: &BenchmarkInfo,
        params: Params,
        device: DeviceInfo,
    ) -> Self {
        let obstacle = if let Some(why) = &device.unavailable {
            Some(Obstacle::no_device(&device.name, why))
        } else if benchmark.hardware.iter().any(|kind| kind == device.kind.word()) {
            None
        } else {
            Some(Obstacle {
                cause: SkipCause::OtherHardware,
                reason: format!(
                    "`{}` does not run on {}; it runs on {}",
                    benchmark.name,
                    device.kind,
                    benchmark.hardware.join(", ")
                ),
            })
        };
        Self {
            plugin,
            path,
            size,
            benchmark: benchmark.name.clone(),
            category: benchmark.category.clone(),
            metrics: benchmark.metrics.clone(),
            params,
            device,
            obstacle,
        }
    }

    /// Threads that the case asks for by its parameter `threads`, 1 where it has none.
    #[must_use]
    pub fn threads(&self) -> u32 {
        match self.params.get("threads") {
            Some(dyno_core::model::ParamValue::Integer(threads)) => {
                u32::try_from(*threads).unwrap_or(1).max(1)
            }
            _ => 1,
        }
    }

    /// The record of the case before anything happened.
    #[must_use]
    pub fn record(&self, index: u32) -> CaseRecord {
        CaseRecord {
            index,
            plugin: self.plugin.clone(),
            benchmark: self.benchmark.clone(),
            category: self.category.clone(),
            params: self.params.clone(),
            device: self.device.name.clone(),
            status: CaseStatus::Queued,
            metrics: Vec::new(),
            launches: Vec::new(),
        }
    }
}

/// The same case on both sides.
#[derive(Debug, Clone)]
pub struct Match {
    /// What both sides run, on one line.
    pub label: String,
    /// What makes it the same case elsewhere: that of the candidate.
    pub key: CaseKey,
    /// The build that is compared against.
    pub baseline: Planned,
    /// The build that is judged.
    pub candidate: Planned,
    /// How a verdict is found.
    pub rule: Rule,
}

impl Match {
    /// Both sides, the baseline first.
    pub(super) fn sides(&self) -> [(ComparedSide, &Planned); 2] {
        [(ComparedSide::Baseline, &self.baseline), (ComparedSide::Candidate, &self.candidate)]
    }
}
