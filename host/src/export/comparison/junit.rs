//! A comparison as JUnit XML, which test reports of CI systems read.

use dyno_core::model::{Comparison, Verdict};

use super::{FAILED, NOT_JUDGED, effect, unjudged};
use crate::export::{
    junit::{TestCase, suite},
    outcome::Outcome,
};

/// A test case per metric, and one per case that only one side has.
pub(in crate::export) fn junit(comparison: &Comparison) -> String {
    let mut cases = Vec::new();
    let mut add = |class: &str, name: &str, outcome| {
        cases.push(TestCase { class: class.to_owned(), name: name.to_owned(), seconds: None, outcome });
    };
    for (case, name) in comparison.cases.iter().zip(comparison.series()) {
        for metric in &case.metrics {
            let said = || {
                [Some(effect(metric)), metric.remark.clone()]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join("; ")
            };
            let outcome = match metric.verdict {
                Verdict::Regressed => Outcome::Failed(said()),
                Verdict::Inconclusive => Outcome::Skipped(said()),
                Verdict::Improved | Verdict::Equivalent => Outcome::Good,
            };
            add(&name, &metric.name, outcome);
        }
    }
    for (case, failed) in unjudged(comparison) {
        let why = case.why.to_string();
        let outcome = if failed { Outcome::Failed(why) } else { Outcome::Skipped(why) };
        add(&case.label, if failed { FAILED } else { NOT_JUDGED }, outcome);
    }
    for label in &comparison.added {
        add(label, "new", Outcome::Skipped("only the candidate has this case".to_owned()));
    }
    for label in &comparison.removed {
        add(label, "removed", Outcome::Skipped("the candidate has no result for this case".to_owned()));
    }
    suite(&cases)
}
