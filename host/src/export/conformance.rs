//! What `dyno check` found, as JUnit XML.

use dyno_core::model::{CheckReport, CheckedFile, TestOutcome, TestResult};

use super::{
    junit::{TestCase, suite},
    outcome::Outcome,
};

/// A test case per test of the kit; with `strict`, notes are failures.
#[must_use]
pub fn check_junit(report: &CheckReport, strict: bool) -> String {
    let cases: Vec<TestCase> = report
        .files
        .iter()
        .flat_map(|file| file.tests.iter().map(move |result| test_case(file, result, strict)))
        .collect();
    suite(&cases)
}

fn test_case(file: &CheckedFile, result: &TestResult, strict: bool) -> TestCase {
    let plugin = file.plugin.as_ref().map_or(file.path.as_str(), |plugin| plugin.id.as_str());
    let about = [result.benchmark.as_deref(), result.device.as_deref()];
    let class: Vec<&str> = std::iter::once(plugin).chain(about.into_iter().flatten()).collect();
    let said = result.outcome.message().unwrap_or_default().to_owned();
    TestCase {
        class: class.join("."),
        name: format!("{}: {}", result.test.name(), result.test.promise()),
        seconds: Some(result.elapsed_s),
        outcome: match &result.outcome {
            outcome if outcome.is_failure(strict) => Outcome::Failed(said),
            TestOutcome::Skipped { .. } => Outcome::Skipped(said),
            _ => Outcome::Good,
        },
    }
}
