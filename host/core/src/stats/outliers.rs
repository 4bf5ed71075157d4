//! Tukey's fences (Tukey 1977, Exploratory Data Analysis): outliers are counted and reported, never removed.

use super::quantile;
use crate::model::Outliers;

/// Counts the values outside the fences. `sorted` is in ascending order.
#[must_use]
pub fn count_outliers(sorted: &[f64]) -> Outliers {
    let (Some(first), Some(third)) = (quantile(sorted, 0.25), quantile(sorted, 0.75)) else {
        return Outliers::default();
    };
    let range = third - first;
    let mut out = Outliers::default();
    for value in sorted {
        if *value < first - 3.0 * range {
            out.low_severe += 1;
        } else if *value < first - 1.5 * range {
            out.low_mild += 1;
        } else if *value > third + 3.0 * range {
            out.high_severe += 1;
        } else if *value > third + 1.5 * range {
            out.high_mild += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fence_has_its_count() {
        // Quartiles of 0..=100 are 25 and 75: fences at -125, -50, 150, 225.
        let mut values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(count_outliers(&values), Outliers::default());
        values.extend([1000.0, 160.0]);
        values.extend([-1000.0, -1001.0, -80.0]);
        values.sort_by(f64::total_cmp);
        let found = count_outliers(&values);
        assert_eq!(found, Outliers { low_severe: 2, low_mild: 1, high_mild: 1, high_severe: 1 });
        assert_eq!(count_outliers(&[]), Outliers::default());
    }
}
