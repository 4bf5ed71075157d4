//! Tables for people.

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use dyno_core::{
    model::{CaseRecord, CaseStatus, DeviceKind, Params, RunRecord},
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

/// What must be said beside the numbers of a device, a line per device.
pub(super) fn remarks(record: &RunRecord) -> String {
    let mut lines: Vec<String> = Vec::new();
    for case in &record.cases {
        let line = case.device_remark().map(|remark| format!("{}: {remark}", case.device));
        lines.extend(line.filter(|line| !lines.contains(line)));
    }
    lines.join("\n")
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
