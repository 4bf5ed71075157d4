//! A run as JUnit XML: a test case per case, failed or skipped as the case was.

use std::fmt::Write;

use dyno_core::model::{CaseStatus, RunRecord};

use super::escape::xml;

/// A run without a comparison: what failed, and why.
#[must_use]
pub fn run_junit(record: &RunRecord) -> String {
    let (mut rows, mut failures, mut skipped) = (String::new(), 0, 0);
    for (case, name) in record.cases.iter().zip(record.series()) {
        let seconds: f64 = case
            .launches
            .iter()
            .flat_map(|launch| &launch.samples)
            .map(|sample| sample.wall_ns as f64 / 1e9)
            .sum();
        let _ = write!(
            rows,
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{seconds:.6}\"",
            xml(&case.plugin.id),
            xml(&name)
        );
        match &case.status {
            CaseStatus::Failed { stage, reason } => {
                failures += 1;
                let said = xml(&format!("failed in stage {stage}: {reason}"));
                let _ = writeln!(rows, "><failure message=\"{said}\"/></testcase>");
            }
            CaseStatus::TimedOut { stage, limit_s, .. } => {
                failures += 1;
                let _ = writeln!(
                    rows,
                    "><failure message=\"timed out in stage {stage} after {limit_s} s\"/></testcase>"
                );
            }
            CaseStatus::Completed => rows.push_str("/>\n"),
            CaseStatus::Skipped { reason } => {
                skipped += 1;
                let _ = writeln!(rows, "><skipped message=\"{}\"/></testcase>", xml(reason));
            }
            other => {
                skipped += 1;
                let _ = writeln!(rows, "><skipped message=\"{}\"/></testcase>", other.word());
            }
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"dyno\" tests=\"{}\" failures=\"{failures}\" skipped=\"{skipped}\">\n{rows}</testsuite>\n",
        record.cases.len()
    )
}
