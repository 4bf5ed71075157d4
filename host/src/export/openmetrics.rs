//! OpenMetrics 1.0 text: medians and the ends of their intervals, as gauges with the case in labels.

use std::{collections::BTreeMap, fmt::Write};

use dyno_core::model::{CaseRecord, MetricSummary, RunRecord};

/// A run as text that Prometheus can read from a file or a gateway.
#[must_use]
pub fn openmetrics(record: &RunRecord) -> String {
    let mut families: BTreeMap<String, Vec<(&CaseRecord, &MetricSummary)>> = BTreeMap::new();
    for case in &record.cases {
        for metric in &case.metrics {
            families.entry(family(metric)).or_default().push((case, metric));
        }
    }
    let mut out = String::new();
    for (family, rows) in families {
        let _ = writeln!(out, "# TYPE {family} gauge");
        for (case, metric) in rows {
            let labels = labels(record, case);
            let _ = writeln!(out, "{family}{{{labels},stat=\"median\"}} {}", metric.median);
            if let Some(interval) = metric.interval {
                let _ = writeln!(out, "{family}{{{labels},stat=\"low\"}} {}", interval.low);
                let _ = writeln!(out, "{family}{{{labels},stat=\"high\"}} {}", interval.high);
            }
        }
    }
    out.push_str("# EOF\n");
    out
}

/// Name of a family: letters, digits and underscores, with the unit of a time in it.
fn family(metric: &MetricSummary) -> String {
    let name: String = metric.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let unit = match metric.unit.as_str() {
        "ns" => "_nanoseconds",
        "bytes" => "_bytes",
        _ => "",
    };
    format!("dyno_{name}{unit}")
}

fn labels(record: &RunRecord, case: &CaseRecord) -> String {
    let params: Vec<String> = case.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    [
        ("benchmark", case.benchmark.as_str()),
        ("plugin", &case.plugin.id),
        ("engine", &case.plugin.kind.to_string()),
        ("device", &case.device),
        ("params", &params.join(" ")),
        ("run", &record.id),
    ]
    .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
    .join(",")
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
