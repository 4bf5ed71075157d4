//! The report for people, in Markdown. Text that came from plugins is escaped: it must not become structure.

use std::fmt::Write;

use dyno_core::{
    model::{CaseRecord, CaseStatus, RunRecord},
    units,
};

/// A run as a report.
#[must_use]
pub fn markdown(record: &RunRecord) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail, so the results of `write!` are dropped throughout.
    let title = record.spec.suite.as_ref().map_or("Benchmark run", |suite| suite.name.as_str());
    let _ = writeln!(out, "# {}\n", escaped(title));
    if let Some(suite) = record.spec.suite.as_ref().filter(|suite| !suite.description.is_empty()) {
        let _ = writeln!(out, "{}\n", escaped(&suite.description));
    }
    facts(&mut out, record);
    results(&mut out, record);
    failures(&mut out, record);
    disturbances(&mut out, record);
    out
}

fn facts(out: &mut String, record: &RunRecord) {
    let machine = &record.machine;
    let tags: Vec<String> = record.spec.tags.iter().map(|tag| escaped(tag)).collect();
    for (name, value) in [
        ("Run", record.id.clone()),
        ("Begun", record.created_at.clone()),
        ("Ended", record.finished_at.clone().unwrap_or_default()),
        ("Status", record.status.word().to_owned()),
        ("Tags", tags.join(", ")),
        ("dyno", record.dyno_version.clone()),
        (
            "Machine",
            format!(
                "{}, {} threads, {}, {} ({})",
                escaped(&machine.cpu.model),
                machine.cpu.threads,
                units::bytes(machine.memory_bytes as f64),
                escaped(&machine.os),
                machine.fingerprint
            ),
        ),
        ("Seed", record.spec.settings.seed.to_string()),
    ] {
        if !value.is_empty() {
            let _ = writeln!(out, "- **{name}**: {value}");
        }
    }
}

fn results(out: &mut String, record: &RunRecord) {
    let done: Vec<&CaseRecord> = record.cases.iter().filter(|case| case.metric("time").is_some()).collect();
    if done.is_empty() {
        return;
    }
    out.push_str("\n## Results\n\nMedian over launches with its 95 % interval; percentiles over all samples, where there are enough.\n\n");
    out.push_str("| benchmark | engine | parameters | time | throughput | p50 | p95 | p99 | peak memory | launches × samples |\n");
    out.push_str("|---|---|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for case in done {
        let Some(time) = case.metric("time") else { continue };
        let percentile = |p: f64| {
            time.percentiles
                .iter()
                .find(|percentile| (percentile.p - p).abs() < 1e-9)
                .map_or_else(|| "–".to_owned(), |percentile| units::duration(percentile.value))
        };
        let throughput: Vec<String> = ["flop_per_second", "bytes_per_second", "items_per_second"]
            .into_iter()
            .filter_map(|name| case.metric(name))
            .map(|metric| units::value(metric.median, &metric.unit))
            .collect();
        let params: Vec<String> =
            case.params.iter().map(|(name, value)| escaped(&format!("{name}={value}"))).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} × {} |",
            escaped(&case.benchmark),
            case.plugin.kind,
            params.join(" "),
            units::value_with_interval(time.median, time.interval, &time.unit),
            throughput.join(", "),
            percentile(50.0),
            percentile(95.0),
            percentile(99.0),
            case.metric("peak_memory").map(|memory| units::bytes(memory.median)).unwrap_or_default(),
            time.launches,
            time.samples / time.launches.max(1),
        );
    }
    custom(out, record);
}

/// Metrics that plugins report by themselves.
fn custom(out: &mut String, record: &RunRecord) {
    const OURS: [&str; 6] =
        ["time", "items_per_second", "bytes_per_second", "flop_per_second", "device_time", "peak_memory"];
    let mut rows = String::new();
    for case in &record.cases {
        for metric in case.metrics.iter().filter(|metric| !OURS.contains(&metric.name.as_str())) {
            let value = units::value_with_interval(metric.median, metric.interval, &metric.unit);
            let _ = writeln!(
                rows,
                "| {} | {} | {} |",
                escaped(&case.label()),
                escaped(&metric.name),
                escaped(&value)
            );
        }
    }
    if !rows.is_empty() {
        let _ =
            write!(out, "\n### Metrics of the plugins\n\n| case | metric | median |\n|---|---|---:|\n{rows}");
    }
}

fn failures(out: &mut String, record: &RunRecord) {
    let mut text = String::new();
    for case in &record.cases {
        let (line, tail): (String, &[String]) = match &case.status {
            CaseStatus::Failed { stage, reason } => {
                (format!("failed in stage `{stage}`: {}", escaped(&reason.message)), &reason.last_output)
            }
            CaseStatus::TimedOut { stage, limit_s, last_output } => {
                (format!("timed out in stage `{stage}` after {limit_s} s"), last_output)
            }
            CaseStatus::Skipped { reason } => (format!("skipped: {}", escaped(reason)), &[]),
            CaseStatus::Cancelled => ("cancelled".to_owned(), &[]),
            _ => continue,
        };
        let _ = writeln!(text, "- **{}** ({}): {line}", escaped(&case.label()), case.plugin.kind);
        for line in tail {
            let _ = writeln!(text, "  - `{}`", line.replace('`', "'"));
        }
    }
    if !text.is_empty() {
        let _ = write!(out, "\n## Not completed\n\n{text}");
    }
}

fn disturbances(out: &mut String, record: &RunRecord) {
    let mut text = String::new();
    for case in &record.cases {
        for launch in case.launches.iter().filter(|launch| !launch.environment.disturbances.is_empty()) {
            let _ = writeln!(
                text,
                "- {}, launch {}: {}",
                escaped(&case.label()),
                launch.index + 1,
                escaped(&launch.environment.disturbances.join("; "))
            );
        }
    }
    if !text.is_empty() {
        let _ = write!(
            out,
            "\n## Disturbed launches\n\nThese are in the numbers above; a quieter machine would narrow them.\n\n{text}"
        );
    }
}

/// Text of a plugin on one line of Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
