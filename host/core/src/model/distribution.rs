//! The distribution of the samples of a case, as few numbers however many samples there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::quantile;

/// The samples of a case, summarised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// Number of samples with a value.
    pub samples: u64,
    /// The shares, 0 to 1, at which `quantiles` are given.
    pub shares: Vec<f64>,
    /// Quantiles of all samples.
    pub quantiles: Vec<f64>,
    /// The same for each launch, of at most 64.
    pub launches: Vec<LaunchDistribution>,
    /// The samples in the order in which they were measured, cut into columns.
    pub columns: Vec<Column>,
}

/// The samples of a launch, summarised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LaunchDistribution {
    /// Index of the launch in the case, from 0.
    pub launch: u32,
    /// Number of samples with a value.
    pub samples: u64,
    /// Number of samples that were taken, if they were thinned since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_taken: Option<u32>,
    /// Its quantiles.
    pub quantiles: Vec<f64>,
}

/// Consecutive samples: a pixel column of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// Number of the first sample, from 0, over all launches.
    pub first: u64,
    /// The launch of the first sample.
    pub launch: u32,
    /// Lowest value.
    pub low: f64,
    /// Highest value.
    pub high: f64,
}

impl Distribution {
    /// Maximum number of launches that are described one by one.
    pub const MOST_LAUNCHES: u32 = 64;

    /// So many shares from 0 to 1, at equal distances; two at least.
    #[must_use]
    pub fn shares(points: u32) -> Vec<f64> {
        let last = points.max(2) - 1;
        (0..=last).map(|place| f64::from(place) / f64::from(last)).collect()
    }

    /// Describes samples, given by launch and in the order in which they were measured, at `points` quantiles and in at most
    /// `columns` columns.
    #[must_use]
    pub fn of(launches: &[(u32, Vec<f64>)], points: u32, columns: u32) -> Self {
        let shares = Self::shares(points);
        let quantiles = |mut values: Vec<f64>| -> Vec<f64> {
            values.sort_unstable_by(f64::total_cmp);
            shares.iter().filter_map(|share| quantile(&values, *share)).collect()
        };
        let finite =
            |values: &[f64]| values.iter().copied().filter(|it| it.is_finite()).collect::<Vec<f64>>();
        let launches: Vec<(u32, Vec<f64>)> =
            launches.iter().map(|(launch, values)| (*launch, finite(values))).collect();
        let all = || launches.iter().flat_map(|(launch, values)| values.iter().map(move |it| (*launch, *it)));
        let samples = all().count() as u64;
        let most = u64::from(columns.max(1));
        let mut course: Vec<Column> = Vec::new();
        let mut current = None;
        for (first, (launch, value)) in (0..).zip(all()) {
            let column = first * most / samples.max(most);
            match course.last_mut().filter(|_| current == Some(column)) {
                Some(known) => (known.low, known.high) = (known.low.min(value), known.high.max(value)),
                None => course.push(Column { first, launch, low: value, high: value }),
            }
            current = Some(column);
        }
        let whole = quantiles(all().map(|(_, value)| value).collect());
        let described = launches.iter().filter(|(_, values)| !values.is_empty());
        let launches = described
            .take(Self::MOST_LAUNCHES as usize)
            .map(|(launch, values)| LaunchDistribution {
                samples_taken: None,
                launch: *launch,
                samples: values.len() as u64,
                quantiles: quantiles(values.clone()),
            })
            .collect();
        Self { samples, quantiles: whole, shares, launches, columns: course }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_sample_is_in_a_column_and_between_the_quantiles(
            launches in proptest::collection::vec(proptest::collection::vec(-1e9..1e9f64, 0..50), 0..5),
            points in 0u32..20,
            columns in 0u32..40,
        ) {
            let launches: Vec<(u32, Vec<f64>)> = (0..).zip(launches).collect();
            let found = Distribution::of(&launches, points, columns);
            let all: Vec<f64> = launches.iter().flat_map(|(_, values)| values.clone()).collect();
            prop_assert_eq!(found.samples, all.len() as u64);
            prop_assert!(found.columns.len() <= columns.max(1) as usize);
            let low = all.iter().copied().fold(f64::INFINITY, f64::min);
            let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if !all.is_empty() {
                prop_assert_eq!(found.quantiles.len(), found.shares.len());
                prop_assert_eq!((found.quantiles[0], found.quantiles[found.quantiles.len() - 1]), (low, high));
                prop_assert!(found.columns.iter().any(|it| it.low == low));
                prop_assert!(found.columns.iter().any(|it| it.high == high));
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_no_sample() {
        let found = Distribution::of(&[(0, vec![f64::NAN, 1.0]), (1, vec![f64::INFINITY])], 3, 10);
        assert_eq!((found.samples, found.launches.len(), found.columns.len()), (1, 1, 1));
    }
}
