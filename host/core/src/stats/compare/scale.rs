//! The arithmetic of a relative change, by which the values of two sides are compared.

use crate::model::{Better, Estimator};

/// By what the values of two sides are compared: one estimator, whose ratio is the change. All values have one sign; the
/// arithmetic is done on their sizes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) estimator: Estimator,
    negative: bool,
}

impl Scale {
    /// Geometric means, whose ratio Welch's test of logarithms is about; arithmetic ones where a value is zero. `None` where
    /// there are values on both sides of zero.
    pub(super) fn of(old: &[f64], new: &[f64]) -> Option<Self> {
        let all = || old.iter().chain(new).copied();
        let negative = all().any(|value| value < 0.0);
        if negative && all().any(|value| value > 0.0) {
            return None;
        }
        let estimator =
            if all().any(|value| value == 0.0) { Estimator::Mean } else { Estimator::GeometricMean };
        Some(Self { estimator, negative })
    }

    /// The middle of the values of a side.
    pub(super) fn middle(self, values: &[f64]) -> f64 {
        let sizes = values.iter().map(|value| value.abs());
        let n = values.len() as f64;
        let (least, most) =
            sizes.clone().fold((f64::MAX, 0.0f64), |(least, most), it| (it.min(least), it.max(most)));
        let middle = match self.estimator {
            Estimator::Mean => sizes.map(|size| size / n).sum::<f64>(),
            _ => (sizes.map(|size| size.ln() / n).sum::<f64>()).exp(),
        };
        // Rounding must not lead out of the values: with one of them it is that one.
        let middle = middle.clamp(least, most);
        if self.negative { -middle } else { middle }
    }

    /// The values as they are tested.
    pub(super) fn for_test(self, values: &[f64], baseline: f64) -> Vec<f64> {
        let by = baseline.abs();
        match self.estimator {
            Estimator::Mean => values.iter().map(|value| value.abs() / by).collect(),
            _ => values.iter().map(|value| value.abs().ln()).collect(),
        }
    }

    /// A difference of tested values as a relative change: never below -1, for sizes end at zero.
    pub(super) fn change(self, difference: f64) -> f64 {
        let change = match self.estimator {
            Estimator::Mean => difference,
            _ => difference.exp_m1(),
        };
        bounded(change).max(-1.0)
    }

    /// A relative change as a difference of tested values.
    pub(super) fn difference(self, change: f64) -> f64 {
        match self.estimator {
            Estimator::Mean => change,
            _ => change.ln_1p(),
        }
    }

    /// Which direction of sizes is good.
    pub(super) fn direction(self, better: Better) -> Better {
        match (self.negative, better) {
            (false, better) => better,
            (true, Better::Lower) => Better::Higher,
            (true, Better::Higher) => Better::Lower,
        }
    }
}

/// A number that JSON can hold.
pub(super) fn bounded(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-f64::MAX, f64::MAX) }
}
