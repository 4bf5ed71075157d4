//! A case as it is planned: what will be measured, or why not.

use std::{
    fmt,
    ops::Deref,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use dyno_core::{
    model::{CaseKey, CaseRecord, CaseStatus, ComparedSide, DeviceInfo, Params, PluginRef, SkipCause},
    stats::sequential::Rule,
};
use dyno_plugin_api::descriptor::{BenchmarkInfo, MetricInfo, ParamInfo};

use super::{
    names::Names,
    permitted::{Asking, Permitted},
};

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

/// A benchmark of a plugin file on a device. All its cases share it: there may be very many, which differ in parameters.
#[derive(Debug)]
pub struct Subject {
    /// The plugin file.
    pub plugin: Arc<PluginRef>,
    /// Path of the file.
    pub path: PathBuf,
    /// Length of the file when it was scanned [bytes].
    pub size: u64,
    /// Name of the benchmark.
    pub benchmark: String,
    /// Its category.
    pub category: String,
    /// Metrics that it declares.
    pub metrics: Vec<MetricInfo>,
    /// What its plugin asks for besides computing.
    pub asking: Asking,
    /// The device.
    pub device: DeviceInfo,
    /// Why none of its cases can run; absent if they can.
    obstacle: Option<Obstacle>,
    /// Parameters that have fewer values on this device than elsewhere.
    limited: Vec<ParamInfo>,
}

impl Subject {
    pub(super) fn new(
        plugin: PluginRef,
        path: PathBuf,
        size: u64,
        benchmark: &BenchmarkInfo,
        asking: Asking,
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
                    "`{}` does not run on {}; it runs on {} (--hardware {})",
                    benchmark.name,
                    device.kind,
                    benchmark.hardware.join(", "),
                    benchmark.hardware.join(",")
                ),
            })
        };
        let is_limited = |param: &&ParamInfo| param.choices_on.contains_key(device.kind.word());
        let limited = benchmark.params.iter().filter(is_limited).cloned().collect();
        Self {
            limited,
            plugin: Arc::new(plugin),
            path,
            size,
            benchmark: benchmark.name.clone(),
            category: benchmark.category.clone(),
            metrics: benchmark.metrics.clone(),
            asking,
            device,
            obstacle,
        }
    }
}

/// A case before it is measured: its subject, with values of the parameters.
#[derive(Debug, Clone)]
pub struct Planned {
    subject: Arc<Subject>,
    /// All parameters, defaults included.
    pub params: Arc<Params>,
    /// Why it cannot run; absent when it can.
    pub obstacle: Option<Obstacle>,
    /// What its plugin may do, once somebody needed to know.
    permitted: Arc<OnceLock<Permitted>>,
    /// Where its plugin finds what it may connect to.
    names: Arc<Names>,
}

impl Deref for Planned {
    type Target = Subject;

    fn deref(&self) -> &Subject {
        &self.subject
    }
}

impl Planned {
    pub(super) fn new(subject: Arc<Subject>, params: Arc<Params>) -> Self {
        let lacking = || {
            let kind = subject.device.kind.word();
            subject.limited.iter().find_map(|param| {
                let value = serde_json::to_value(params.get(&param.name)?).ok()?;
                Some(Obstacle { cause: SkipCause::OtherHardware, reason: param.lacks(&value, kind)? })
            })
        };
        Self {
            obstacle: subject.obstacle.clone().or_else(lacking),
            subject,
            params,
            permitted: Arc::default(),
            names: Arc::default(),
        }
    }

    /// The other side of a comparison with this one: its plugin finds the same servers.
    pub(super) fn other_side(&self, subject: Arc<Subject>, params: Arc<Params>) -> Self {
        Self { names: Arc::clone(&self.names), ..Self::new(subject, params) }
    }

    #[cfg(test)]
    pub(super) fn knowing(self, names: Names) -> Self {
        Self { names: Arc::new(names), ..self }
    }

    /// Where its plugin finds what it may connect to.
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// What its plugin may do: decided once, so that all its launches have the same rights and the record says which.
    pub(super) fn permitted_once(&self, decide: impl FnOnce() -> Permitted) -> &Permitted {
        self.permitted.get_or_init(decide)
    }

    /// What makes it the same case in another run.
    #[must_use]
    pub fn key(&self) -> CaseKey {
        CaseKey::new(&self.plugin, &self.benchmark, &self.params, &self.device.name)
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
            plugin: Arc::clone(&self.plugin),
            benchmark: self.benchmark.clone(),
            category: self.category.clone(),
            params: Arc::clone(&self.params),
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

/// A benchmark of a native plugin without parameters, for tests of what is planned.
#[cfg(test)]
pub(super) fn subject_of_tests(asking: Asking, device: DeviceInfo) -> Subject {
    let plugin = PluginRef {
        id: "p".into(),
        version: "1.0.0".into(),
        kind: dyno_core::model::PluginKind::Native,
        sha256: String::new(),
        path: String::new(),
        build: None,
    };
    let benchmark = serde_json::json!({ "name": "b", "hardware": ["cpu", "cuda", "webgpu"] });
    let benchmark = serde_json::from_value(benchmark).expect("it is a benchmark");
    Subject::new(plugin, "p".into(), 0, &benchmark, asking, device)
}
