//! A comparison as CSV (RFC 4180): one row per case and metric.

use dyno_core::model::Comparison;

use crate::export::csv::row;

const COLUMNS: [&str; 14] = [
    "case",
    "metric",
    "unit",
    "better",
    "verdict",
    "baseline",
    "candidate",
    "effect",
    "low",
    "high",
    "confidence",
    "p_value",
    "detectable",
    "remark",
];

/// Every metric of every case; changes are relative: 0.05 is five per cent more.
#[must_use]
pub fn comparison_csv(comparison: &Comparison) -> String {
    let mut out = String::new();
    row(&mut out, COLUMNS.into_iter().map(str::to_owned));
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for case in &comparison.cases {
        for metric in &case.metrics {
            let columns = [
                case.label.clone(),
                metric.name.clone(),
                metric.unit.clone(),
                format!("{:?}", metric.better).to_lowercase(),
                metric.verdict.word().to_owned(),
                metric.baseline.to_string(),
                metric.candidate.to_string(),
                number(metric.effect),
                number(metric.interval.map(|interval| interval.low)),
                number(metric.interval.map(|interval| interval.high)),
                number(metric.interval.map(|interval| interval.confidence)),
                number(metric.p_value),
                number(metric.detectable),
                metric.remark.clone().unwrap_or_default(),
            ];
            row(&mut out, columns.into_iter());
        }
    }
    out
}
