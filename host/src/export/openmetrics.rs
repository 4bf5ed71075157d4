//! OpenMetrics 1.0 text: medians and the ends of their intervals, as gauges with the case in labels, and how each case
//! ended.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write,
};

use dyno_core::{
    model::{CaseRecord, RunRecord},
    text::visible,
};

use super::{number::number, outcome::Outcome};

/// The family of how cases ended.
pub(super) const STATUS: &str = "dyno_case_status";

/// A document: families of series, each series once.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// By name: the type, and the lines.
    families: BTreeMap<String, (&'static str, String)>,
    known: HashSet<String>,
}

impl Document {
    /// Adds a value of a series; nothing where it is infinite or not a number. A series that is there already gets a label
    /// `repeat`, for a document with a series twice is refused as a whole.
    pub(super) fn add(
        &mut self,
        family: &str,
        kind: &'static str,
        labels: &[(&'static str, &str)],
        value: f64,
    ) {
        let Some(value) = number(value) else { return };
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = labels.join(",");
        let mut series = format!("{family}{{{labels}}}");
        let mut repeat = 2;
        while !self.known.insert(series.clone()) {
            series = format!("{family}{{{labels},repeat=\"{repeat}\"}}");
            repeat += 1;
        }
        let (_, lines) = self.families.entry(family.to_owned()).or_insert((kind, String::new()));
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{series} {value}");
    }

    pub(super) fn render(&self) -> String {
        let mut out = String::new();
        for (family, (kind, lines)) in &self.families {
            let _ = write!(out, "# TYPE {family} {kind}\n{lines}");
        }
        out + "# EOF\n"
    }
}

/// A run as text that Prometheus can read from a file or a gateway.
pub(super) fn openmetrics(record: &RunRecord) -> String {
    let mut document = Document::default();
    for case in &record.cases {
        let (kind, params) = (case.plugin.kind.to_string(), case.key().params());
        let labels = |last: (&'static str, &'static str)| {
            let mut labels =
                vec![("benchmark", case.benchmark.as_str()), ("plugin", case.plugin.id.as_str())];
            // Otherwise a series continues from version to version.
            if has_other_version(record, case) {
                labels.push(("version", &case.plugin.version));
            }
            labels.extend([("engine", kind.as_str()), ("device", &case.device), ("params", &params)]);
            labels.extend([("run", record.id.as_str()), last]);
            labels
        };
        for metric in &case.metrics {
            let family = family(&metric.name, &metric.unit);
            document.add(&family, "gauge", &labels(("stat", "median")), metric.median);
            if let Some(interval) = metric.interval {
                document.add(&family, "gauge", &labels(("stat", "low")), interval.low);
                document.add(&family, "gauge", &labels(("stat", "high")), interval.high);
            }
        }
        let outcome = Outcome::of(&case.status);
        for (word, is_it) in [
            ("completed", outcome == Outcome::Good),
            ("failed", matches!(outcome, Outcome::Failed(_))),
            ("skipped", matches!(outcome, Outcome::Skipped(_))),
        ] {
            document.add(STATUS, "stateset", &labels((STATUS, word)), f64::from(u8::from(is_it)));
        }
    }
    document.render()
}

/// Whether the run has the plugin of a case in several versions.
fn has_other_version(record: &RunRecord, case: &CaseRecord) -> bool {
    let plugin = &case.plugin;
    record.cases.iter().any(|it| it.plugin.id == plugin.id && it.plugin.version != plugin.version)
}

/// Name of a family: letters, digits and underscores, with the unit of a time in it.
fn family(name: &str, unit: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let unit = match unit {
        "ns" => "_nanoseconds",
        "bytes" => "_bytes",
        _ => "",
    };
    let family = format!("dyno_{name}{unit}");
    if family == STATUS { format!("dyno_metric_{name}{unit}") } else { family }
}

/// The value of a label: on one line, without what is never shown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(visible(c)),
        }
    }
    out
}
