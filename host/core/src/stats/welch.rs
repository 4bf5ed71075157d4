//! Welch's t-test on launches: two sides that were measured at different times, whose spreads may differ.
//!
//! Welch 1947, Biometrika 34. Works on logarithms where all values are positive, so that the difference is a ratio.

use statrs::{
    distribution::{ContinuousCDF, Normal, StudentsT},
    function::beta::beta_reg,
};

/// The difference of two means, candidate minus baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// The difference.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom (Welch–Satterthwaite); infinite where neither side has any spread.
    pub degrees: f64,
    /// Two-sided.
    pub p_value: f64,
}

impl Welch {
    /// Half-width of the interval with this coverage.
    #[must_use]
    pub fn half_width(&self, confidence: f64) -> f64 {
        if self.standard_error == 0.0 {
            return 0.0;
        }
        t_quantile(1.0 - (1.0 - confidence) / 2.0, self.degrees) * self.standard_error
    }
}

/// Compares two sides; `None` where either has fewer than two values, since then its spread is not known.
#[must_use]
pub fn welch(baseline: &[f64], candidate: &[f64]) -> Option<Welch> {
    let (a, b) = (moments(baseline)?, moments(candidate)?);
    let (va, vb) = (a.1 / baseline.len() as f64, b.1 / candidate.len() as f64);
    let (difference, standard_error) = (b.0 - a.0, (va + vb).sqrt());
    if !difference.is_finite() || !standard_error.is_finite() {
        return None;
    }
    if standard_error == 0.0 {
        let p_value = if difference == 0.0 { 1.0 } else { 0.0 };
        return Some(Welch { difference, standard_error, degrees: f64::INFINITY, p_value });
    }
    let share = |v: f64, n: usize| (v / (va + vb)).powi(2) / (n as f64 - 1.0);
    let degrees = 1.0 / (share(va, baseline.len()) + share(vb, candidate.len()));
    let p_value = two_sided(difference / standard_error, degrees);
    Some(Welch { difference, standard_error, degrees, p_value })
}

/// The chance of a t at least so far from zero: the regularised incomplete beta function at degrees / (degrees + t²).
fn two_sided(t: f64, degrees: f64) -> f64 {
    let square = t * t;
    if !square.is_finite() {
        return 0.0;
    }
    beta_reg(degrees / 2.0, 0.5, degrees / (degrees + square)).clamp(0.0, 1.0)
}

/// The quantile of Student's t; of the normal distribution where the degrees are infinite.
#[must_use]
pub fn t_quantile(p: f64, degrees: f64) -> f64 {
    // With many degrees the library's search for the inverse does not end; there the first term of the expansion around
    // the normal distribution (Fisher & Cornish 1960) is exact to six digits.
    const MANY: f64 = 1_000.0;
    if degrees <= MANY {
        return StudentsT::new(0.0, 1.0, degrees).map_or(f64::INFINITY, |student| student.inverse_cdf(p));
    }
    let z = Normal::standard().inverse_cdf(p);
    z + (z.powi(3) + z) / (4.0 * degrees)
}

/// Mean and variance; `None` for fewer than two values.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    Some((mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        // SciPy 1.17: stats.ttest_ind(b, a, equal_var=False) and its confidence_interval(.99).
        let a = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
        let b = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.4, 24.1];
        let found = welch(&a, &b).unwrap();
        assert!((found.difference / found.standard_error - 2.837_966_813_247_511_3).abs() < 1e-10);
        assert!((found.degrees - 27.853_523_138_272_557).abs() < 1e-9);
        assert!((found.p_value - 0.008_375_670_506_913_48).abs() < 1e-9);
        let half_width = found.half_width(0.99);
        assert!((found.difference - half_width - 0.072_840_595_218_592_42).abs() < 1e-6);
        assert!((found.difference + half_width - 5.540_492_738_114_745).abs() < 1e-6);
    }

    #[test]
    fn quantiles_agree_with_tables() {
        // SciPy 1.17: stats.t.ppf(p, degrees).
        for (p, degrees, expected) in [
            (0.975, 4.0, 2.776_445_105_197_793_4),
            (0.999, 4.0, 7.173_182_219_782_307),
            (0.995, 19.0, 2.860_934_606_464_979_4),
            (0.9985, 19.0, 3.400_657_786_284_448),
            (0.975, 2_000.0, 1.961_150_826_099_437_7),
            (0.9985, 50_000.0, 2.967_883_461_897_263_6),
        ] {
            assert!((t_quantile(p, degrees) - expected).abs() < 1e-5, "{p} {degrees}");
        }
    }

    #[test]
    fn without_spread_there_is_a_difference_or_none() {
        assert_eq!(welch(&[1.0], &[1.0, 2.0]), None);
        assert_eq!(welch(&[1.0; 3], &[1.0; 3]).unwrap().p_value, 1.0);
        assert_eq!(welch(&[1.0; 3], &[2.0; 3]).unwrap().p_value, 0.0);
    }

    proptest! {
        #[test]
        fn swapping_the_sides_turns_the_sign(
            a in proptest::collection::vec(-1e3..1e3f64, 2..12),
            b in proptest::collection::vec(-1e3..1e3f64, 2..12),
        ) {
            let (one, other) = (welch(&a, &b).unwrap(), welch(&b, &a).unwrap());
            prop_assert!((one.difference + other.difference).abs() < 1e-9);
            prop_assert!((one.p_value - other.p_value).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&one.p_value));
        }
    }
}
