//! A comparison as CSV (RFC 4180): one row per case and metric, and one per case that could not be compared.

use dyno_core::model::Comparison;

use super::{FAILED, NOT_JUDGED, unjudged};
use crate::export::csv::{Field, better, row};

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

/// Every metric of every case; changes are relative: 0.05 is five per cent more. A case that only one side has is a row
/// with the verdict `new` or `removed`.
pub(in crate::export) fn csv(comparison: &Comparison) -> String {
    let mut out = String::new();
    row(&mut out, COLUMNS.map(Field::from));
    for case in &comparison.cases {
        for metric in &case.metrics {
            let columns: [Field<'_>; 14] = [
                case.label.as_str().into(),
                metric.name.as_str().into(),
                metric.unit.as_str().into(),
                better(metric.better).into(),
                metric.verdict.word().into(),
                metric.baseline.into(),
                metric.candidate.into(),
                metric.effect.into(),
                metric.interval.map(|interval| interval.low).into(),
                metric.interval.map(|interval| interval.high).into(),
                metric.interval.map(|interval| interval.confidence).into(),
                metric.p_value.into(),
                metric.detectable.into(),
                metric.remark.as_deref().unwrap_or_default().into(),
            ];
            row(&mut out, columns);
        }
    }
    for (case, failed) in unjudged(comparison) {
        let mut columns = COLUMNS.map(|_| Field::Number(None));
        columns[0] = case.label.as_str().into();
        columns[4] = if failed { FAILED } else { NOT_JUDGED }.into();
        columns[13] = case.why.to_string().into();
        row(&mut out, columns);
    }
    let alone = [("new", &comparison.added), ("removed", &comparison.removed)];
    for (word, labels) in alone {
        for label in labels {
            let mut columns = COLUMNS.map(|_| Field::Number(None));
            columns[0] = label.as_str().into();
            columns[4] = word.into();
            row(&mut out, columns);
        }
    }
    out
}
