//! What a run shows to people: its table, the cases that did not complete, and what made its numbers worse.

use std::collections::{BTreeMap, BTreeSet};

use dyno_core::{
    model::{
        CaseRecord, CaseStatus, DeviceKind, LaunchRecord, MetricSummary, ParamValue, Params, PluginRef,
        RunRecord, remark_lines, swept,
    },
    text::{Shown, sentence, shown},
    units,
};
use indexmap::{IndexMap, IndexSet};

use super::{
    grid::{Grid, Role},
    terminal,
};

/// The flag that shows what a table leaves out.
pub(super) const ALL_COLUMNS: &str = "--all-columns";
/// Maximum number of cases that are named in front of a shared reason.
const MOST_NAMED: usize = 10;
/// What the processor and the kernel counted, in the order in which it is shown.
const COUNTED: [&str; 6] =
    ["instructions", "cycles", "branch_misses", "cache_misses", "page_faults", "energy"];

/// An empty table with these column heads, each of which is needed.
pub(super) fn new(heads: &[&str]) -> Grid {
    Grid::new(heads.iter().map(|head| (*head, Role::Needed)))
}

/// A case, as far as tables tell cases apart.
pub(super) struct CaseKey<'a> {
    pub(super) benchmark: &'a str,
    pub(super) plugin: &'a PluginRef,
    /// The device, marked if it is a software adapter. // eg: "webgpu:0 (software)"
    pub(super) device: String,
    pub(super) params: &'a Params,
}

impl<'a> CaseKey<'a> {
    /// The benchmark, whatever its version.
    fn owner(&self) -> (&'a str, &'a str) {
        (&self.plugin.id, self.benchmark)
    }
}

/// The columns that tell cases apart, and what all of them share.
pub(super) struct Keys {
    pub(super) columns: Vec<(&'static str, Role)>,
    /// A row of cells per case.
    pub(super) rows: Vec<Vec<String>>,
    /// Values that all rows share, a line each, for below the table.
    pub(super) shared: Vec<String>,
}

/// Chooses the columns that tell these cases apart. Values that all share go below the table; with `everything`, they
/// get a column too.
pub(super) fn keys(cases: &[CaseKey<'_>], everything: bool) -> Keys {
    let swept = swept(cases.iter().map(|case| (case.owner(), case.params)));
    let is_swept = |case: &CaseKey<'_>, name: &str| {
        everything || swept.get(&case.owner()).is_some_and(|params| params.contains(name))
    };
    let named = |case: &CaseKey<'_>| {
        name(case.benchmark, case.params.iter().filter(|(name, _)| is_swept(case, name)))
    };
    let mut columns = vec![("benchmark", Role::Needed)];
    let mut rows: Vec<Vec<String>> = cases.iter().map(|case| vec![named(case)]).collect();
    let mut shared = Vec::new();
    let mut add = |head: &'static str, cells: Vec<String>| {
        columns.push((head, Role::Needed));
        rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell));
    };
    let mut owners: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for case in cases {
        owners.entry(case.benchmark).or_default().insert((&case.plugin.id, &case.plugin.version));
    }
    if everything || owners.values().any(|owners| owners.len() > 1) {
        let name = |case: &CaseKey<'_>| format!("{} {}", case.plugin.id, case.plugin.version);
        add("plugin", cases.iter().map(name).collect());
    }
    let engines: Vec<String> = cases.iter().map(|case| case.plugin.kind.to_string()).collect();
    match the_same(&engines) {
        Some(engine) if !everything => shared.push(format!("engine      {engine}")),
        _ => add("engine", engines),
    }
    let devices: Vec<String> = cases.iter().map(|case| case.device.clone()).collect();
    match the_same(&devices) {
        // Nearly always it is the CPU, which readers expect without being told.
        Some(device) if !everything && device == DeviceKind::Cpu.word() => {}
        Some(device) if !everything => shared.push(format!("device      {device}")),
        _ => add("device", devices),
    }
    let fixed = fixed(cases, is_swept, owners.len() == 1);
    if !fixed.is_empty() {
        shared.push(format!("parameters  {}", fixed.join("; ")));
    }
    Keys { columns, rows, shared }
}

/// The parameters of each benchmark that are not swept, after its name unless it is the only one.
fn fixed(cases: &[CaseKey<'_>], is_swept: impl Fn(&CaseKey<'_>, &str) -> bool, is_only: bool) -> Vec<String> {
    let mut fixed: IndexMap<&str, IndexSet<String>> = IndexMap::new();
    for case in cases {
        let constant = case.params.iter().filter(|(name, _)| !is_swept(case, name));
        let constant: Vec<String> = constant.map(param).collect();
        if !constant.is_empty() {
            fixed.entry(case.benchmark).or_default().insert(constant.join(" "));
        }
    }
    let texts = fixed.iter().map(|(benchmark, values)| {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let values = values.join(" or ");
        if is_only { values } else { format!("{benchmark} {values}") }
    });
    texts.collect()
}

/// The value that all of these have, if they are equal.
fn the_same(values: &[String]) -> Option<&String> {
    let first = values.first()?;
    values.iter().all(|value| value == first).then_some(first)
}

/// The name of each case, as in the table.
fn names(record: &RunRecord, everything: bool) -> Vec<String> {
    let rows = keys_of(record, everything).rows;
    rows.into_iter().map(|row| row.into_iter().next().unwrap_or_default()).collect()
}

fn keys_of(record: &RunRecord, everything: bool) -> Keys {
    let cases: Vec<CaseKey<'_>> = record
        .cases
        .iter()
        .map(|case| CaseKey {
            benchmark: &case.benchmark,
            plugin: &case.plugin,
            device: record.device_label(case),
            params: &case.params,
        })
        .collect();
    keys(&cases, everything)
}

/// Everything that is printed for people when a run ends.
pub(super) fn outcome(record: &RunRecord, everything: bool) -> String {
    let mut text = results(record, everything);
    // Cases have the same names as in the table.
    let names = names(record, everything);
    let failures = terminal::folded(failures(record, &names).trim_end());
    let remarks = terminal::folded(remarks(record, &names).trim_end());
    for part in [failures, counted(record).unwrap_or_default(), remarks] {
        if !part.is_empty() {
            text.push_str(&format!("\n\n{part}"));
        }
    }
    text
}

/// The results of a run, a row per case, and below it what all cases share.
fn results(record: &RunRecord, everything: bool) -> String {
    let Keys { mut columns, rows, shared } = keys_of(record, everything);
    columns.push(("median ± 95 %", Role::Headline));
    columns.push(("throughput", Role::Needed));
    let custom: IndexSet<&str> =
        record.cases.iter().flat_map(custom).map(|metric| metric.name.as_str()).collect();
    let mut columns: Vec<(String, Role)> =
        columns.into_iter().map(|(head, role)| (head.to_owned(), role)).collect();
    columns.extend(custom.iter().map(|name| (name.replace('_', " "), Role::Own)));
    for head in ["p99", "peak memory", "p90", "device time", "launches × samples"] {
        columns.push((head.to_owned(), Role::Extra));
    }
    if everything {
        columns.push(("min".to_owned(), Role::Extra));
        columns.push(("max".to_owned(), Role::Extra));
    }
    let mut grid = Grid::new(columns.iter().map(|(head, role)| (head.as_str(), *role)));
    for (case, mut row) in record.cases.iter().zip(rows) {
        row.extend(values(case, &custom, everything));
        grid.add_row(row);
    }
    let grid = grid.complete(everything, ALL_COLUMNS);
    if shared.is_empty() {
        grid.to_string()
    } else {
        format!("{grid}\n\n{}", terminal::folded(&shared.join("\n")))
    }
}

/// What was measured, a cell per column.
fn values(case: &CaseRecord, custom: &IndexSet<&str>, everything: bool) -> Vec<String> {
    let measured = matches!(case.status, CaseStatus::Completed | CaseStatus::Cancelled);
    let Some(time) = case.metric("time").or(case.metric("latency")).filter(|_| measured) else {
        return vec![case.status.word().replace('_', " ")];
    };
    let percentile = |p: f64| {
        let known = time.percentiles.iter().find(|percentile| (percentile.p - p).abs() < 1e-9);
        known.map(|percentile| units::duration(percentile.value)).unwrap_or_default()
    };
    let plain = |name: &str| case.metric(name).map(|metric| units::value(metric.median, &metric.unit));
    let shown = with_interval(time);
    let mut row = vec![
        if case.status == CaseStatus::Cancelled { format!("{shown} (cancelled)") } else { shown },
        throughput(case),
    ];
    row.extend(custom.iter().map(|name| plain(name).unwrap_or_default()));
    row.extend([
        percentile(99.0),
        plain("peak_memory").unwrap_or_default(),
        percentile(90.0),
        plain("device_time").unwrap_or_default(),
        format!("{} × {}", time.launches, time.samples / time.launches.max(1)),
    ]);
    if everything {
        row.extend([units::value(time.min, &time.unit), units::value(time.max, &time.unit)]);
    }
    row
}

fn with_interval(metric: &MetricSummary) -> String {
    units::value_with_interval(metric.median, metric.interval, &metric.unit)
}

/// The metrics that the plugin of a case reported by itself.
fn custom(case: &CaseRecord) -> impl Iterator<Item = &MetricSummary> {
    case.metrics
        .iter()
        .filter(|metric| case.launches.iter().any(|launch| launch.custom.contains_key(&metric.name)))
}

/// Hardware counters per iteration, a row per case; `None` if nothing was counted.
fn counted(record: &RunRecord) -> Option<String> {
    let shown: Vec<&str> = COUNTED
        .into_iter()
        .filter(|name| record.cases.iter().any(|case| case.metric(name).is_some()))
        .collect();
    let Keys { columns, rows, .. } = keys_of(record, false);
    let names: Vec<String> = shown.iter().map(|name| name.replace('_', " ")).collect();
    let counters = names.iter().map(|name| (name.as_str(), Role::Needed));
    let mut grid = Grid::new(columns.into_iter().chain(counters));
    for (case, mut row) in record.cases.iter().zip(rows) {
        row.extend(shown.iter().map(|name| {
            let unit =
                |metric: &MetricSummary| if *name == "energy" { metric.unit.clone() } else { String::new() };
            case.metric(name)
                .map(|metric| units::value_with_interval(metric.median, metric.interval, &unit(metric)))
                .unwrap_or_default()
        }));
        grid.add_row(row);
    }
    (!shown.is_empty()).then(|| format!("counted per iteration\n{grid}"))
}

/// Why a load scenario did not meet its bound, unless a rate was found that does.
fn invalid(case: &CaseRecord) -> Option<&str> {
    let loads = case.launches.iter().filter_map(|launch| launch.load.as_ref());
    let objection = loads.rev().find_map(|load| load.remark.as_deref());
    objection.filter(|_| case.metric("peak_qps").is_none())
}

/// The most informative throughput.
fn throughput(case: &CaseRecord) -> String {
    case.rates().next().map(|metric| units::value(metric.median, &metric.unit)).unwrap_or_default()
}

/// Maximum length of a parameter in a table [characters]; documents have it in full.
const PARAMETER: usize = 48;

/// A benchmark with some of its parameters. // eg: "gemm n=256"
pub(super) fn name<'a>(
    benchmark: &str,
    params: impl IntoIterator<Item = (&'a String, &'a ParamValue)>,
) -> String {
    let params: String = params.into_iter().map(|one| format!(" {}", param(one))).collect();
    format!("{benchmark}{params}")
}

fn param((name, value): (&String, &ParamValue)) -> String {
    Shown::at_most(&format!("{name}={value}"), PARAMETER).to_string()
}

/// Lines about what made the numbers worse or fewer: disturbances, and requested features that were not available.
fn remarks(record: &RunRecord, names: &[String]) -> String {
    let mut out = String::new();
    out.extend(disturbed(record, names).map(|line| format!("{line}\n")));
    let software: BTreeSet<String> = record
        .cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}\n", case.device, case.device_remark()?)))
        .collect();
    out.extend(software);
    let remarks = record
        .cases
        .iter()
        .zip(names)
        .flat_map(|(case, name)| case.remarks().into_iter().map(move |remark| (shown(name), remark)));
    out.extend(remark_lines(remarks).into_iter().map(|line| format!("{line}\n")));
    let builds: BTreeSet<String> = record.cases.iter().filter_map(CaseRecord::build_remark).collect();
    builds.into_iter().for_each(|sentence| out.push_str(&format!("{sentence}\n")));
    let launches = record.cases.iter().flat_map(|case| &case.launches);
    let missing: BTreeSet<&String> = launches.flat_map(|launch| &launch.missing).collect();
    missing.into_iter().for_each(|sentence| out.push_str(&format!("{sentence}\n")));
    out
}

/// How many launches of the run were disturbed, and the worst of it.
fn disturbed(record: &RunRecord, names: &[String]) -> Option<String> {
    let launches: Vec<(&String, &LaunchRecord)> = record
        .cases
        .iter()
        .zip(names)
        .flat_map(|(case, name)| case.launches.iter().map(move |launch| (name, launch)))
        .collect();
    let is_disturbed = |(_, launch): &&(&String, &LaunchRecord)| !launch.environment.disturbances.is_empty();
    let number = launches.iter().filter(is_disturbed).count();
    let score = |launch: &LaunchRecord| launch.environment.disturbance.unwrap_or(0.0);
    let (name, worst) =
        launches.iter().filter(is_disturbed).max_by(|(_, a), (_, b)| score(a).total_cmp(&score(b)))?;
    let cause = worst.environment.disturbances.first()?;
    let place = if record.cases.len() > 1 { format!(" ({name})") } else { String::new() };
    Some(format!(
        "disturbed: {number} of {}; at worst, {cause}{place}; `dyno doctor` suggests what to do about it",
        units::count(launches.len(), "launch")
    ))
}

/// Cases that did not complete, a paragraph for each reason: the cases, the stage, the reason, and the last lines of
/// the plugin's output.
fn failures(record: &RunRecord, names: &[String]) -> String {
    let mut reasons: IndexMap<(String, &[String]), Vec<String>> = IndexMap::new();
    let has_one_device = record.cases.windows(2).all(|pair| pair[0].device == pair[1].device);
    for (case, name) in record.cases.iter().zip(names) {
        let (line, tail): (String, &[String]) = match &case.status {
            CaseStatus::Failed { stage, reason } => {
                (format!("failed in stage {stage}: {reason}"), &reason.last_output)
            }
            CaseStatus::TimedOut { stage, limit_s, last_output } => (
                format!(
                    "timed out in stage {stage}: it took longer than {limit_s} s; raise the limit with --timeout"
                ),
                last_output,
            ),
            CaseStatus::Skipped { reason, .. } => (format!("skipped: {reason}"), &[]),
            CaseStatus::Completed => match invalid(case) {
                Some(why) => (format!("not valid: {why}"), &[]),
                None => continue,
            },
            _ => continue,
        };
        let device = if has_one_device { String::new() } else { format!(", {}", case.device) };
        let name = format!("{} ({}{device})", shown(name), case.plugin.kind);
        reasons.entry((line, tail)).or_default().push(name);
    }
    let mut out = String::new();
    for ((line, tail), cases) in reasons {
        match cases.as_slice() {
            [one] => out.push_str(&format!("{one}: {}\n", sentence(&line))),
            several => {
                out.push_str(&format!("{}: {}\n", units::count(several.len(), "case"), sentence(&line)));
                for case in several.iter().take(MOST_NAMED) {
                    out.push_str(&format!("    {case}\n"));
                }
                if let Some(more @ 1..) = several.len().checked_sub(MOST_NAMED) {
                    out.push_str(&format!("    and {more} more\n"));
                }
            }
        }
        for text in tail {
            out.push_str(&format!("    | {text}\n"));
        }
    }
    out
}
