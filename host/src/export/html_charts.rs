//! The report for people with the charts of the dashboard: one file that opens without a server, and asks nobody for anything.

use std::fmt::Write;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use dyno_core::{
    model::{Better, CaseKey, CaseRecord, Distribution, Interval, RunRecord, Sample},
    text,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    escape::xml,
    html::{CHARTS, STYLE, body, html, page, timed, title},
};

/// How finely the samples of a case are described: hundreds of cases must fit into a file that opens at once.
const POINTS: u32 = 51;
const COLUMNS: u32 = 200;
const LAUNCHES: usize = 20;

/// A case, as `report.js` reads it.
#[derive(Debug, Serialize)]
struct Charted<'a> {
    index: u32,
    key: CaseKey,
    metric: &'a str,
    unit: &'a str,
    better: Better,
    newest: Newest,
    distribution: Distribution,
}

#[derive(Debug, Serialize)]
struct Newest {
    median: f64,
    interval: Option<Interval>,
}

/// The report of a run with charts that answer to the pointer. Without the dashboard's libraries, the report with still ones.
#[must_use]
pub fn html_with_charts(record: &RunRecord) -> String {
    let Some(kit) = dyno_dashboard::report_kit() else { return html(record) };
    let cases: Vec<Charted> = record.cases.iter().take(CHARTS).filter_map(charted).collect();
    // Whatever the names contain, no markup begins in them.
    let data = text::json(&serde_json::to_string(&cases).unwrap_or_default()).replace('<', "\\u003c");
    let policy = format!(
        "default-src 'none'; style-src {} {}; script-src data: {} {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(&kit.style),
        hash(&kit.import_map),
        hash(&kit.entry)
    );
    let head = format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<style>{}</style>\n\
         <script type=\"importmap\">{}</script>\n",
        kit.style, kit.import_map
    );
    let overall = "<div id=\"relations\"></div>\n<noscript><p class=\"note\">The charts need JavaScript.</p></noscript>\n";
    let place = |out: &mut String, case: &CaseRecord| {
        if cases.iter().any(|it| it.index == case.index) {
            let (label, index) = (xml(&case.label()), case.index);
            let _ = writeln!(
                out,
                "<h2 id=\"case-{index}\">{label}</h2>\n<div class=\"chart\" data-case=\"{index}\"></div>"
            );
        }
    };
    let mut body = body(record, overall, place);
    let _ = write!(
        body,
        "<script type=\"application/json\" id=\"cases\">{data}</script>\n<script type=\"module\">{}</script>\n",
        kit.entry
    );
    page(title(record), &head, &body)
}

fn charted(case: &CaseRecord) -> Option<Charted<'_>> {
    let metric = timed(case)?;
    let values = |samples: &[Sample]| samples.iter().map(Sample::ns_per_iteration).collect();
    let launches: Vec<(u32, Vec<f64>)> =
        (0..).zip(&case.launches).map(|(number, launch)| (number, values(&launch.samples))).collect();
    let mut distribution = Distribution::of(&launches, POINTS, COLUMNS);
    if distribution.samples == 0 {
        return None;
    }
    for (described, launch) in distribution.launches.iter_mut().zip(&case.launches) {
        described.samples_taken = launch.samples_taken;
    }
    distribution.launches.truncate(LAUNCHES);
    let quantiles = distribution.launches.iter_mut().flat_map(|launch| &mut launch.quantiles);
    let ends = distribution.columns.iter_mut().flat_map(|column| [&mut column.low, &mut column.high]);
    for value in quantiles.chain(&mut distribution.quantiles).chain(ends) {
        *value = rounded(*value);
    }
    Some(Charted {
        index: case.index,
        key: case.key(),
        metric: &metric.name,
        unit: &metric.unit,
        better: metric.better,
        newest: Newest { median: metric.median, interval: metric.interval },
        distribution,
    })
}

/// Six digits: a chart shows no more, and the file would be twice as large.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// A source by its content, for a policy.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RunRecord {
        serde_json::from_str(include_str!("testdata/record.json")).expect("the test's own record is valid")
    }

    #[test]
    fn a_file_brings_its_charts_along_and_asks_nobody() {
        let file = html_with_charts(&record());
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!file.contains(outside), "{outside}");
        }
        if dyno_dashboard::is_complete() {
            assert!(file.contains("data-case=\"0\"") && !file.contains("<circle"), "{file}");
        } else {
            assert_eq!(file, html(&record()));
        }
    }

    #[test]
    fn data_cannot_leave_its_element() {
        let mut record = record();
        record.cases[0].benchmark = "</script><script>alert(1)</script><!--".to_owned();
        let file = html_with_charts(&record);
        assert!(!file.contains("<script>") && !file.contains("<!--"), "{file}");
    }
}
