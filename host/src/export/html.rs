//! The report for people, as one page of HTML that needs nothing else: styles and charts are inside, scripts there are none.

use std::{collections::BTreeSet, fmt::Write};

use dyno_core::{
    model::{CaseRecord, LaunchRecord, MetricSummary, RunRecord, Sample},
    stats, units,
};

use super::{escape::xml, models::ModelTable, outcome::Outcome};

/// Width and height of a chart [px].
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 92.0;
/// Margin for the scale [px].
const MARGIN: f64 = 14.0;
/// Maximum number of cases with charts: a page with more would not open.
pub(super) const CHARTS: usize = 200;
/// Maximum number of dots of a chart.
const DOTS: usize = 2_000;

/// The style of every page of this file.
pub const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; } dt { color: #5b6675; } dd { margin: 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; } th, td { padding: .3rem .6rem; border-bottom: 1px solid #dde2e8; text-align: left; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; max-width: 100%; height: auto; } text { font: 11px system-ui, sans-serif; fill: #5b6675; }
.bad { color: #a3262a; } .note { color: #5b6675; }
@media (prefers-color-scheme: dark) { body { background: #14181d; color: #dfe5ec; } th, td { border-color: #2b333d; }
dt, .note, text { color: #95a1b0; fill: #95a1b0; } .bad { color: #ff8a8a; } }
";

pub(super) fn html(record: &RunRecord) -> String {
    page(title(record), "", &body(record, "", launches))
}

/// The title of the page of a run.
pub(super) fn title(record: &RunRecord) -> &str {
    record.spec.suite.as_ref().map_or("Benchmark run", |suite| suite.name.as_str())
}

/// The page of a run as HTML: `overall` comes before the charts of the cases, each of which `chart` writes.
pub(super) fn body(record: &RunRecord, overall: &str, chart: impl Fn(&mut String, &CaseRecord)) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail, so what `write!` returns is dropped throughout.
    facts(&mut out, record);
    results(&mut out, record);
    if let Some(table) = ModelTable::of(record) {
        let _ = writeln!(out, "<h2>Models by hardware</h2>\n<p>{}</p>", ModelTable::MEANING);
        out.push_str(&grid("models by hardware", &table.head, &table.rows));
    }
    out.push_str(overall);
    for case in record.cases.iter().take(CHARTS) {
        chart(&mut out, case);
    }
    if record.cases.len() > CHARTS {
        let _ = writeln!(
            out,
            "<p class=\"note\">The first {CHARTS} of {} cases have charts; the result file contains the samples of \
             all.</p>",
            record.cases.len()
        );
    }
    failures(&mut out, record);
    out
}

/// A table as a page of its own: a head, and rows of as many cells, of which all but the first are figures.
#[must_use]
pub fn html_table(title: &str, head: &[String], rows: &[Vec<String>]) -> String {
    page(title, "", &grid("table", head, rows))
}

/// A table with that name for those who cannot see it.
fn grid(label: &str, head: &[String], rows: &[Vec<String>]) -> String {
    let mut out =
        format!("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\">\n<table>\n");
    let mut row = |name: &str, cells: &[String]| {
        out.push_str("<tr>");
        for (place, cell) in cells.iter().enumerate() {
            let class = if place == 0 { "" } else { " class=\"n\"" };
            let _ = write!(out, "<{name}{class}>{}</{name}>", xml(cell));
        }
        out.push_str("</tr>\n");
    };
    row("th", head);
    for cells in rows {
        row("td", cells);
    }
    out.push_str("</table>\n</div>\n");
    out
}

/// A page around what is HTML already; `head` comes first in its head.
pub(super) fn page(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{head}\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} · dyno</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n",
        title = xml(title)
    )
}

fn facts(out: &mut String, record: &RunRecord) {
    out.push_str("<dl>\n");
    for (name, value) in [
        ("Run", record.id.clone()),
        ("Begun", record.created_at.clone()),
        ("Ended", record.finished_at.clone().unwrap_or_default()),
        ("Status", record.status.word().to_owned()),
        ("Tags", record.spec.tags.join(", ")),
        ("Machine", format!("{} ({})", record.machine.hostname, record.machine.fingerprint)),
        ("Processor", record.machine.cpu.model.clone()),
        ("System", format!("{}, {}", record.machine.os, record.machine.arch)),
        ("dyno", record.dyno_version.clone()),
    ] {
        if !value.is_empty() {
            let _ = writeln!(out, "<dt>{name}</dt><dd>{}</dd>", xml(&value));
        }
    }
    out.push_str("</dl>\n");
    let builds: BTreeSet<String> = record.cases.iter().filter_map(CaseRecord::build_remark).collect();
    for remark in builds {
        let _ = writeln!(out, "<p class=\"bad\">{}</p>", xml(&remark));
    }
}

/// The metric that a report shows first.
fn headline(case: &CaseRecord) -> Option<&MetricSummary> {
    case.metric("time").or_else(|| case.metric("latency"))
}

/// The same if its samples can be drawn: they are times.
pub(super) fn timed(case: &CaseRecord) -> Option<&MetricSummary> {
    headline(case).filter(|metric| metric.unit == "ns" && metric.median.is_finite())
}

fn results(out: &mut String, record: &RunRecord) {
    out.push_str(
        "<h2>Results</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"results\">\n<table>\n<tr><th>benchmark</th><th>engine</th><th>device</th><th class=\"n\">time</th>\
         <th class=\"n\">throughput</th><th class=\"n\">peak memory</th><th class=\"n\">launches × samples</th></tr>\n",
    );
    for case in &record.cases {
        let Some(time) = headline(case) else { continue };
        let of = |name: &str| {
            case.metric(name).map(|metric| units::value(metric.median, &metric.unit)).unwrap_or_default()
        };
        let throughput: Vec<String> =
            case.rates().map(|metric| units::value(metric.median, &metric.unit)).collect();
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{} × {}</td></tr>",
            xml(&case.label()),
            case.plugin.kind,
            xml(&record.device_label(case)),
            xml(&units::value_with_interval(time.median, time.interval, &time.unit)),
            xml(&throughput.join(", ")),
            xml(&of("peak_memory")),
            time.launches,
            time.samples / time.launches.max(1)
        );
    }
    out.push_str("</table>\n</div>\n");
    own_metrics(out, record);
}

/// What only some benchmarks measure.
fn own_metrics(out: &mut String, record: &RunRecord) {
    let mut rows = String::new();
    for case in &record.cases {
        for metric in case.own_metrics() {
            let _ = writeln!(
                rows,
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
                xml(&case.label()),
                xml(&metric.name),
                xml(&units::value_with_interval(metric.median, metric.interval, &metric.unit))
            );
        }
    }
    if !rows.is_empty() {
        let _ = write!(
            out,
            "<h3>Other metrics</h3>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"other metrics\">\n<table>\n\
             <tr><th>case</th><th>metric</th><th class=\"n\">median</th></tr>\n{rows}</table>\n</div>\n"
        );
    }
}

/// A dot for every sample, a row for every launch, so that differences between launches stand out.
fn launches(out: &mut String, case: &CaseRecord) {
    let Some(time) = timed(case) else { return };
    let most = (DOTS / case.launches.len().max(1)).clamp(2, 200);
    let rows: Vec<Vec<f64>> = case
        .launches
        .iter()
        .take(DOTS / 2)
        .map(|launch| values(launch, most))
        .filter(|row| !row.is_empty())
        .collect();
    let all = || rows.iter().flatten().copied();
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    if rows.is_empty() || !low.is_finite() || !high.is_finite() {
        return;
    }
    let span = (high - low).max(low.abs() * 1e-6).max(f64::MIN_POSITIVE);
    let x = |value: f64| MARGIN + (value - low) / span * (WIDTH - 2.0 * MARGIN);
    let height = HEIGHT.max(24.0 + 12.0 * rows.len() as f64);
    let _ = write!(
        out,
        "<h2>{}</h2>\n<svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         aria-label=\"times of all samples, a row for each launch\">\n",
        xml(&case.label())
    );
    if let Some(interval) = time.interval.filter(|it| it.low.is_finite() && it.high.is_finite()) {
        let (from, to) = (x(interval.low.clamp(low, high)), x(interval.high.clamp(low, high)));
        let _ = writeln!(
            out,
            "<rect x=\"{from:.1}\" y=\"4\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#4c8dd6\" opacity=\".22\"/>",
            (to - from).max(1.0),
            height - 24.0
        );
    }
    let step = (height - 30.0) / rows.len() as f64;
    for (row, number) in rows.iter().zip(0u32..) {
        let y = 8.0 + step * (f64::from(number) + 0.5);
        row_of_dots(out, row, x, y, step.min(10.0));
    }
    let _ = write!(
        out,
        "<text x=\"{MARGIN}\" y=\"{bottom}\">{}</text><text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">{}</text>\n</svg>\n",
        xml(&units::value(low, "ns")),
        WIDTH - MARGIN,
        xml(&units::value(high, "ns")),
        bottom = height - 6.0
    );
    out.push_str(
        "<p class=\"note\">A dot is a sample, a row a launch, a bar its median; shaded is the interval of the result.</p>\n",
    );
    if case.launches.iter().any(|launch| launch.samples_taken.is_some()) {
        out.push_str(
            "<p class=\"note\">Old samples were thinned. The result was computed from all samples that were taken.</p>\n",
        );
    }
}

/// A launch: a dot for each value at `y`, and a bar of this height at their median.
fn row_of_dots(out: &mut String, row: &[f64], x: impl Fn(f64) -> f64, y: f64, bar: f64) {
    for value in row {
        let _ = write!(
            out,
            "<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"2\" fill=\"#4c8dd6\" opacity=\".45\"/>",
            x(*value)
        );
    }
    if let Some(median) = stats::median(row) {
        let at = x(median);
        let _ = writeln!(
            out,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#c2571a\" stroke-width=\"2\"/>",
            y - bar / 2.0,
            y + bar / 2.0
        );
    }
}

/// Times of one iteration [ns], thinned evenly to the maximum number of dots.
fn values(launch: &LaunchRecord, most: usize) -> Vec<f64> {
    let step = launch.samples.len().div_ceil(most).max(1);
    launch.samples.iter().step_by(step).map(Sample::ns_per_iteration).collect()
}

fn failures(out: &mut String, record: &RunRecord) {
    let mut rows = String::new();
    for case in &record.cases {
        let Some(said) = Outcome::of(&case.status).sentence() else { continue };
        let class = if case.status.is_failure() { " class=\"bad\"" } else { "" };
        let _ = writeln!(rows, "<li{class}><b>{}</b>: {}</li>", xml(&case.label()), xml(&said));
    }
    if !rows.is_empty() {
        let _ = write!(out, "<h2>Without a result</h2>\n<ul>\n{rows}</ul>\n");
    }
}

#[cfg(test)]
mod tests {
    use dyno_core::model::{CaseStatus, SkipCause};

    use super::*;

    fn record() -> RunRecord {
        serde_json::from_str(include_str!("testdata/record.json")).expect("the test's own record is valid")
    }

    #[test]
    fn a_page_needs_nothing_else() {
        let page = html(&record());
        assert!(page.contains("<svg") && page.contains("<circle") && page.ends_with("</html>\n"));
        for outside in ["http://", "https://", "<script", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn what_a_plugin_says_is_text() {
        let mut record = record();
        record.cases[0].benchmark = "<script>alert(1)</script>\"&".to_owned();
        record.cases[0].status = CaseStatus::skipped(SkipCause::Plugin, "<img onerror=x>");
        let page = html(&record);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    }
}
