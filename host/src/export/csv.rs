//! CSV (RFC 4180): one row per case and metric, or one per sample.

use dyno_core::model::{CaseRecord, MetricSummary, RunRecord};

/// Columns that say which case a row belongs to.
const CASE: &str = "run,case,benchmark,plugin,version,kind,device,params,status";
const METRIC: &str =
    "metric,unit,better,median,low,high,mean,std_dev,mad,min,p50,p90,p95,p99,p99.9,max,launches,samples";
const SAMPLE: &str =
    "launch,sample,iterations,wall_ns,cpu_ns,device_ns,items,bytes,flop,checksum,preemptions";
const PERCENTILES: [f64; 5] = [50.0, 90.0, 95.0, 99.0, 99.9];

/// A run as a table of metrics. A case without results has one row with empty metric columns.
#[must_use]
pub fn csv(record: &RunRecord) -> String {
    let mut out = format!("{CASE},{METRIC}\r\n");
    let empty = vec![String::new(); METRIC.split(',').count()];
    for case in &record.cases {
        if case.metrics.is_empty() {
            row(&mut out, which(record, case).into_iter().chain(empty.clone()));
        }
        for metric in &case.metrics {
            row(&mut out, which(record, case).into_iter().chain(summary(metric)));
        }
    }
    out
}

/// A run as a table of samples, whose figures are for the whole sample, not per iteration.
#[must_use]
pub fn samples_csv(record: &RunRecord) -> String {
    let mut out = format!("{CASE},{SAMPLE}\r\n");
    for case in &record.cases {
        for launch in &case.launches {
            for (number, sample) in launch.samples.iter().enumerate() {
                let columns = [
                    launch.index.to_string(),
                    number.to_string(),
                    sample.iterations.to_string(),
                    sample.wall_ns.to_string(),
                    sample.cpu_ns.to_string(),
                    sample.device_ns.to_string(),
                    sample.work.items.to_string(),
                    sample.work.bytes.to_string(),
                    sample.work.flop.to_string(),
                    sample.checksum.to_string(),
                    sample.preemptions.to_string(),
                ];
                row(&mut out, which(record, case).into_iter().chain(columns));
            }
        }
    }
    out
}

fn which(record: &RunRecord, case: &CaseRecord) -> [String; 9] {
    let params: Vec<String> = case.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    [
        record.id.clone(),
        case.index.to_string(),
        case.benchmark.clone(),
        case.plugin.id.clone(),
        case.plugin.version.clone(),
        case.plugin.kind.to_string(),
        case.device.clone(),
        params.join(" "),
        case.status.word().to_owned(),
    ]
}

fn summary(metric: &MetricSummary) -> Vec<String> {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let percentile = |p: f64| {
        let found = metric.percentiles.iter().find(|percentile| (percentile.p - p).abs() < 1e-9);
        number(found.map(|percentile| percentile.value))
    };
    let mut columns = vec![
        metric.name.clone(),
        metric.unit.clone(),
        format!("{:?}", metric.better).to_lowercase(),
        metric.median.to_string(),
        number(metric.interval.map(|interval| interval.low)),
        number(metric.interval.map(|interval| interval.high)),
        metric.mean.to_string(),
        number(metric.std_dev),
        metric.mad.to_string(),
        metric.min.to_string(),
    ];
    columns.extend(PERCENTILES.map(percentile));
    columns.extend([metric.max.to_string(), metric.launches.to_string(), metric.samples.to_string()]);
    columns
}

pub(super) fn row(out: &mut String, fields: impl Iterator<Item = String>) {
    let fields: Vec<String> = fields.map(|field| quoted(&field)).collect();
    out.push_str(&fields.join(","));
    out.push_str("\r\n");
}

/// A spreadsheet would run a field that begins like a formula: such fields get a quote in front.
fn quoted(field: &str) -> String {
    let is_number = field.parse::<f64>().is_ok();
    let safe = if !is_number && field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{field}")
    } else {
        field.to_owned()
    };
    if safe.contains([',', '"', '\n', '\r']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}
