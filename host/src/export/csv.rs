//! CSV (RFC 4180): one row per case and metric, or one per sample.

use std::borrow::Cow;

use dyno_core::{
    model::{Better, CaseRecord, MetricSummary, RunRecord},
    text::visible,
};

use super::{number::number, outcome::Outcome};

/// Columns that say which case a row belongs to.
const CASE: &str = "run,case,benchmark,plugin,version,kind,device,params,status";
const METRIC: &str =
    "metric,unit,better,median,low,high,mean,std_dev,mad,min,p50,p90,p95,p99,p99.9,max,launches,samples";
const SAMPLE: &str =
    "launch,sample,iterations,wall_ns,cpu_ns,device_ns,items,bytes,flop,checksum,preemptions";
/// Why a case has no result.
const REASON: &str = "reason";
/// Number of samples that a launch had before they were thinned. A later addition, and so behind everything else.
const TAKEN: &str = "samples_taken";
const PERCENTILES: [f64; 5] = [50.0, 90.0, 95.0, 99.0, 99.9];

/// One field of a row. Text and numbers are told apart by type: only text is ever guarded against formulas, and only
/// numbers may begin with a sign.
#[derive(Debug, Clone)]
pub(super) enum Field<'a> {
    /// Text, possibly untrusted.
    Text(Cow<'a, str>),
    /// A number; empty where there is none.
    Number(Option<f64>),
    /// A count.
    Whole(u64),
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Field<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<f64> for Field<'_> {
    fn from(value: f64) -> Self {
        Self::Number(Some(value))
    }
}

impl From<Option<f64>> for Field<'_> {
    fn from(value: Option<f64>) -> Self {
        Self::Number(value)
    }
}

impl From<u64> for Field<'_> {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<u32> for Field<'_> {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

/// Which direction is good, as a word.
pub(super) fn better(better: Better) -> &'static str {
    match better {
        Better::Lower => "lower",
        Better::Higher => "higher",
    }
}

pub(super) fn row<'a>(out: &mut String, fields: impl IntoIterator<Item = Field<'a>>) {
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        match field {
            Field::Text(text) => out.push_str(&quoted(&text)),
            Field::Number(value) => out.push_str(&value.and_then(number).unwrap_or_default()),
            Field::Whole(value) => out.push_str(&value.to_string()),
        }
    }
    out.push_str("\r\n");
}

/// Text as a field: on one line, and with a quote in front where a spreadsheet would take it for a formula.
fn quoted(text: &str) -> String {
    // The wide forms are formulas to spreadsheets of East Asia.
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let mut safe: String = text.chars().map(visible).collect();
    // Two colons would begin a command where the log of a workflow shows the table.
    let start = safe.trim_start();
    if start.starts_with(FORMULA) || start.starts_with("::") || text.starts_with(['\t', '\r']) {
        safe.insert(0, '\'');
    }
    // Some spreadsheets part fields at a semicolon.
    if safe.contains([',', ';', '"']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

/// A run as a table of metrics. A case without results has one row with empty metric columns and the reason.
pub(super) fn csv(record: &RunRecord) -> String {
    let mut out = format!("{CASE},{METRIC},{REASON}\r\n");
    for case in &record.cases {
        let reason = || Field::from(Outcome::of(&case.status).sentence().unwrap_or_default());
        if case.metrics.is_empty() {
            row(&mut out, which(record, case).into_iter().chain(empty(METRIC)).chain([reason()]));
        }
        for metric in &case.metrics {
            row(&mut out, which(record, case).into_iter().chain(summary(metric)).chain([reason()]));
        }
    }
    out
}

/// A run as a table of samples, whose figures are for the whole sample, not per iteration. A case without samples has one
/// row with the reason.
pub(super) fn samples_csv(record: &RunRecord) -> String {
    let mut out = format!("{CASE},{SAMPLE},{REASON},{TAKEN}\r\n");
    for case in &record.cases {
        let reason = || Field::from(Outcome::of(&case.status).sentence().unwrap_or_default());
        if case.launches.iter().all(|launch| launch.samples.is_empty()) {
            row(
                &mut out,
                which(record, case).into_iter().chain(empty(SAMPLE)).chain([reason(), Field::Number(None)]),
            );
        }
        for launch in &case.launches {
            for (number, sample) in (0u64..).zip(&launch.samples) {
                let columns: [Field<'_>; 11] = [
                    launch.index.into(),
                    number.into(),
                    sample.iterations.into(),
                    sample.wall_ns.into(),
                    sample.cpu_ns.into(),
                    sample.device_ns.into(),
                    sample.work.items.into(),
                    sample.work.bytes.into(),
                    sample.work.flop.into(),
                    sample.checksum.into(),
                    sample.preemptions.into(),
                ];
                let taken = Field::Number(launch.samples_taken.map(f64::from));
                row(&mut out, which(record, case).into_iter().chain(columns).chain([reason(), taken]));
            }
        }
    }
    out
}

fn empty(columns: &str) -> impl Iterator<Item = Field<'_>> {
    columns.split(',').map(|_| Field::Number(None))
}

fn which<'a>(record: &'a RunRecord, case: &'a CaseRecord) -> [Field<'a>; 9] {
    let params: Vec<String> = case.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    [
        record.id.as_str().into(),
        case.index.into(),
        case.benchmark.as_str().into(),
        case.plugin.id.as_str().into(),
        case.plugin.version.as_str().into(),
        case.plugin.kind.to_string().into(),
        case.device.as_str().into(),
        params.join(" ").into(),
        case.status.word().into(),
    ]
}

fn summary(metric: &MetricSummary) -> Vec<Field<'_>> {
    let percentile = |p: f64| {
        let found = metric.percentiles.iter().find(|percentile| (percentile.p - p).abs() < 1e-9);
        Field::Number(found.map(|percentile| percentile.value))
    };
    let mut columns: Vec<Field<'_>> = vec![
        metric.name.as_str().into(),
        metric.unit.as_str().into(),
        better(metric.better).into(),
        metric.median.into(),
        metric.interval.map(|interval| interval.low).into(),
        metric.interval.map(|interval| interval.high).into(),
        metric.mean.into(),
        metric.std_dev.into(),
        metric.mad.into(),
        metric.min.into(),
    ];
    columns.extend(PERCENTILES.map(percentile));
    columns.extend([metric.max.into(), metric.launches.into(), metric.samples.into()]);
    columns
}
