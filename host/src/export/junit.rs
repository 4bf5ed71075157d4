//! JUnit XML, which test reports of CI systems read. A run has a test case per case, failed or skipped as the case was.

use std::fmt::Write;

use dyno_core::model::RunRecord;

use super::{escape::xml, outcome::Outcome};

#[derive(Debug)]
pub(super) struct TestCase {
    pub(super) class: String,
    pub(super) name: String,
    /// How long it took [s].
    pub(super) seconds: Option<f64>,
    pub(super) outcome: Outcome,
}

/// A suite of them as a document. Every text is escaped here and nowhere else.
pub(super) fn suite(cases: &[TestCase]) -> String {
    let (mut rows, mut failures, mut skipped) = (String::new(), 0, 0);
    for case in cases {
        // Writing to a string cannot fail, so what `write!` returns is dropped throughout.
        let _ = write!(rows, "  <testcase classname=\"{}\" name=\"{}\"", xml(&case.class), xml(&case.name));
        if let Some(seconds) = case.seconds.filter(|seconds| seconds.is_finite()) {
            let _ = write!(rows, " time=\"{seconds:.6}\"");
        }
        match &case.outcome {
            Outcome::Good => rows.push_str("/>\n"),
            Outcome::Failed(why) => {
                failures += 1;
                let _ = writeln!(rows, "><failure message=\"{}\"/></testcase>", xml(why));
            }
            Outcome::Skipped(why) => {
                skipped += 1;
                let _ = writeln!(rows, "><skipped message=\"{}\"/></testcase>", xml(why));
            }
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"dyno\" tests=\"{}\" failures=\"{failures}\" skipped=\"{skipped}\">\n{rows}</testsuite>\n",
        cases.len()
    )
}

/// A run without a comparison: what failed, and why.
pub(super) fn run_junit(record: &RunRecord) -> String {
    let cases: Vec<TestCase> = record
        .cases
        .iter()
        .zip(record.series())
        .map(|(case, name)| {
            let samples = case.launches.iter().flat_map(|launch| &launch.samples);
            TestCase {
                class: case.plugin.id.clone(),
                name,
                seconds: Some(samples.map(|sample| sample.wall_ns as f64 / 1e9).sum()),
                outcome: Outcome::of(&case.status),
            }
        })
        .collect();
    suite(&cases)
}
