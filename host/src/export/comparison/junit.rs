//! A comparison as JUnit XML, which test reports of CI systems read.

use std::fmt::Write;

use dyno_core::model::{Comparison, Verdict};

use super::effect;
use crate::export::escape::xml;

/// JUnit XML: a test case per metric.
#[must_use]
pub fn junit(comparison: &Comparison) -> String {
    let (mut rows, mut tests) = (String::new(), 0);
    for (case, name) in comparison.cases.iter().zip(comparison.series()) {
        for metric in &case.metrics {
            tests += 1;
            let _ = write!(rows, "  <testcase classname=\"{}\" name=\"{}\"", xml(&name), xml(&metric.name));
            let said = format!("{}; {}", effect(metric), metric.remark.as_deref().unwrap_or_default());
            match metric.verdict {
                Verdict::Regressed => {
                    let _ = writeln!(rows, "><failure message=\"{}\"/></testcase>", xml(&said));
                }
                Verdict::Inconclusive => {
                    let _ = writeln!(rows, "><skipped message=\"{}\"/></testcase>", xml(&said));
                }
                Verdict::Improved | Verdict::Equivalent => rows.push_str("/>\n"),
            }
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"dyno\" tests=\"{tests}\" failures=\"{}\" skipped=\"{}\">\n{rows}</testsuite>\n",
        comparison.count(Verdict::Regressed),
        comparison.count(Verdict::Inconclusive)
    )
}
