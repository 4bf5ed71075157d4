//! Tables for people.

use std::collections::BTreeSet;

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use dyno_core::{
    model::{CaseRecord, CaseStatus, DeviceKind, MetricSummary, Params, RunRecord},
    units,
};

/// An empty table with these column heads.
pub(super) fn new(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(heads);
    table
}

/// The results of a run, a row per case.
pub(super) fn results(record: &RunRecord) -> Table {
    // Almost always it is the processor, and a column that says so would only take room.
    let is_all_cpu = record.cases.iter().all(|case| case.device == DeviceKind::Cpu.word());
    let mut heads = vec!["benchmark", "engine"];
    if !is_all_cpu {
        heads.push("device");
    }
    heads.extend([
        "parameters",
        "time (median ± 95 %)",
        "throughput",
        "p90",
        "p99",
        "peak memory",
        "launches × samples",
    ]);
    let mut table = new(&heads);
    for case in &record.cases {
        let mut row = row(case);
        if !is_all_cpu {
            row.insert(2, record.device_label(case));
        }
        table.add_row(row);
    }
    table
}

fn row(case: &CaseRecord) -> Vec<String> {
    let mut row = vec![case.benchmark.clone(), case.plugin.kind.to_string(), params(&case.params)];
    match case
        .metric("time")
        .or(case.metric("latency"))
        .filter(|_| matches!(case.status, CaseStatus::Completed | CaseStatus::Cancelled))
    {
        None => row.push(case.status.word().replace('_', " ")),
        Some(time) => {
            let percentile = |p: f64| {
                time.percentiles
                    .iter()
                    .find(|percentile| (percentile.p - p).abs() < 1e-9)
                    .map_or_else(|| "–".to_owned(), |percentile| units::duration(percentile.value))
            };
            let shown = units::value_with_interval(time.median, time.interval, &time.unit);
            row.push(if case.status == CaseStatus::Cancelled {
                format!("{shown} (cancelled)")
            } else {
                shown
            });
            row.push(throughput(case));
            row.push(percentile(90.0));
            row.push(percentile(99.0));
            row.push(
                case.metric("peak_memory").map(|memory| units::bytes(memory.median)).unwrap_or_default(),
            );
            row.push(format!("{} × {}", time.launches, time.samples / time.launches.max(1)));
        }
    }
    row
}

/// What was counted, per iteration, a row per case; `None` where nothing was.
pub(super) fn counted(record: &RunRecord) -> Option<Table> {
    const NAMES: [&str; 6] =
        ["instructions", "cycles", "branch_misses", "cache_misses", "page_faults", "energy"];
    let shown: Vec<&str> = NAMES
        .into_iter()
        .filter(|name| record.cases.iter().any(|case| case.metric(name).is_some()))
        .collect();
    let mut heads = vec!["benchmark".to_owned(), "engine".to_owned(), "parameters".to_owned()];
    heads.extend(shown.iter().map(|name| format!("{} per iteration", name.replace('_', " "))));
    let mut table = new(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    for case in &record.cases {
        let mut row = vec![case.benchmark.clone(), case.plugin.kind.to_string(), params(&case.params)];
        row.extend(shown.iter().map(|name| {
            let unit =
                |metric: &MetricSummary| if *name == "energy" { metric.unit.clone() } else { String::new() };
            case.metric(name)
                .map(|metric| units::value_with_interval(metric.median, metric.interval, &unit(metric)))
                .unwrap_or_default()
        }));
        table.add_row(row);
    }
    (!shown.is_empty()).then_some(table)
}

/// Why a load scenario did not meet its bound, unless a rate was found that does.
fn invalid(case: &CaseRecord) -> Option<&str> {
    let loads = case.launches.iter().filter_map(|launch| launch.load.as_ref());
    let objection = loads.rev().find_map(|load| load.remark.as_deref());
    objection.filter(|_| case.metric("peak_qps").is_none())
}

/// The most telling throughput: operations, else traffic, else items.
fn throughput(case: &CaseRecord) -> String {
    ["peak_qps", "samples_per_second", "flop_per_second", "bytes_per_second", "items_per_second"]
        .into_iter()
        .find_map(|name| case.metric(name))
        .map(|metric| units::value(metric.median, &metric.unit))
        .unwrap_or_default()
}

/// Parameters on one line.
pub(super) fn params(params: &Params) -> String {
    params.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// What makes the numbers worse or fewer than they could be, a line each: disturbed launches by case, and what was asked
/// for and could not be had.
pub(super) fn remarks(record: &RunRecord) -> String {
    let mut out = String::new();
    for case in &record.cases {
        let disturbed: Vec<_> = case
            .launches
            .iter()
            .map(|launch| &launch.environment)
            .filter(|environment| !environment.disturbances.is_empty())
            .collect();
        let worst = disturbed
            .iter()
            .max_by(|a, b| a.disturbance.unwrap_or(0.0).total_cmp(&b.disturbance.unwrap_or(0.0)));
        if let Some(worst) = worst {
            let score =
                worst.disturbance.map_or_else(String::new, |score| format!(", by up to {score:.2} of 1"));
            out.push_str(&format!(
                "{} ({}): {} of {} launches were disturbed{score}: {}\n",
                case.label(),
                case.plugin.kind,
                disturbed.len(),
                case.launches.len(),
                worst.disturbances.join("; ")
            ));
        }
    }
    let software: BTreeSet<String> = record
        .cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}\n", case.device, case.device_remark()?)))
        .collect();
    out.extend(software);
    let builds: BTreeSet<String> = record.cases.iter().filter_map(CaseRecord::build_remark).collect();
    builds.into_iter().for_each(|sentence| out.push_str(&format!("{sentence}\n")));
    let launches = record.cases.iter().flat_map(|case| &case.launches);
    let missing: BTreeSet<&String> = launches.flat_map(|launch| &launch.missing).collect();
    missing.into_iter().for_each(|sentence| out.push_str(&format!("{sentence}\n")));
    out
}

/// What did not complete, a paragraph each: where, why, and the last lines that the plugin wrote.
pub(super) fn failures(record: &RunRecord) -> String {
    let mut out = String::new();
    for case in &record.cases {
        let (line, tail): (String, &[String]) = match &case.status {
            CaseStatus::Failed { stage, reason } => {
                (format!("failed in stage {stage}: {reason}"), &reason.last_output)
            }
            CaseStatus::TimedOut { stage, limit_s, last_output } => (
                format!("timed out in stage {stage}: longer than {limit_s} s; raise it with --timeout"),
                last_output,
            ),
            CaseStatus::Skipped { reason } => (format!("skipped: {reason}"), &[]),
            CaseStatus::Completed => match invalid(case) {
                Some(why) => (format!("not valid: {why}"), &[]),
                None => continue,
            },
            _ => continue,
        };
        out.push_str(&format!("{} ({}): {line}\n", case.label(), case.plugin.kind));
        for text in tail {
            out.push_str(&format!("    | {text}\n"));
        }
    }
    out
}
