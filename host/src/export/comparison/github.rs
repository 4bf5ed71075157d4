//! A comparison as workflow commands, which GitHub Actions shows as annotations.

use dyno_core::{
    model::{Comparison, Verdict},
    text::shown,
};

use super::{FAILED, NOT_JUDGED, effect, totals, unjudged, worst_first};
use crate::export::github::{Annotation, Level, commands};

/// An error per regression, a notice per improvement, a warning per metric or case that could not be judged.
pub(in crate::export) fn github(comparison: &Comparison) -> String {
    let metrics = worst_first(comparison).into_iter().filter_map(|(case, metric)| {
        let level = match metric.verdict {
            Verdict::Regressed => Level::Error,
            Verdict::Improved => Level::Notice,
            Verdict::Inconclusive => Level::Warning,
            Verdict::Equivalent => return None,
        };
        let remark = metric.remark.as_ref().map(|remark| format!("; {remark}")).unwrap_or_default();
        Some(Annotation {
            level,
            title: metric.verdict.word().to_owned(),
            message: format!(
                "{} {} {}: {}{remark}",
                shown(&case.label),
                shown(&metric.name),
                metric.verdict,
                effect(metric)
            ),
        })
    });
    let cases = unjudged(comparison).map(|(case, failed)| Annotation {
        level: if failed { Level::Error } else { Level::Warning },
        title: if failed { FAILED } else { NOT_JUDGED }.to_owned(),
        message: format!("{}: {}", shown(&case.label), case.why),
    });
    let removed = comparison.removed.iter().map(|label| Annotation {
        level: Level::Warning,
        title: "removed".to_owned(),
        message: format!("the candidate has no result for {label}"),
    });
    // Failures come before regressions: they may hide more of them.
    let annotations: Vec<Annotation> = cases.chain(metrics).chain(removed).collect();
    commands(&annotations, &totals(comparison))
}
