//! The report for people, in Markdown. Whatever is text in a record is escaped: it may come from a plugin.

use std::{collections::BTreeSet, fmt::Write};

use dyno_core::{
    model::{CaseRecord, CaseStatus, DeviceInfo, MetricSummary, RunRecord, RunStatus},
    units,
};

use super::{
    escape::{block, inline, name},
    models::ModelTable,
    outcome::Outcome,
};

pub(super) fn markdown(record: &RunRecord) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail, so what `write!` returns is dropped throughout.
    let suite = record.spec.suite.as_ref();
    let _ =
        writeln!(out, "# {}\n", suite.map_or_else(|| "Benchmark run".to_owned(), |suite| name(&suite.name)));
    if let Some(suite) = suite.filter(|suite| !suite.description.is_empty()) {
        let _ = writeln!(out, "{}\n", inline(&suite.description));
    }
    facts(&mut out, record);
    results(&mut out, record);
    models(&mut out, record);
    custom(&mut out, record);
    failures(&mut out, record);
    disturbances(&mut out, record);
    missing(&mut out, record);
    plugins(&mut out, record);
    out
}

fn facts(out: &mut String, record: &RunRecord) {
    let machine = &record.machine;
    let cpu = &machine.cpu;
    let status = match record.status {
        RunStatus::Interrupted => {
            "interrupted: dyno ended before the run did; completed launches are included"
        }
        RunStatus::Cancelled => "cancelled: completed launches are included",
        other => other.word(),
    };
    let mut processor = vec![name(&cpu.model), format!("{} cores, {} threads", cpu.cores, cpu.threads)];
    processor.extend(cpu.governor.as_ref().map(|governor| format!("governor {}", inline(governor))));
    processor.extend(cpu.virtualisation.as_ref().map(|hypervisor| format!("under {}", inline(hypervisor))));
    let devices: Vec<String> =
        machine.devices.iter().filter(|it| it.unavailable.is_none()).map(device).collect();
    for (what, value) in [
        ("Run", name(&record.id)),
        ("Begun", name(&record.created_at)),
        ("Ended", record.finished_at.as_deref().map(inline).unwrap_or_default()),
        ("Status", status.to_owned()),
        ("Tags", tags(&record.spec.tags)),
        ("dyno", name(&record.dyno_version)),
        ("Machine", format!("{} ({})", name(&machine.hostname), name(&machine.fingerprint))),
        ("Processor", processor.join(", ")),
        ("Memory", units::bytes(machine.memory_bytes as f64)),
        ("Devices", devices.join("; ")),
        ("System", format!("{}, {}", inline(&machine.os), inline(&machine.arch))),
        ("Seed", record.spec.settings.seed.to_string()),
    ] {
        if !value.is_empty() {
            let _ = writeln!(out, "- **{what}**: {value}");
        }
    }
}

/// Tags of the run, at most as many as people read.
fn tags(tags: &[String]) -> String {
    const NAMED: usize = 20;
    let named: Vec<String> = tags.iter().take(NAMED).map(|tag| name(tag)).collect();
    let more = tags.len() - named.len();
    if more == 0 { named.join(", ") } else { format!("{} and {more} more", named.join(", ")) }
}

/// A device beside the processor, with what its numbers depend on.
fn device(device: &DeviceInfo) -> String {
    let facts: Vec<String> = std::iter::once(&device.model)
        .chain(&device.driver)
        .chain(&device.interface)
        .filter(|fact| !fact.is_empty())
        .map(|fact| inline(fact))
        .collect();
    format!("{}: {}", name(&device.label()), facts.join(", "))
}

fn results(out: &mut String, record: &RunRecord) {
    let measured: Vec<(&CaseRecord, &MetricSummary)> = record
        .cases
        .iter()
        .filter_map(|case| Some((case, case.metric("time").or(case.metric("latency"))?)))
        .collect();
    out.push_str("\n## Results\n\n");
    let Some(confidence) = measured
        .iter()
        .find_map(|(_, time)| time.interval)
        .map(|interval| interval.confidence)
        .filter(|it| it.is_finite())
    else {
        if measured.is_empty() {
            out.push_str("Nothing was measured.\n");
            return;
        }
        out.push_str("Median; one launch gives no interval. ");
        return table(out, record, &measured);
    };
    let _ = write!(out, "Median over launches ± half its {} % interval. ", 100.0 * confidence);
    table(out, record, &measured);
}

fn table(out: &mut String, record: &RunRecord, measured: &[(&CaseRecord, &MetricSummary)]) {
    out.push_str("Percentiles are over all samples, where there are enough.\n\n");
    out.push_str("| benchmark | engine | device | parameters | time | throughput | p50 | p95 | p99 | peak memory | launches × samples |\n");
    out.push_str("|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for (case, time) in measured {
        let mut headline = units::value_with_interval(time.median, time.interval, &time.unit);
        if case.status != CaseStatus::Completed {
            let _ = write!(headline, " ({})", case.status.word().replace('_', " "));
        }
        let throughput: Vec<String> =
            case.rates().map(|metric| units::value(metric.median, &metric.unit)).collect();
        let params: Vec<String> =
            case.params.iter().map(|(parameter, value)| name(&format!("{parameter}={value}"))).collect();
        let memory = case.metric("peak_memory").map(|memory| units::bytes(memory.median)).unwrap_or_default();
        let cells = [
            name(&case.benchmark),
            case.plugin.kind.to_string(),
            name(&record.device_label(case)),
            params.join(" "),
            name(&headline),
            name(&throughput.join(", ")),
            percentile(time, 50.0),
            percentile(time, 95.0),
            percentile(time, 99.0),
            memory,
            format!("{} × {}", time.launches, time.samples / time.launches.max(1)),
        ];
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    let mut remarks: Vec<String> = Vec::new();
    for (case, _) in measured {
        let remark =
            case.device_remark().map(|remark| format!("- **{}**: {}", name(&case.device), inline(&remark)));
        let build = case.build_remark().map(|remark| format!("- {}", inline(&remark)));
        remarks.extend(remark.filter(|remark| !remarks.contains(remark)));
        remarks.extend(build.filter(|remark| !remarks.contains(remark)));
        remarks.extend(
            case.remarks().iter().map(|remark| format!("- **{}**: {}", name(&case.label()), inline(remark))),
        );
    }
    if !remarks.is_empty() {
        let _ = writeln!(out, "\n{}", remarks.join("\n"));
    }
}

fn percentile(metric: &MetricSummary, p: f64) -> String {
    let found = metric.percentiles.iter().find(|percentile| (percentile.p - p).abs() < 1e-9);
    found.map_or_else(|| "–".to_owned(), |percentile| name(&units::value(percentile.value, &metric.unit)))
}

/// The models of the run by hardware.
fn models(out: &mut String, record: &RunRecord) {
    let Some(ModelTable { head, rows }) = ModelTable::of(record) else { return };
    let _ = write!(out, "\n### Models by hardware\n\n{}\n\n", ModelTable::MEANING);
    let row = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| name(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    out.push_str(&row(&head));
    let _ = writeln!(out, "|---|{}", "---:|".repeat(head.len() - 1));
    for cells in &rows {
        out.push_str(&row(cells));
    }
}

/// Metrics that plugins report by themselves.
fn custom(out: &mut String, record: &RunRecord) {
    let mut rows = String::new();
    for case in &record.cases {
        for metric in case.own_metrics() {
            let value = units::value_with_interval(metric.median, metric.interval, &metric.unit);
            let _ = writeln!(rows, "| {} | {} | {} |", name(&case.label()), name(&metric.name), name(&value));
        }
    }
    if !rows.is_empty() {
        let _ = write!(out, "\n### Other metrics\n\n| case | metric | median |\n|---|---|---:|\n{rows}");
    }
}

fn failures(out: &mut String, record: &RunRecord) {
    let mut text = String::new();
    for case in &record.cases {
        let Some(why) = Outcome::of(&case.status).sentence() else { continue };
        let (line, output) = (inline(&why), case.status.last_output());
        let _ = writeln!(text, "- **{}** ({}): {line}", name(&case.label()), case.plugin.kind);
        if !output.is_empty() {
            // Indented, so that it belongs to the item.
            text.push_str("\n  Its last output:\n\n");
            for line in block(output).lines() {
                let _ = writeln!(text, "  {line}");
            }
            text.push('\n');
        }
    }
    if !text.is_empty() {
        let _ = write!(out, "\n## Not completed\n\n{}\n", text.trim_end());
    }
}

fn disturbances(out: &mut String, record: &RunRecord) {
    let mut text = String::new();
    for case in &record.cases {
        for launch in case.launches.iter().filter(|launch| !launch.environment.disturbances.is_empty()) {
            let score = launch
                .environment
                .disturbance
                .filter(|score| score.is_finite())
                .map_or_else(String::new, |score| format!(" ({score:.2})"));
            let _ = writeln!(
                text,
                "- {}, launch {}{score}: {}",
                name(&case.label()),
                launch.index + 1,
                inline(&launch.environment.disturbances.join("; "))
            );
        }
    }
    if !text.is_empty() {
        let _ = write!(
            out,
            "\n## Disturbed launches\n\nThe numbers above include these launches; on a quieter machine the intervals \
             would be narrower.\n\n{text}"
        );
    }
}

/// Requested features that were not available.
fn missing(out: &mut String, record: &RunRecord) {
    let launches = record.cases.iter().flat_map(|case| &case.launches);
    let sentences: BTreeSet<&String> = launches.flat_map(|launch| &launch.missing).collect();
    if !sentences.is_empty() {
        out.push_str("\n## Not available\n\n");
        for sentence in sentences {
            let _ = writeln!(out, "- {}", inline(sentence));
        }
    }
}

/// The plugins that ran, by hash: a name and a version do not identify the bytes.
fn plugins(out: &mut String, record: &RunRecord) {
    let mut rows: Vec<String> = Vec::new();
    for case in &record.cases {
        let plugin = &case.plugin;
        let engine = case.launches.iter().find_map(|launch| launch.engine.as_ref());
        let row = format!(
            "| {} | {} | {} | {} | {} |",
            name(&plugin.id),
            name(&plugin.version),
            plugin.kind,
            engine.map(|engine| inline(&format!("{} {}", engine.name, engine.version))).unwrap_or_default(),
            name(&plugin.sha256)
        );
        // Of one file, the case that was loaded knows the engine.
        match rows.iter_mut().find(|known| known.ends_with(&format!(" {} |", name(&plugin.sha256)))) {
            Some(known) if engine.is_some() => *known = row,
            Some(_) => {}
            None => rows.push(row),
        }
    }
    if !rows.is_empty() {
        let _ = write!(
            out,
            "\n## Plugins\n\n| plugin | version | kind | engine | SHA-256 |\n|---|---|---|---|---|\n{}\n",
            rows.join("\n")
        );
    }
}
