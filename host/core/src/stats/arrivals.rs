//! When queries arrive that arrive at random: a Poisson process.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Arrivals at `rate` per second within `duration_ns`, in order [ns]; at most `most` of them.
#[must_use]
pub fn poisson_arrivals(seed: u64, rate: f64, duration_ns: u64, most: usize) -> Vec<u64> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut at = 0.0f64;
    let mut arrivals = Vec::new();
    while arrivals.len() < most {
        // Gaps of a Poisson process are exponential; one minus a uniform number in [0, 1) is never zero.
        at += -(1.0 - random.random::<f64>()).ln() * 1e9 / rate;
        if !at.is_finite() || at > duration_ns as f64 {
            break;
        }
        arrivals.push(at as u64);
    }
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_and_the_spread_are_those_of_a_poisson_process() {
        let arrivals = poisson_arrivals(1, 1_000.0, 20_000_000_000, usize::MAX);
        assert!((arrivals.len() as f64 - 20_000.0).abs() < 4.0 * 20_000f64.sqrt(), "{}", arrivals.len());
        let gaps: Vec<f64> = arrivals.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!(
            (variance.sqrt() / mean - 1.0).abs() < 0.05,
            "an exponential gap spreads as much as it lasts"
        );
        assert!(poisson_arrivals(1, 1e-300, 1_000, usize::MAX).is_empty());
        assert_eq!(poisson_arrivals(1, 1e9, u64::MAX, 10).len(), 10);
    }
}
