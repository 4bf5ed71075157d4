//! The summary of one metric over the launches of a case.

use super::{SummaryOptions, count_outliers, interval_on_median, mad, median, quantile};
use crate::model::{Better, MetricSummary, Percentile};

/// Percentiles that are reported if the number of samples supports them.
const PERCENTILES: [f64; 5] = [50.0, 90.0, 95.0, 99.0, 99.9];
/// Minimum number of values beyond a percentile: with fewer, a few extremes decide it. (The rule by which
/// n · (1 − p) ≥ 5 makes the binomial count beyond the percentile roughly normal.)
const VALUES_BEYOND: f64 = 5.0;

/// Summarises the values of each launch. Values that are not finite are left out; `None` when nothing is left.
#[must_use]
pub fn summarise(
    name: &str,
    unit: &str,
    better: Better,
    launches: &[Vec<f64>],
    options: &SummaryOptions,
) -> Option<MetricSummary> {
    let launches: Vec<Vec<f64>> = launches
        .iter()
        .map(|launch| launch.iter().copied().filter(|value| value.is_finite()).collect::<Vec<f64>>())
        .filter(|launch| !launch.is_empty())
        .collect();
    let medians: Vec<f64> = launches.iter().filter_map(|launch| median(launch)).collect();
    let headline = median(&medians)?;
    let mut all: Vec<f64> = launches.concat();
    all.sort_unstable_by(f64::total_cmp);
    let within: Vec<f64> = launches.iter().filter_map(|launch| relative_std_dev(launch)).collect();
    let rsd_within = (!within.is_empty())
        .then(|| (within.iter().map(|rsd| rsd * rsd).sum::<f64>() / within.len() as f64).sqrt())
        .filter(|rsd| rsd.is_finite());
    Some(MetricSummary {
        name: name.to_owned(),
        unit: unit.to_owned(),
        better,
        launches: launches.len() as u32,
        samples: all.len() as u32,
        median: headline,
        interval: interval_on_median(&launches, options),
        mean: mean(&all),
        std_dev: std_dev(&all),
        mad: mad(&all).unwrap_or_default(),
        min: *all.first()?,
        max: *all.last()?,
        percentiles: PERCENTILES
            .into_iter()
            .filter(|p| *p <= 50.0 || all.len() as f64 * (1.0 - p / 100.0) >= VALUES_BEYOND - 1e-9)
            .filter_map(|p| quantile(&all, p / 100.0).map(|value| Percentile { p, value }))
            .collect(),
        rsd_within,
        rsd_between: relative_std_dev(&medians),
        outliers: count_outliers(&all),
        trend: None,
    })
}

/// Half the width of the interval relative to the headline: what the stop rule `precision` watches. `None` where there
/// is no interval, or no number for it.
#[must_use]
pub fn half_width_fraction(summary: &MetricSummary) -> Option<f64> {
    let interval = summary.interval?;
    Some(interval.half_width() / summary.median.abs()).filter(|share| share.is_finite())
}

/// Two passes: the second takes out what the first lost to rounding. Finite for any finite values.
fn mean(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let first = values.iter().map(|value| value / count).sum::<f64>();
    let first = first.clamp(f64::MIN, f64::MAX);
    let lost = values.iter().map(|value| (value - first) / count).sum::<f64>();
    if lost.is_finite() { (first + lost).clamp(f64::MIN, f64::MAX) } else { first }
}

fn std_dev(values: &[f64]) -> Option<f64> {
    let middle = mean(values);
    let squares = values.iter().map(|value| (value - middle).powi(2)).sum::<f64>();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt()).filter(|value| value.is_finite())
}

fn relative_std_dev(values: &[f64]) -> Option<f64> {
    let middle = mean(values);
    std_dev(values).map(|spread| spread / middle.abs()).filter(|share| share.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(launches: &[Vec<f64>]) -> Option<MetricSummary> {
        summarise("time", "ns", Better::Lower, launches, &SummaryOptions::default())
    }

    #[test]
    fn known_values() {
        // numpy: mean 5.0, std(ddof=1) 2.138089935299395 of [2, 4, 4, 4, 5, 5, 7, 9]
        let summary = of(&[vec![2.0, 4.0, 4.0, 4.0], vec![5.0, 5.0, 7.0, 9.0]]).unwrap();
        assert_eq!(summary.mean, 5.0);
        assert!((summary.std_dev.unwrap() - 2.138_089_935_299_395).abs() < 1e-12);
        assert_eq!((summary.median, summary.min, summary.max), (5.0, 2.0, 9.0));
        assert_eq!((summary.launches, summary.samples), (2, 8));
    }

    #[test]
    fn percentiles_appear_only_where_the_sample_size_carries_them() {
        let names = |count: u32| -> Vec<f64> {
            let values: Vec<f64> = (0..count).map(f64::from).collect();
            of(&[values]).unwrap().percentiles.iter().map(|percentile| percentile.p).collect()
        };
        assert_eq!(names(1), [50.0]);
        assert_eq!(names(50), [50.0, 90.0]);
        assert_eq!(names(100), [50.0, 90.0, 95.0]);
        assert_eq!(names(500), [50.0, 90.0, 95.0, 99.0]);
        assert_eq!(names(5000), PERCENTILES);
    }

    #[test]
    fn no_value_no_summary() {
        assert!(of(&[]).is_none());
        assert!(of(&[vec![], vec![f64::NAN, f64::INFINITY]]).is_none());
        assert_eq!(of(&[vec![f64::NAN, 1.0]]).unwrap().samples, 1);
    }

    /// Launches of ordinary numbers, and of those at the ends of the range, where sums and distances overflow.
    fn launches() -> impl Strategy<Value = Vec<Vec<f64>>> {
        let extreme = prop_oneof![
            Just(f64::MAX),
            Just(f64::MIN),
            Just(f64::MIN_POSITIVE),
            Just(5e-324),
            Just(-0.0),
            Just(1.0)
        ];
        prop_oneof![
            proptest::collection::vec(proptest::collection::vec(any::<f64>(), 0..20), 0..6),
            proptest::collection::vec(proptest::collection::vec(-1e6..1e6f64, 0..60), 0..6),
            proptest::collection::vec(proptest::collection::vec(extreme, 0..5), 0..5),
        ]
    }

    proptest! {
        #[test]
        fn any_numbers_give_a_finite_and_ordered_summary(data in launches()) {
            if let Some(summary) = of(&data) {
                prop_assert_eq!(summary.not_finite(), None);
                prop_assert!(summary.min <= summary.median && summary.median <= summary.max);
                prop_assert!(summary.percentiles.windows(2).all(|pair| pair[0].value <= pair[1].value));
                if let Some(interval) = summary.interval {
                    prop_assert!(interval.low <= summary.median && summary.median <= interval.high);
                }
                prop_assert!(summary.std_dev.is_none_or(f64::is_finite));
                prop_assert!(summary.rsd_within.is_none_or(f64::is_finite));
                prop_assert!(summary.rsd_between.is_none_or(f64::is_finite));
                prop_assert!(half_width_fraction(&summary).is_none_or(f64::is_finite));
            }
        }

        #[test]
        fn the_order_of_samples_does_not_matter(
            mut data in proptest::collection::vec(proptest::collection::vec(1.0..1e6f64, 1..20), 1..6),
        ) {
            let before = of(&data).unwrap();
            data.iter_mut().for_each(|launch| launch.reverse());
            let after = of(&data).unwrap();
            prop_assert_eq!(
                (before.median, before.interval, &before.percentiles),
                (after.median, after.interval, &after.percentiles)
            );
        }
    }
}
