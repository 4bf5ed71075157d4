//! A/A: a build compared with itself, repeatedly. Every alarm is a false one, and the spread is noise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseComparison, Unjudged, Verdict};
use crate::stats::{median, quantile, sequential::estimate, upper_bound};

/// Result of comparisons of equal builds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AaReport {
    /// The build.
    pub build: String,
    /// Threshold of the comparisons.
    pub threshold: f64,
    /// One entry per case.
    pub cases: Vec<AaCase>,
}

/// One case of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AaCase {
    /// Benchmark, parameters, engine and device.
    pub label: String,
    /// Comparisons made.
    pub comparisons: u32,
    /// How many said `regressed` or `improved`.
    pub alarms: u32,
    /// How many said `equivalent`.
    pub equivalent: u32,
    /// Effect that each comparison ended with, relative.
    pub effects: Vec<f64>,
    /// Pairs over all comparisons.
    pub pairs: u32,
    /// Variance of the effects of pairs, which are logarithms of ratios, without the advantage of starting first.
    pub variance: f64,
    /// Wall time of all comparisons [ns].
    pub elapsed_ns: u64,
    /// Why it could not be compared; absent if it could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Unjudged>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

impl AaCase {
    /// Counts one more comparison in.
    pub fn add(&mut self, found: &CaseComparison) {
        let (Some(metric), Some(pairs)) = (found.metrics.first(), &found.pairs) else { return };
        self.comparisons += 1;
        match metric.verdict {
            Verdict::Regressed | Verdict::Improved => self.alarms += 1,
            Verdict::Equivalent => self.equivalent += 1,
            Verdict::Inconclusive => {}
        }
        self.effects.extend(metric.effect);
        for seen in [&pairs.effects, &pairs.unconfirmed].into_iter().filter_map(|pairs| estimate(pairs)) {
            let Some(variance) = seen.variance else { continue };
            let (before, more) = (f64::from(self.pairs), seen.pairs);
            self.variance = (self.variance * before + variance * more) / (before + more);
            self.pairs += more as u32;
        }
        self.elapsed_ns += pairs.elapsed_ns;
    }

    /// Notes that a comparison could not be made.
    pub fn could_not(&mut self, why: &Unjudged) {
        self.remark = Some(why.to_string());
        self.why = Some(why.clone());
    }

    /// The 99th percentile of the size of the effects, relative; absent without any.
    #[must_use]
    pub fn p99_effect(&self) -> Option<f64> {
        let mut sizes: Vec<f64> = self.effects.iter().map(|effect| effect.abs()).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        quantile(&sizes, 0.99)
    }

    /// Median of the size of the effects, relative.
    #[must_use]
    pub fn median_effect(&self) -> Option<f64> {
        median(&self.effects.iter().map(|effect| effect.abs()).collect::<Vec<_>>())
    }

    /// Upper bound of the alarm rate, at 95 %.
    #[must_use]
    pub fn bound(&self) -> f64 {
        upper_bound(u64::from(self.alarms), u64::from(self.comparisons), 0.95)
    }
}

impl AaReport {
    /// Whether a case failed, timed out, changed, or got no device.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.cases.iter().any(|case| case.why.as_ref().is_some_and(Unjudged::is_failure))
    }

    /// Comparisons, alarms, and the upper bound of the alarm rate at 95 %.
    #[must_use]
    pub fn totals(&self) -> (u32, u32, f64) {
        let comparisons = self.cases.iter().map(|case| case.comparisons).sum::<u32>();
        let alarms = self.cases.iter().map(|case| case.alarms).sum::<u32>();
        (comparisons, alarms, upper_bound(u64::from(alarms), u64::from(comparisons), 0.95))
    }
}
