//! CSV (RFC 4180): one row per case and metric.

use dyno_core::model::{MetricSummary, RunRecord};

const HEAD: &str = "run,case,benchmark,plugin,version,kind,device,params,status,metric,unit,better,median,low,high,mean,std_dev,min,max,launches,samples\r\n";

/// A run as a table. Cases without results have one row with empty metric columns.
#[must_use]
pub fn csv(record: &RunRecord) -> String {
    let mut out = HEAD.to_owned();
    for case in &record.cases {
        let params: Vec<String> = case.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let head = [
            record.id.clone(),
            case.index.to_string(),
            case.benchmark.clone(),
            case.plugin.id.clone(),
            case.plugin.version.clone(),
            case.plugin.kind.to_string(),
            case.device.clone(),
            params.join(" "),
            case.status.word().to_owned(),
        ];
        if case.metrics.is_empty() {
            row(&mut out, head.iter().cloned().chain(vec![String::new(); 12]));
        }
        for metric in &case.metrics {
            row(&mut out, head.iter().cloned().chain(columns(metric)));
        }
    }
    out
}

fn columns(metric: &MetricSummary) -> [String; 12] {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        metric.name.clone(),
        metric.unit.clone(),
        format!("{:?}", metric.better).to_lowercase(),
        metric.median.to_string(),
        number(metric.interval.map(|interval| interval.low)),
        number(metric.interval.map(|interval| interval.high)),
        metric.mean.to_string(),
        number(metric.std_dev),
        metric.min.to_string(),
        metric.max.to_string(),
        metric.launches.to_string(),
        metric.samples.to_string(),
    ]
}

fn row(out: &mut String, fields: impl Iterator<Item = String>) {
    let fields: Vec<String> = fields.map(|field| quoted(&field)).collect();
    out.push_str(&fields.join(","));
    out.push_str("\r\n");
}

/// A spreadsheet would run a field that begins like a formula: such fields get a quote in front.
fn quoted(field: &str) -> String {
    let is_number = field.parse::<f64>().is_ok();
    let safe = if !is_number && field.starts_with(['=', '+', '-', '@']) {
        format!("'{field}")
    } else {
        field.to_owned()
    };
    if safe.contains([',', '"', '\n', '\r']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}
