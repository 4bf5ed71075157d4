//! Order statistics: median, quantiles, median absolute deviation.

/// The middle value; `None` for no values. Values are finite.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// The quantile `q` (0 to 1) of values in ascending order, interpolated linearly between neighbours (type 7 of
/// Hyndman & Fan 1996, the default of R and NumPy); `None` for no values.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let (low, high) = (*sorted.get(below)?, *sorted.get((below + 1).min(last))?);
    let share = place - below as f64;
    // The distance of two numbers at both ends of the range is not finite: there the ends are weighed instead.
    let between = if (high - low).is_finite() {
        low + (high - low) * share
    } else {
        low * (1.0 - share) + high * share
    };
    // Rounding must not put it outside: percentiles would be out of order.
    Some(between.max(low).min(high))
}

/// The median distance from the median, unscaled, and always finite; `None` for no values.
#[must_use]
pub fn mad(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs().min(f64::MAX)).collect();
    median(&distances)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        // numpy.quantile([1, 2, 4, 8, 16], [0, .1, .5, .9, 1]) = [1, 1.4, 4, 12.8, 16]
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (q, expected) in [(0.0, 1.0), (0.1, 1.4), (0.5, 4.0), (0.9, 12.8), (1.0, 16.0)] {
            assert!((quantile(&values, q).unwrap() - expected).abs() < 1e-12);
        }
        assert_eq!(median(&[3.0, 1.0, 2.0, 10.0]), Some(2.5));
        assert_eq!(mad(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]), Some(1.0));
        assert_eq!((median(&[]), mad(&[])), (None, None));
    }

    proptest! {
        #[test]
        fn the_median_lies_inside_and_ignores_order(mut values in proptest::collection::vec(-1e9..1e9f64, 1..50)) {
            let middle = median(&values).unwrap();
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!((low..=high).contains(&middle));
            values.reverse();
            prop_assert_eq!(median(&values), Some(middle));
        }
    }
}
