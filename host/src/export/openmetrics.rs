//! OpenMetrics 1.0 text: medians and the ends of their intervals, as gauges with the case in labels.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use dyno_core::model::{CaseKey, CaseRecord, MetricSummary, RunRecord};

/// A run as text that Prometheus can read from a file or a gateway.
#[must_use]
pub fn openmetrics(record: &RunRecord) -> String {
    let mut families: BTreeMap<String, Vec<(String, &MetricSummary)>> = BTreeMap::new();
    let mut seen: HashMap<CaseKey, u32> = HashMap::new();
    for case in &record.cases {
        let number = seen.entry(case.key()).and_modify(|number| *number += 1).or_insert(1);
        let labels = labels(record, case, *number);
        for metric in &case.metrics {
            // Two names of metrics may come to one name of a family: this label tells them apart.
            let labels = format!("{labels},metric=\"{}\"", escaped(&metric.name));
            families.entry(family(metric)).or_default().push((labels, metric));
        }
    }
    let mut out = String::new();
    for (family, rows) in families {
        let _ = writeln!(out, "# TYPE {family} gauge");
        for (labels, metric) in rows {
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

/// The whole key of a case. A record of an earlier version may have a case twice: then with its number.
fn labels(record: &RunRecord, case: &CaseRecord, number: u32) -> String {
    let params = case.key().params();
    let number = if number > 1 { format!(",number=\"{number}\"") } else { String::new() };
    let labels = [
        ("benchmark", case.benchmark.as_str()),
        ("plugin", &case.plugin.id),
        ("version", &case.plugin.version),
        ("engine", &case.plugin.kind.to_string()),
        ("device", &case.device),
        ("params", &params),
        ("run", &record.id),
    ]
    .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
    .join(",");
    labels + &number
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
