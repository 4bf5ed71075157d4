//! Clopper–Pearson: bounds on a share that was seen `hits` times in `trials` (Clopper & Pearson 1934, Biometrika 26).

use statrs::function::beta::inv_beta_reg;

/// The upper bound that holds with this confidence. // eg: 0 of 300 at 0.95 gives 0.00994
#[must_use]
pub fn upper_bound(hits: u64, trials: u64, confidence: f64) -> f64 {
    if hits >= trials {
        return 1.0;
    }
    inv_beta_reg(hits as f64 + 1.0, (trials - hits) as f64, confidence)
}

/// The lower bound that holds with this confidence.
#[must_use]
pub fn lower_bound(hits: u64, trials: u64, confidence: f64) -> f64 {
    if hits == 0 { 0.0 } else { 1.0 - upper_bound(trials - hits.min(trials), trials, confidence) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // Without hits the bound has a closed form: 1 − (1 − confidence)^(1/trials).
        for trials in [1, 10, 300, 1000] {
            let expected = 1.0 - 0.05f64.powf(1.0 / trials as f64);
            assert!((upper_bound(0, trials, 0.95) - expected).abs() < 1e-9, "{trials}");
        }
        // SciPy 1.17: stats.beta.ppf(.95, hits + 1, trials - hits) and stats.beta.ppf(.05, hits, trials - hits + 1).
        for (hits, trials, low, high) in [
            (1, 436, 0.000_117_638_250_691_931_45, 0.010_833_820_446_037_862),
            (3, 20, 0.042_169_407_885_778_61, 0.343_663_804_314_281_8),
            (72, 201, 0.301_945_604_661_858_3, 0.417_637_585_931_943_2),
        ] {
            assert!((lower_bound(hits, trials, 0.95) - low).abs() < 1e-9, "{hits} of {trials}");
            assert!((upper_bound(hits, trials, 0.95) - high).abs() < 1e-9, "{hits} of {trials}");
        }
        assert!((lower_bound(3, 3, 0.95) - 0.05f64.powf(1.0 / 3.0)).abs() < 1e-9);
        assert_eq!(
            (upper_bound(3, 3, 0.95), lower_bound(0, 3, 0.95), upper_bound(0, 0, 0.95)),
            (1.0, 0.0, 1.0)
        );
    }
}
