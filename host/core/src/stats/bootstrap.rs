//! The interval on the median: a hierarchical bootstrap over launches, then samples, widened for few launches.
//!
//! A plain percentile bootstrap over few launches is too narrow: it takes the spread of n launches for that of their
//! population, and a normal quantile where Student's is due. Both are corrected by the standard expansion (Hesterberg
//! 2015, "What teachers should know about the bootstrap", section 5.3): the interval is stretched about the headline
//! by `sqrt(n/(n-1)) · t(n-1)/z`.
//!
//! Coverage of a nominal 95 %, simulated (1,500 trials each, normal noise, 20 samples per launch, standard error 0.6 %):
//!
//! | launches | 3 | 5 | 7 | 10 | 30 |
//! |---|---|---|---|---|---|
//! | launches and samples differ by 1 % | 98 | 98 | 98 | 97 | 97 |
//! | only samples differ | 100 | 100 | 100 | 100 | 100 |
//!
//! Where samples hardly differ (0.1 %), or a launch has one value, it is 91 % with 3 launches, and 93 % or more from 5
//! on. Skewed launches, two kinds of launches and 5 % wild samples give the same, within the error of 400 trials. Where
//! samples differ more than launches it errs to the wide side: resampling within launches counts their noise twice.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::{median, order::quantile};
use crate::model::Interval;

/// How summaries are computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SummaryOptions {
    /// Coverage of intervals, between 0 and 1.
    pub confidence: f64,
    /// Bootstrap replicates.
    pub resamples: u32,
    /// Seed of the resampling: equal seeds and values give equal intervals.
    pub seed: u64,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        Self { confidence: 0.95, resamples: 1_000, seed: 0 }
    }
}

/// Values per launch that are resampled: more are thinned to evenly spaced order statistics, which describe a launch
/// as well and keep the cost of a summary bounded: about 1 ms per launch.
const MAX_VALUES: usize = 64;

/// The interval on the median over launches of the medians within launches; `None` with fewer than two launches.
#[must_use]
pub fn interval_on_median(launches: &[Vec<f64>], options: &SummaryOptions) -> Option<Interval> {
    let launches: Vec<Vec<f64>> =
        launches.iter().filter(|launch| !launch.is_empty()).map(|launch| thin(launch)).collect();
    let count = launches.len();
    if count < 2 {
        return None;
    }
    let medians: Vec<f64> = launches.iter().filter_map(|launch| median(launch)).collect();
    let centre = median(&medians)?;
    let mut random = Pcg64Mcg::seed_from_u64(options.seed);
    let mut replicates = Vec::with_capacity(options.resamples as usize);
    let (mut drawn, mut outer) = (Vec::with_capacity(MAX_VALUES), Vec::with_capacity(count));
    for _ in 0..options.resamples.max(100) {
        outer.clear();
        for _ in 0..count {
            let launch = &launches[random.random_range(0..count)];
            drawn.clear();
            drawn.extend((0..launch.len()).map(|_| launch[random.random_range(0..launch.len())]));
            drawn.sort_unstable_by(f64::total_cmp);
            outer.extend(quantile(&drawn, 0.5));
        }
        outer.sort_unstable_by(f64::total_cmp);
        replicates.extend(quantile(&outer, 0.5));
    }
    replicates.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - options.confidence) / 2.0;
    let stretch = expansion(count, tail);
    let low = quantile(&replicates, tail)?;
    let high = quantile(&replicates, 1.0 - tail)?;
    // No time and no rate is below zero: what never leaves one side of zero has its interval there.
    let all = || launches.iter().flatten();
    let least = if all().all(|value| *value >= 0.0) { 0.0 } else { f64::MIN };
    let most = if all().all(|value| *value <= 0.0) { 0.0 } else { f64::MAX };
    Some(Interval {
        low: (centre - (centre - low).max(0.0) * stretch).max(least),
        high: (centre + (high - centre).max(0.0) * stretch).min(most),
        confidence: options.confidence,
    })
}

/// How much wider the interval of `count` launches must be than the percentile bootstrap says.
fn expansion(count: usize, tail: f64) -> f64 {
    let n = count as f64;
    let normal = Normal::standard().inverse_cdf(1.0 - tail);
    let student = StudentsT::new(0.0, 1.0, n - 1.0).map_or(normal, |student| student.inverse_cdf(1.0 - tail));
    (n / (n - 1.0)).sqrt() * student / normal
}

fn thin(launch: &[f64]) -> Vec<f64> {
    let mut sorted = launch.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    if sorted.len() <= MAX_VALUES {
        return sorted;
    }
    (0..MAX_VALUES).filter_map(|i| quantile(&sorted, i as f64 / (MAX_VALUES - 1) as f64)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::Rng;

    use super::*;

    #[test]
    fn an_interval_stays_on_the_side_of_zero_on_which_its_values_are() {
        let of = |launches: &[f64]| {
            let launches: Vec<Vec<f64>> = launches.iter().map(|value| vec![*value]).collect();
            interval_on_median(&launches, &SummaryOptions::default()).unwrap()
        };
        let time = of(&[100.0, 2_400.0]);
        assert!(time.low == 0.0 && time.high > 2_400.0, "{time:?}");
        let negative = of(&[-100.0, -2_400.0]);
        assert!(negative.high == 0.0 && negative.low < -2_400.0, "{negative:?}");
        assert!(of(&[-1.0, 1.0]).low < -1.0, "what may be on both sides is not cut");
    }

    /// A standard normal number, by the central limit of twelve uniform ones.
    fn normal(random: &mut impl Rng) -> f64 {
        (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
    }

    /// Share of intervals that contain the truth when launches and samples within a launch differ by so much [%].
    fn coverage(launches: usize, between: f64, within: f64) -> f64 {
        let mut random = Pcg64Mcg::seed_from_u64(7);
        let options = SummaryOptions { resamples: 300, ..SummaryOptions::default() };
        let trials = 600;
        let hits = (0..trials)
            .filter(|_| {
                let data: Vec<Vec<f64>> = (0..launches)
                    .map(|_| {
                        let launch = 100.0 + between * normal(&mut random);
                        (0..20).map(|_| launch + within * normal(&mut random)).collect()
                    })
                    .collect();
                let interval = interval_on_median(&data, &options).unwrap();
                (interval.low..=interval.high).contains(&100.0)
            })
            .count();
        hits as f64 / f64::from(trials)
    }

    #[test]
    fn a_nominal_95_percent_covers_at_least_93() {
        for (launches, between, within) in
            [(3, 1.0, 1.0), (5, 1.0, 1.0), (10, 1.0, 1.0), (5, 1.0, 0.1), (10, 1.0, 0.1), (5, 0.0, 1.0)]
        {
            let share = coverage(launches, between, within);
            assert!(share >= 0.93, "{launches} launches, {between} % between, {within} % within: {share}");
        }
    }

    #[test]
    fn one_launch_has_no_interval_and_equal_launches_a_point() {
        let options = SummaryOptions::default();
        assert_eq!(interval_on_median(&[vec![1.0, 2.0]], &options), None);
        assert_eq!(interval_on_median(&[vec![], vec![1.0]], &options), None);
        let interval = interval_on_median(&[vec![5.0; 3], vec![5.0; 3]], &options).unwrap();
        assert_eq!((interval.low, interval.high), (5.0, 5.0));
    }

    #[test]
    fn an_interval_on_what_is_never_negative_ends_at_zero() {
        let wide = interval_on_median(&[vec![1.0], vec![100.0]], &SummaryOptions::default()).unwrap();
        assert_eq!(wide.low, 0.0, "{wide:?}");
        let signed = interval_on_median(&[vec![-1.0], vec![100.0]], &SummaryOptions::default()).unwrap();
        assert!(signed.low < -1.0, "{signed:?}");
    }

    proptest! {
        #[test]
        fn the_interval_contains_the_headline_and_scales(
            data in proptest::collection::vec(proptest::collection::vec(1.0..1e6f64, 1..100), 2..8),
        ) {
            let options = SummaryOptions { resamples: 100, ..SummaryOptions::default() };
            let interval = interval_on_median(&data, &options).unwrap();
            let medians: Vec<f64> = data.iter().filter_map(|launch| median(launch)).collect();
            let centre = median(&medians).unwrap();
            prop_assert!(interval.low <= centre * (1.0 + 1e-12) && centre * (1.0 - 1e-12) <= interval.high);
            let doubled: Vec<Vec<f64>> = data.iter().map(|launch| launch.iter().map(|x| x * 2.0).collect()).collect();
            let twice = interval_on_median(&doubled, &options).unwrap();
            prop_assert!((twice.low - 2.0 * interval.low).abs() <= 1e-6 * interval.high.abs());
            prop_assert!((twice.high - 2.0 * interval.high).abs() <= 1e-6 * interval.high.abs());
        }
    }
}
