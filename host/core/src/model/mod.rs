//! What a run is made of. Pure data: both the host and the exports use it, and none of it does I/O.

mod aa;
mod comparison;
mod device;
mod doctor;
mod environment;
mod event;
mod finite;
mod history;
mod param;
mod readings;
mod record;
mod sample;
mod scenario;
mod spec;
mod status;

pub use aa::{AaCase, AaReport};
pub use comparison::{
    COMPARISON_SCHEMA, COMPARISON_VERSION, CaseComparison, Comparison, Design, Measured, MeasuredCase,
    MeasuredMetric, MetricComparison, PairEffect, PairsInfo, Verdict, case_label, label_of,
};
pub use device::{DeviceInfo, DeviceKind, DeviceState};
pub use doctor::{
    Comparable, DOCTOR_SCHEMA, DOCTOR_VERSION, Difference, Doctor, DoctorComparison, Finding, NoiseCase,
    NoiseReport, Severity,
};
pub use environment::{Cache, Core, CpuTopology, Environment, Load, Machine};
pub use event::{Estimate, Event};
pub use history::{Change, Point, Series, Source};
pub use param::{ParamValue, Params};
pub use readings::{
    Activity, BusyProcess, ClockReadings, CpuBusy, CpuReadings, EnergyCounter, FolderReadings, GroupReadings,
    KernelReadings, MemoryReadings, Readings,
};
pub use record::{
    CaseRecord, EngineInfo, Interval, LaunchRecord, MetricSummary, Outliers, OutputLine, Percentile, Plan,
    PluginRef, RESULT_SCHEMA, RESULT_VERSION, RunRecord, Stream, build_remark,
};
pub use sample::{Sample, Work};
pub use scenario::{LoadRecord, Query, Scenario};
pub use spec::{CaseRequest, EngineChoice, Layout, Pages, RunSpec, Settings, StopRule, SuiteInfo};
pub use status::{CaseStatus, Exit, Reason, RunStatus, Stage};

/// Which direction of a metric is good.
pub use dyno_plugin_api::descriptor::Better;
/// How the code of a plugin was compiled.
pub use dyno_plugin_api::descriptor::Build as PluginBuild;
/// The technology of a plugin: native library or WASM component.
pub use dyno_plugin_api::descriptor::Kind as PluginKind;
