//! Inside the plugin: comparing output with a reference in `f64`.

use dyno_sdk::prelude::*;

/// Fails unless the Euclidean norm of the difference is within `tolerance` times that of the reference. What the kernel
/// did not write is NaN, and NaN is within nothing.
pub(crate) fn near(
    what: &str,
    got: &[f32],
    expected: impl IntoIterator<Item = f64>,
    tolerance: f64,
) -> Result<(), Failure> {
    let (mut difference, mut size, mut count) = (0.0, 0.0, 0);
    let mut worst = (0, 0.0, 0.0, -1.0);
    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
        let got = f64::from(*got);
        let error = (got - expected).abs();
        difference += error * error;
        size += expected * expected;
        count += 1;
        let is_worse = error.is_nan() || error > worst.3;
        // The first NaN is the one to name.
        if is_worse && !f64::is_nan(worst.3) {
            worst = (index, got, expected, error);
        }
    }
    if count != got.len() {
        return Err(Failure::error(format!("{what} has {} elements, the reference {count}", got.len())));
    }
    // Without a division: a reference of nothing but zeros asks for zeros.
    if difference <= tolerance * tolerance * size {
        return Ok(());
    }
    let (index, got, expected, _) = worst;
    Err(Failure::error(format!(
        "{what} differs from the reference by {:.1e} of its norm, at most {tolerance:.1e} is right; worst is element \
         {index}: {got:e} instead of {expected:e}",
        (difference / size).sqrt()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_passes_and_one_wrong_element_of_many_does_not() {
        let mut got = vec![1.0f32; 1_000_000];
        let reference = || std::iter::repeat_n(1.0f64, 1_000_000);
        got[3] += 1e-6;
        near("x", &got, reference(), 1e-7).unwrap();
        got[999_999] = 0.5;
        let message = near("x", &got, reference(), 1e-6).unwrap_err().to_string();
        assert!(
            message.contains("5.0e-4 of its norm") && message.contains("element 999999: 5e-1 instead of 1e0"),
            "{message}"
        );
    }

    #[test]
    fn nan_is_never_right_and_is_the_one_named() {
        let message = near("x", &[9.0, f32::NAN, 99.0], [1.0; 3], f64::MAX).unwrap_err().to_string();
        assert!(message.contains("element 1: NaN"), "{message}");
    }

    #[test]
    fn zeros_and_lengths_count() {
        near("x", &[0.0; 2], [0.0; 2], 0.0).unwrap();
        assert!(near("x", &[0.0, 1e-30], [0.0; 2], 1e-6).is_err());
        assert!(near("x", &[0.0; 3], [0.0; 2], 1.0).is_err());
    }
}
