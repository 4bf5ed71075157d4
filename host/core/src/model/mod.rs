//! What a run is made of. Pure data: both the host and the exports use it, and none of it does I/O.

mod aa;
mod capability;
mod comparison;
mod conformance;
mod device;
mod distribution;
mod doctor;
mod endpoint;
mod environment;
mod event;
mod finite;
mod grant;
mod history;
mod interval;
mod isolation;
mod key;
mod package;
mod param;
mod param_space;
mod plugin_event;
mod readings;
mod record;
mod remark;
mod result_row;
mod sample;
mod scenario;
mod source;
mod spec;
mod status;
mod store_bypass;
mod submission;
mod unjudged;

pub use aa::{AaCase, AaReport};
pub use capability::{Capability, NoCapability, is_of_dyno, unusable_path, unusable_variable};
pub use comparison::{
    COMPARISON_SCHEMA, COMPARISON_VERSION, CaseComparison, Comparison, Design, DriftFloor, Estimator,
    KnownDrift, Measured, MeasuredCase, MeasuredMetric, MetricComparison, PairEffect, PairsInfo,
    RefusedCalls, UnjudgedCase, Verdict,
};
pub use conformance::{
    CHECK_SCHEMA, CHECK_VERSION, CheckReport, CheckedFile, ConformanceTest, TestOutcome, TestResult,
};
pub use device::{DeviceInfo, DeviceKind, DeviceState};
pub use distribution::{Column, Distribution, LaunchDistribution};
pub use doctor::{
    Comparable, DOCTOR_SCHEMA, DOCTOR_VERSION, Difference, Doctor, DoctorComparison, Finding, NoiseCase,
    NoiseReport, Severity,
};
pub use endpoint::{Endpoint, Reachable};
pub use environment::{Cache, Core, CpuTopology, Environment, Load, Machine};
pub use event::{Estimate, Event};
pub use grant::Grant;
pub use history::{Change, Mark, MarkKind, Point, Series};
pub use interval::Interval;
pub use isolation::IsolationLayer;
pub use key::{CaseKey, ShortLabels, labels, series, short_labels, swept};
pub use package::{
    FileRole, INDEX_SCHEMA, INDEX_VERSION, IndexedPackage, LOCK_SCHEMA, LOCK_VERSION, LockedFile,
    LockedPackage, MAX_FILE_BYTES, MAX_FILES, MAX_PACKAGE_BYTES, PACKAGE_SCHEMA, PACKAGE_VERSION,
    PackageBuild, PackageFile, PackageIndex, PackageLock, PackageManifest, check_path, package_name,
    unusable,
};
pub use param::{ParamValue, Params};
pub use param_space::{default_params, extreme_params, random_params};
pub use plugin_event::PluginEvent;
pub use readings::{
    Activity, BusyProcess, ClockReadings, CpuBusy, CpuReadings, EnergyCounter, FolderReadings, GroupReadings,
    IsolationReadings, KernelReadings, MemoryReadings, Readings,
};
pub use record::{
    CaseRecord, EngineInfo, LaunchRecord, MetricSummary, Outliers, OutputLine, Percentile, Plan, PluginRef,
    RESULT_SCHEMA, RESULT_VERSION, RunRecord, SideEffects, Stream, Trend, build_remark,
};
pub use remark::remark_lines;
pub use result_row::ResultRow;
pub use sample::{LOOP_REMEDY, MIN_NS_PER_ITERATION, Sample, Work};
pub use scenario::{LoadRecord, Query, Scenario, lowest_judged_qps};
pub use source::Source;
pub use spec::{
    CaseRequest, EngineChoice, Inputs, Layout, Pages, RunSpec, Settings, StopRule, SuiteInfo, TAG_SEPARATOR,
};
pub use status::{CaseStatus, Exit, Reason, RunStatus, SkipCause, Stage};
pub use store_bypass::StoreBypass;
pub use submission::{Origin, Priority, Request, Submission};
pub use unjudged::{ComparedSide, Unjudged};

/// Which direction of a metric is good.
pub use dyno_plugin_api::descriptor::Better;
/// How the code of a plugin was compiled.
pub use dyno_plugin_api::descriptor::Build as PluginBuild;
/// The technology of a plugin: native library or WASM component.
pub use dyno_plugin_api::descriptor::Kind as PluginKind;
