//! Inside the plugin: comparing output with a reference, and the checksum of an output.

use dyno_sdk::prelude::*;

/// Fails unless `|got - expected| / |expected|`, both as Euclidean norms over everything, is within `tolerance`.
/// NaN, which outputs are full of before they are written, is never within anything.
pub(crate) fn norm(
    what: &str,
    got: impl Iterator<Item = f64>,
    expected: impl Iterator<Item = f64>,
    tolerance: f64,
) -> Result<(), Failure> {
    let (mut difference, mut size, mut count) = (0.0, 0.0, 0_usize);
    for (got, expected) in got.zip(expected) {
        difference += (got - expected) * (got - expected);
        size += expected * expected;
        count += 1;
    }
    // Where the reference is all zeros, the difference itself counts.
    let error = if size > 0.0 { (difference / size).sqrt() } else { difference.sqrt() };
    if error <= tolerance && count > 0 {
        return Ok(());
    }
    Err(Failure::error(format!(
        "{what} differs from the reference by {error:.2e} of its norm over {count} elements (tolerance {tolerance:.2e})"
    )))
}

/// Fails at the first element that differs.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    got: &[T],
    expected: impl ExactSizeIterator<Item = T>,
) -> Result<(), Failure> {
    if got.len() != expected.len() {
        let (got, expected) = (got.len(), expected.len());
        return Err(Failure::error(format!("{what} has {got} elements, the reference {expected}")));
    }
    match got.iter().zip(expected).enumerate().find(|(_, (got, expected))| *got != expected) {
        None => Ok(()),
        Some((place, (got, expected))) => Err(Failure::error(format!(
            "{what}: element {place} is {got:?}, the reference says {expected:?}"
        ))),
    }
}

/// A checksum of some of the output: about a thousand elements, and always the first and the last.
pub(crate) fn checksum<T: Copy>(values: &[T], bits: impl Fn(T) -> u64) -> u64 {
    let step = (values.len() / 1024).max(1) | 1;
    let ends = values.iter().step_by(step).chain(values.last());
    ends.fold(0, |sum: u64, value| sum.rotate_left(7) ^ bits(*value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differ(got: &[f64], expected: &[f64]) -> Result<(), Failure> {
        norm("x", got.iter().copied(), expected.iter().copied(), 1e-3)
    }

    #[test]
    fn a_norm_sees_what_is_wrong_and_what_was_never_written() {
        assert!(differ(&[1.0, 2.0], &[1.0, 2.0]).is_ok());
        assert!(differ(&[1.0, 2.0001], &[1.0, 2.0]).is_ok());
        let message = differ(&[1.0, 2.1], &[1.0, 2.0]).unwrap_err().to_string();
        assert!(message.contains("4.47e-2 of its norm over 2 elements (tolerance 1.00e-3)"), "{message}");
        assert!(differ(&[1.0, f64::NAN], &[1.0, 2.0]).is_err());
        assert!(differ(&[1e-4], &[0.0]).is_ok() && differ(&[1e-2], &[0.0]).is_err());
        assert!(differ(&[], &[]).is_err(), "nothing was compared");
    }

    #[test]
    fn the_poison_is_no_number_in_any_float_type() {
        assert!(f32::from_bits(u32::MAX).is_nan() && f64::from_bits(u64::MAX).is_nan());
        assert!(half::f16::from_bits(u16::MAX).is_nan() && half::bf16::from_bits(u16::MAX).is_nan());
    }

    #[test]
    fn sameness_names_the_place() {
        assert!(same("x", &[1, 2], [1, 2].into_iter()).is_ok());
        let message = same("x", &[1, 3], [1, 2].into_iter()).unwrap_err().to_string();
        assert_eq!(message, "x: element 1 is 3, the reference says 2");
        assert!(same("x", &[1], [1, 2].into_iter()).is_err());
    }

    #[test]
    fn a_checksum_sees_the_ends() {
        let mut values = vec![0_u32; 5000];
        let before = checksum(&values, u64::from);
        values[4999] = 1;
        assert_ne!(before, checksum(&values, u64::from));
        assert_eq!(checksum::<u32>(&[], u64::from), 0);
    }
}
